package depot

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-go/slipway/diag"
)

// A session is a depot as one command sees it.
type session struct {
	*disk
	now    time.Time
	st     state
	gens   []*generation // oldest first
	leaves []*leaf       // sorted by kind and name
}

// look has work read the depot without changing it. What another process
// changes at the same time can vanish while it is read; then it is read again.
func (d *Depot) look(work func(*session) error) error {
	err := d.lookOnce(work)
	for range 3 {
		if !errors.Is(err, fs.ErrNotExist) || errors.Is(err, diag.DepotMissing) {
			break
		}
		err = d.lookOnce(work)
	}
	return err
}

func (d *Depot) lookOnce(work func(*session) error) error {
	disk, err := openDisk(d.dir, d.step)
	if errors.Is(err, fs.ErrNotExist) {
		return missing(err)
	}
	if err != nil {
		return err
	}
	defer disk.close()
	s := &session{disk: disk, now: d.clock()}
	if err := s.load(); err != nil {
		return err
	}
	return work(s)
}

// change has work change the depot, alone and with nothing half done in it.
func (d *Depot) change(what string, work func(*session) error) error {
	err := d.locked(func(s *session) error {
		if err := s.readState(); err != nil {
			return err
		}
		if err := s.sweep(); err != nil {
			return err
		}
		if err := s.load(); err != nil {
			return err
		}
		return work(s)
	})
	if err != nil {
		return fmt.Errorf("%s in %s: %w", what, d.dir, err)
	}
	return nil
}

func (d *Depot) locked(work func(*session) error) error {
	disk, err := openDisk(d.dir, d.step)
	if errors.Is(err, fs.ErrNotExist) {
		return missing(err)
	}
	if err != nil {
		return err
	}
	s := &session{disk: disk, now: d.clock()}
	defer s.close()
	lock, err := s.lock()
	if err != nil {
		return err
	}
	err = errors.Join(work(s), s.barrier())
	return errors.Join(err, unlock(lock))
}

func missing(err error) error {
	return fmt.Errorf("%w: %w", diag.New(diag.DepotMissing, "there is no depot"), err)
}

// load reads everything.
func (s *session) load() error {
	if err := s.readState(); err != nil {
		return err
	}
	if err := s.readGenerations(); err != nil {
		return err
	}
	return s.readLeaves()
}

func (s *session) readState() error {
	data, err := s.read(stateFile, readable)
	if errors.Is(err, fs.ErrNotExist) {
		return missing(err)
	}
	if err != nil {
		return err
	}
	s.st, err = parseState(data)
	return err
}

// writeState says what is meant to be, before it is done.
func (s *session) writeState(st state) error {
	if st == s.st {
		return nil
	}
	if err := s.replace(stateFile, st.encode()); err != nil {
		return err
	}
	s.st = st
	return nil
}

// readGenerations reads those that depot.yaml knows of. Of those that are not
// needed any more the directory may be gone.
func (s *session) readGenerations() error {
	numbers, err := s.generationNumbers()
	if err != nil {
		return err
	}
	s.gens = nil
	for _, n := range numbers {
		if n > s.st.last {
			continue // of a command that was interrupted: see [session.found]
		}
		g, err := s.readGeneration(n)
		if err != nil {
			return damaged(generationDir(n), err)
		}
		s.gens = append(s.gens, g)
	}
	for _, n := range s.st.kept() {
		if s.generation(n) == nil {
			return diag.New(diag.DepotDamaged, "%s is missing", generationDir(n))
		}
	}
	return nil
}

// damaged gives an error about a missing file its code.
func damaged(dir string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		what := "a file of " + dir
		if at, ok := errors.AsType[*fs.PathError](err); ok {
			what = path.Join(dir, path.Base(at.Path))
		}
		return fmt.Errorf("%w: %w", diag.New(diag.DepotDamaged, "%s is missing", what), err)
	}
	return err
}

func (s *session) generationNumbers() ([]int, error) {
	all, err := s.names(generationsDir)
	var numbers []int
	for _, name := range all {
		if n, err := strconv.Atoi(name); err == nil && n > 0 && strconv.Itoa(n) == name {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, err
}

// generation returns one by its number, nil if it is not there.
func (s *session) generation(number int) *generation {
	i := slices.IndexFunc(s.gens, func(g *generation) bool { return g.number == number })
	if i < 0 {
		return nil
	}
	return s.gens[i]
}

// leafIDs lists the directories below issued.
func (s *session) leafIDs() ([]ID, error) {
	kinds, err := s.names(issuedDir)
	if err != nil {
		return nil, err
	}
	var ids []ID
	for _, kind := range kinds {
		all, err := s.names(path.Join(issuedDir, kind))
		if err != nil {
			return nil, err
		}
		for _, name := range all {
			id := ID{Kind: Kind(kind), Name: name}
			if id.check() != nil {
				return nil, diag.New(diag.DepotForeign, "%s is not a leaf's directory", leafDir(id))
			}
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, ID.compare)
	return ids, nil
}

func (s *session) readLeaves() error {
	ids, err := s.leafIDs()
	if err != nil {
		return err
	}
	s.leaves = make([]*leaf, 0, len(ids))
	for _, id := range ids {
		l, err := s.readLeaf(id, s.gens)
		if err != nil {
			return err
		}
		if l != nil {
			s.leaves = append(s.leaves, l)
		}
	}
	return nil
}

func (s *session) leaf(id ID) *leaf {
	i, found := slices.BinarySearchFunc(s.leaves, id, func(l *leaf, id ID) int { return l.ID.compare(id) })
	if !found {
		return nil
	}
	return s.leaves[i]
}

// sweep removes what an interrupted command left, and the versions of leaves
// that were replaced before this command.
func (s *session) sweep() error {
	for _, dir := range []string{".", generationsDir} {
		if err := s.sweepDir(dir); err != nil {
			return err
		}
	}
	numbers, err := s.generationNumbers()
	if err != nil {
		return err
	}
	for _, n := range numbers {
		if err := s.sweepDir(generationDir(n)); err != nil {
			return err
		}
	}
	ids, err := s.leafIDs()
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := s.sweepLeaf(id); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) sweepDir(dir string) error {
	all, err := s.names(dir)
	if err != nil {
		return err
	}
	for _, name := range all {
		if strings.HasPrefix(name, ".") && strings.HasSuffix(name, ".new") {
			if err := s.remove(path.Join(dir, name)); err != nil {
				return err
			}
		}
	}
	return nil
}
