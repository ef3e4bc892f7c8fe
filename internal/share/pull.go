package share

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"
	"sync"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// pullsAtOnce is how many sources are asked at a time.
const pullsAtOnce = 8

// A Change is what a pull found of one service.
type Change struct {
	Service string
	From    string
	Old     string // the digest that was locked; empty for a service that is new
	New     string // the digest that is there now; empty for one that estate.yaml dropped
	What    string // in one line, what of the contract that changes; empty if nothing does
	Fetched bool   // the contract is put into the cache, for it is not there as it should be
}

// An Update is what a pull found. Nothing of it is written before
// [Update.Write].
type Update struct {
	Changes []Change // one for each service, sorted by name

	root    *os.Root
	bundles map[string]*Bundle // to keep, by service
	lock    map[string]*contract.Locked
	moved   bool // the lock becomes another one
}

// Moved reports whether estate.lock changes.
func (u *Update) Moved() bool { return u.moved }

// Pull asks every source of the estate.yaml in a directory what is published
// there now.
func Pull(ctx context.Context, cfg Config, root *os.Root) (*Update, error) {
	p, err := open(cfg, root)
	if err != nil {
		return nil, err
	}
	return p.run(ctx, p.newest)
}

// PullLocked gets what estate.lock names and is not in the cache, or not as it
// should be. It needs no network where nothing is missing, and refuses an
// estate.yaml that the lock does not follow.
func PullLocked(ctx context.Context, cfg Config, root *os.Root) (*Update, error) {
	p, err := open(cfg, root)
	if err != nil {
		return nil, err
	}
	if err := p.follows(); err != nil {
		return nil, err
	}
	return p.run(ctx, p.pinned)
}

// A pull is one run over an estate.yaml.
type pull struct {
	cfg     Config
	root    *os.Root
	sources *contract.Sources
	lock    *contract.Lock
	clones  clones
}

func open(cfg Config, root *os.Root) (*pull, error) {
	fsys := root.FS()
	if _, err := fs.Stat(fsys, contract.EstateFile); errors.Is(err, fs.ErrNotExist) {
		return nil, diag.New(diag.ShareNoSources, "there is no %s in this directory", contract.EstateFile)
	}
	sources, list := contract.ParseSources(fsys, contract.EstateFile)
	lock := &contract.Lock{}
	if _, err := fs.Stat(fsys, contract.LockFile); !errors.Is(err, fs.ErrNotExist) {
		var faults diag.List
		lock, faults = contract.ParseLock(fsys, contract.LockFile)
		list = append(list, faults...)
	}
	if err := list.Err(); err != nil {
		return nil, err
	}
	return &pull{cfg: cfg, root: root, sources: sources, lock: lock, clones: clones{cfg: cfg}}, nil
}

// follows reports where the lock does not follow estate.yaml.
func (p *pull) follows() error {
	var list diag.List
	for _, name := range slices.Sorted(maps.Keys(p.sources.Services)) {
		source, locked := p.sources.Services[name], p.lock.Services[name]
		at := p.sources.Position("services", name)
		switch {
		case locked == nil:
			list.Add(diag.New(diag.ShareLocked, "%s is in %s and not in %s", name, contract.EstateFile, contract.LockFile).At(at))
		case locked.From != source.From:
			list.Add(diag.New(diag.ShareLocked, "%s has %s from another place than %s", contract.LockFile, name, contract.EstateFile).At(at).
				WithEvidence("%s: %s", contract.LockFile, locked.From).WithEvidence("%s: %s", contract.EstateFile, source.From))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.lock.Services)) {
		if p.sources.Services[name] == nil {
			list.Add(diag.New(diag.ShareLocked, "%s is in %s and no longer in %s", name, contract.LockFile, contract.EstateFile).
				At(diag.Position{File: contract.LockFile}))
		}
	}
	return list.Err()
}

// A found is what became of one source.
type found struct {
	change Change
	bundle *Bundle // nil if the cache has it
	locked *contract.Locked
	err    error
}

