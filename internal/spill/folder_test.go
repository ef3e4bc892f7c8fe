package spill_test

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/slipway-go/slipway/internal/spill"
)

// errCrash is what every operation says once the machine has crashed.
var errCrash = errors.New("crashed")

// memory is a directory whose disk can fail and crash. It knows what was forced
// to the disk and what was only written.
type memory struct {
	mu      sync.Mutex
	files   map[string]*memoryFile
	durable map[string]*memoryFile // the directory as it was last synced
	locked  bool

	// before is asked before every operation; its error is the operation's,
	// and n the bytes that a write gets done all the same.
	before func(op, name string) (n int, err error)
}

func newMemory() *memory {
	return &memory{files: map[string]*memoryFile{}, durable: map[string]*memoryFile{}}
}

type memoryFile struct {
	dir    *memory
	name   string
	data   []byte
	synced []byte
	writes []write // since the last sync
	broken bool    // an fsync has failed
	abused bool    // and it was written or synced after that
}

type write struct {
	at   int64
	data []byte
}

func (m *memory) ask(op, name string) (int, error) {
	if m.before == nil {
		return 0, nil
	}
	return m.before(op, name)
}

type memoryLock struct{ m *memory }

func (l memoryLock) Close() error {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	l.m.locked = false
	return nil
}

func (m *memory) Lock() (io.Closer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.locked {
		return nil, spill.ErrLocked
	}
	m.locked = true
	return memoryLock{m}, nil
}

func (m *memory) Names() ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, err := m.ask("names", "")
	return slices.Sorted(maps.Keys(m.files)), err
}

func (m *memory) Create(name string) (spill.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.ask("create", name); err != nil {
		return nil, &fs.PathError{Op: "create", Path: name, Err: err}
	}
	if m.files[name] != nil {
		return nil, fs.ErrExist
	}
	m.files[name] = &memoryFile{dir: m, name: name}
	return m.files[name], nil
}

func (m *memory) Open(name string) (spill.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.ask("open", name); err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	if m.files[name] == nil {
		return nil, fs.ErrNotExist
	}
	return m.files[name], nil
}

func (m *memory) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.ask("rename", from); err != nil {
		return err
	}
	m.files[to] = m.files[from]
	delete(m.files, from)
	return nil
}

func (m *memory) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.ask("remove", name); err != nil {
		return err
	}
	if m.files[name] == nil {
		return fs.ErrNotExist
	}
	delete(m.files, name)
	return nil
}

func (m *memory) Sync() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.ask("syncdir", ""); err != nil {
		return err
	}
	m.durable = maps.Clone(m.files)
	return nil
}

func (m *memory) Close() error { return nil }

func (f *memoryFile) Close() error { return nil }

func (f *memoryFile) Size() (int64, error) {
	f.dir.mu.Lock()
	defer f.dir.mu.Unlock()
	return int64(len(f.data)), nil
}

func (f *memoryFile) ReadAt(p []byte, at int64) (int, error) {
	f.dir.mu.Lock()
	defer f.dir.mu.Unlock()
	if _, err := f.dir.ask("read", f.name); err != nil {
		return 0, err
	}
	if at >= int64(len(f.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.data[at:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memoryFile) WriteAt(p []byte, at int64) (int, error) {
	f.dir.mu.Lock()
	defer f.dir.mu.Unlock()
	f.abused = f.abused || f.broken
	n, err := f.dir.ask("write", f.name)
	if err == nil {
		n = len(p)
	}
	n = min(n, len(p))
	f.data = overwrite(f.data, p[:n], at)
	f.writes = append(f.writes, write{at, slices.Clone(p[:n])})
	if err != nil {
		err = &fs.PathError{Op: "write", Path: f.name, Err: err}
	}
	return n, err
}

func overwrite(data, p []byte, at int64) []byte {
	for int64(len(data)) < at+int64(len(p)) {
		data = append(data, 0)
	}
	copy(data[at:], p)
	return data
}

func (f *memoryFile) Sync() error {
	f.dir.mu.Lock()
	defer f.dir.mu.Unlock()
	f.abused = f.abused || f.broken
	if _, err := f.dir.ask("sync", f.name); err != nil {
		f.broken = true
		return &fs.PathError{Op: "fsync", Path: f.name, Err: err}
	}
	f.synced, f.writes = slices.Clone(f.data), nil
	return nil
}

// killed is the directory after the process was killed: what was written is
// there.
func (m *memory) killed() *memory {
	out := newMemory()
	for name, f := range m.files {
		data := slices.Clone(f.data)
		out.files[name] = &memoryFile{dir: out, name: name, data: data, synced: data}
	}
	out.durable = maps.Clone(out.files)
	return out
}

// unplugged is the directory after a power cut: of what was not synced, some
// made it to the disk and some did not, whole writes or parts of them, in any
// order.
func (m *memory) unplugged(rng *rand.Rand) *memory {
	out := newMemory()
	names := maps.Clone(m.durable)
	for name, f := range m.files { // created since
		if rng.IntN(2) == 0 {
			names[name] = f
		}
	}
	for name := range m.durable { // removed since
		if m.files[name] == nil && rng.IntN(2) == 0 {
			delete(names, name)
		}
	}
	for name, f := range names {
		data := slices.Clone(f.synced)
		for _, w := range f.writes {
			if rng.IntN(2) == 0 {
				data = overwrite(data, w.data[:rng.IntN(len(w.data)+1)], w.at)
			}
		}
		out.files[name] = &memoryFile{dir: out, name: name, data: data, synced: data}
	}
	out.durable = maps.Clone(out.files)
	return out
}

// failing fails one kind of operation on segments with an error, while it is on.
func failing(op string, err error, on *bool) func(string, string) (int, error) {
	return func(o, name string) (int, error) {
		if o == op && *on {
			return 3, err // a short write
		}
		return 0, nil
	}
}

var diskErrors = map[string]error{"ENOSPC": syscall.ENOSPC, "EFBIG": syscall.EFBIG, "EDQUOT": syscall.EDQUOT, "EIO": syscall.EIO, "EROFS": syscall.EROFS, "EMFILE": syscall.EMFILE}

// open opens a queue that is closed with the test.
func open(t *testing.T, cfg spill.Config) *spill.Queue {
	t.Helper()
	q, err := spill.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() }) // a test of a failing disk closes it itself
	return q
}

// all reads everything that waits.
func all(t *testing.T, q *spill.Queue) []spill.Item {
	t.Helper()
	var out []spill.Item
	for {
		items, err := q.Next(100, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if len(items) == 0 {
			return out
		}
		out = append(out, items...)
	}
}

func values(items []spill.Item) []string {
	var out []string
	for _, it := range items {
		out = append(out, string(it.Value))
	}
	return out
}
