package contract

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// The files of an estate whose contracts are in several repositories.
const (
	EstateFile = "estate.yaml"
	LockFile   = "estate.lock"

	// PulledDir holds the contracts that were pulled, each in a directory of
	// its service's name. It is made from the two files above and needs no
	// place in version control.
	PulledDir = ".slipway/estate"
)

// Sources is estate.yaml: the services whose contracts other repositories
// hold, and where those publish them.
type Sources struct {
	Services map[string]*Source

	source source
}

// A Source is where the contract of one service is published.
type Source struct {
	Service string
	From    string // oci://registry/path:tag or git+https://host/path#branch:directory
}

// A Lock is estate.lock: what of each source was pulled last. The zero Lock is
// that of an estate that was never pulled.
type Lock struct {
	Services map[string]*Locked

	source source
}

// A Locked is one contract, pinned.
type Locked struct {
	Service  string
	From     string // the source it was pulled from
	Digest   string // of the OCI manifest, or the git commit
	Tree     string // of a git commit: the directory's tree
	Contract string // [Service.Hash]
}

// Position is the place of an element in estate.yaml, such as
// "services/payments".
func (s *Sources) Position(element ...string) diag.Position { return s.source.position(element...) }

// ParseSources reads estate.yaml. The sources are nil if the file could not be
// read at all.
func ParseSources(fsys fs.FS, file string) (*Sources, diag.List) {
	s := &Sources{}
	var list diag.List
	s.source, list = parseTable(fsys, file, estateKind, sourcesType(), s)
	if s.source.root == nil {
		return nil, list
	}
	return s, list
}

// ParseLock reads estate.lock. The lock is nil if the file could not be read
// at all.
func ParseLock(fsys fs.FS, file string) (*Lock, diag.List) {
	l := &Lock{}
	var list diag.List
	l.source, list = parseTable(fsys, file, lockKind, lockType(), l)
	if l.source.root == nil {
		return nil, list
	}
	return l, list
}

// parseTable reads a file that its table says all about.
func parseTable[T any](fsys fs.FS, file, kind string, table typ[T], into *T) (source, diag.List) {
	root, _, list := readDocument(fsys, file)
	if root == nil || misnamed(file, root, kind, &list) {
		return source{}, list
	}
	d := &decoder{file: file, root: root}
	table.read(d, root, into)
	list = append(list, d.list...)
	list.Sort()
	return source{file: file, root: root, tree: root}, list
}

// errNotPulled reports a contract that is not where pulled ones are.
var errNotPulled = errors.New("it is not in " + PulledDir)

// Pulled reads the contract of a source below an estate's directory, as
// [Load] does. A contract that is not the one the lock names is not returned:
// its bytes were changed since they were pulled.
func (l *Lock) Pulled(fsys fs.FS, dir string, from *Source) (*Service, diag.List) {
	s, list, err := l.pulled(fsys, dir, from)
	if err != nil {
		list.Add(diag.New(diag.ShareNotPulled, "the contract of %s is not here: %v", from.Service, err))
	}
	return s, list
}

func (l *Lock) pulled(fsys fs.FS, dir string, from *Source) (*Service, diag.List, error) {
	locked := l.Services[from.Service]
	switch {
	case locked == nil:
		return nil, nil, fmt.Errorf("it is not in %s", LockFile)
	case locked.From != from.From:
		return nil, nil, fmt.Errorf("%s has it from %s", LockFile, locked.From)
	}
	file := path.Join(dir, PulledDir, from.Service, ServiceFile)
	if _, err := fs.Lstat(fsys, file); errors.Is(err, fs.ErrNotExist) {
		return nil, nil, errNotPulled
	}
	s, list := Parse(fsys, file)
	switch {
	case s == nil:
		return nil, list, nil
	case s.Hash() != locked.Contract || s.Name != from.Service:
		return nil, diag.List{diag.New(diag.ShareTampered, "the contract of %s is not the one that was pulled", from.Service).
			At(diag.Position{File: file}).WithEvidence("%s says %s, and here is %s", LockFile, locked.Contract, s.Hash())}, nil
	}
	return s, list, nil
}

// pulled adds the contracts of other repositories to the estate. Where a
// contract of the tree has the name of one of them it is the newer word of the
// same service, and the pulled one is not read: so all repositories can share
// one estate.yaml.
func (e *Estate) pulled(fsys fs.FS, dir string) diag.List {
	file := path.Join(dir, EstateFile)
	if _, err := fs.Stat(fsys, file); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	sources, list := ParseSources(fsys, file)
	lock, faults := readLock(fsys, path.Join(dir, LockFile))
	list = append(list, faults...)
	if sources == nil || list.Failed() {
		e.partial = true
		return list
	}
	own := map[string]bool{}
	for _, s := range e.Services {
		own[s.Name] = true
	}
	var missing []string
	for _, name := range slices.Sorted(maps.Keys(sources.Services)) {
		if own[name] {
			continue
		}
		s, faults, err := lock.pulled(fsys, dir, sources.Services[name])
		list = append(list, faults...)
		e.partial = e.partial || s == nil || loses(faults)
		if s != nil {
			e.Services = append(e.Services, s)
		}
		if err != nil {
			missing = append(missing, fmt.Sprintf("%s: %v", name, err))
		}
	}
	if len(missing) > 0 {
		list.Add(notPulled(sources, missing))
	}
	return list
}

// readLock reads the lock; one that is not there locks nothing.
func readLock(fsys fs.FS, file string) (*Lock, diag.List) {
	if _, err := fs.Stat(fsys, file); errors.Is(err, fs.ErrNotExist) {
		return &Lock{}, nil
	}
	return ParseLock(fsys, file)
}

// notPulled is one problem for all contracts that are missing: they have one
// remedy.
func notPulled(s *Sources, missing []string) diag.Diagnostic {
	var names []string
	for _, m := range missing {
		name, _, _ := strings.Cut(m, ":")
		names = append(names, name)
	}
	shown := strings.Join(names[:min(len(names), 8)], ", ")
	if len(names) > 8 {
		shown += ", …"
	}
	d := diag.New(diag.ShareNotPulled, "contracts of other repositories are not here: %s", shown).At(s.Position("services", names[0]))
	d.Evidence = missing
	return d
}