// run looks at every source, a few at a time, and tells all that failed.
func (p *pull) run(ctx context.Context, look func(context.Context, *contract.Source) found) (*Update, error) {
	names := slices.Sorted(maps.Keys(p.sources.Services))
	all := make([]found, len(names))
	slots := make(chan struct{}, pullsAtOnce)
	var wg sync.WaitGroup
	for i, name := range names {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			all[i] = look(ctx, p.sources.Services[name])
		})
	}
	wg.Wait()
	p.clones.Close()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	u := &Update{root: p.root, bundles: map[string]*Bundle{}, lock: map[string]*contract.Locked{}}
	var errs []error
	for i, f := range all {
		if errs = append(errs, p.placed(names[i], f.err)); f.err == nil {
			u.add(f, p.lock.Services[names[i]])
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	u.drop(p.lock)
	return u, nil
}

// placed puts problems that have no place at the source's line.
func (p *pull) placed(service string, err error) error {
	list := diag.Of(err)
	for i, d := range list {
		if d.Position.IsZero() {
			list[i] = d.At(p.sources.Position("services", service))
		}
	}
	if len(list) == 0 {
		return err
	}
	return list
}

func (u *Update) add(f found, before *contract.Locked) {
	u.Changes = append(u.Changes, f.change)
	u.lock[f.change.Service] = f.locked
	if f.bundle != nil {
		u.bundles[f.change.Service] = f.bundle
	}
	u.moved = u.moved || before == nil || *before != *f.locked
}

// drop tells which services are no longer in estate.yaml.
func (u *Update) drop(old *contract.Lock) {
	for name, locked := range old.Services {
		if u.lock[name] == nil {
			u.Changes = append(u.Changes, Change{Service: name, From: locked.From, Old: locked.Digest, What: "no longer in " + contract.EstateFile})
			u.moved = true
		}
	}
	slices.SortFunc(u.Changes, func(a, b Change) int {
		if a.Service < b.Service {
			return -1
		}
		return 1
	})
}

// fetch gets a bundle from a reference; the one of a digest if that is given.
func (p *pull) fetch(ctx context.Context, ref Reference, digest string) (fetched, error) {
	if ref.isOCI() {
		return p.cfg.fetchOCI(ctx, ref, digest)
	}
	g, err := p.clones.at(ctx, ref, digest)
	if err != nil {
		return fetched{}, gitProblem(ctx, ref, err)
	}
	return g.bundle(ctx, ref)
}

// newest asks the source what is there now.
func (p *pull) newest(ctx context.Context, source *contract.Source) found {
	ref, err := ParseReference(source.From)
	if err != nil {
		return found{err: err}
	}
	got, err := p.fetch(ctx, ref, "")
	if err != nil {
		return found{err: err}
	}
	return p.judge(source, got)
}

// pinned gets what the lock names, from the cache if it is there.
func (p *pull) pinned(ctx context.Context, source *contract.Source) found {
	locked := p.lock.Services[source.Service]
	change := Change{Service: source.Service, From: source.From, Old: locked.Digest, New: locked.Digest}
	if s, _ := p.lock.Pulled(p.root.FS(), ".", source); s != nil {
		return found{change: change, locked: locked}
	}
	ref, err := ParseReference(source.From)
	if err != nil {
		return found{err: err}
	}
	got, err := p.fetch(ctx, ref, locked.Digest)
	if err != nil {
		return found{err: err}
	}
	f := p.judge(source, got)
	if f.err == nil && *f.locked != *locked {
		f.err = diag.New(diag.ShareLocked, "what is published of %s is not what %s names", source.Service, contract.LockFile).
			WithEvidence("%s: %s, contract %s", contract.LockFile, locked.Digest, locked.Contract).
			WithEvidence("%s: %s, contract %s", ref, f.locked.Digest, f.locked.Contract)
	}
	return f
}

// judge compares what was fetched with what was locked.
func (p *pull) judge(source *contract.Source, got fetched) found {
	s := got.Service
	if s.Name != source.Service {
		return found{err: diag.New(diag.ShareService, "%s holds the contract of %s, not of %s", source.From, s.Name, source.Service)}
	}
	f := found{
		bundle: got.Bundle,
		change: Change{Service: s.Name, From: source.From, New: got.digest, Fetched: true},
		locked: &contract.Locked{Service: s.Name, From: source.From, Digest: got.digest, Tree: got.tree, Contract: s.Hash()},
	}
	before := p.lock.Services[s.Name]
	if before == nil {
		f.change.What = holds(s)
		return f
	}
	f.change.Old = before.Digest
	cached := p.cached(before)
	switch {
	case before.Contract == s.Hash():
		f.change.Fetched = cached == nil
		if before.Digest != got.digest {
			f.change.What = "the same contract"
		}
	case cached == nil:
		f.change.What = "another contract; the one before is not here to compare"
	default:
		f.change.What = differences(cached, s)
	}
	if !f.change.Fetched {
		f.bundle = nil
	}
	return f
}

// cached is the contract that was locked, if the cache has it untouched. Where
// estate.yaml says that it comes from does not matter.
func (p *pull) cached(locked *contract.Locked) *contract.Service {
	s, _ := p.lock.Pulled(p.root.FS(), ".", &contract.Source{Service: locked.Service, From: locked.From})
	return s
}
