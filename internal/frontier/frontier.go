// Package frontier knows how far a partition has been finished.
//
// Records of a partition begin in the order of their offsets and finish in any
// order. The frontier is the lowest offset that has not finished: the only
// offset that may be committed, because everything below it is done and the
// record at it is not. Offsets may have gaps (compaction, transaction markers):
// only what began counts.
package frontier

import "sync"

// A Frontier follows one partition. It is safe for concurrent use; the zero
// value is not, use [New].
type Frontier struct {
	mu    sync.Mutex
	base  uint64  // the sequence number of open[head]
	head  int     // open[:head] has been passed
	open  []entry // in offset order
	next  Position
	begun bool
}

// A Position is an offset with the leader epoch it was read under.
type Position struct {
	Offset int64
	Epoch  int32
}

type entry struct {
	at   Position
	done bool
}

// New returns the frontier of a partition nothing was read from yet.
func New() *Frontier { return &Frontier{} }

// Begin notes that the record at a position is being worked on, and returns
// the number to finish it by. Positions must begin in ascending offset order.
func (f *Frontier) Begin(at Position) uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	seq := f.base + uint64(len(f.open)-f.head)
	f.open = append(f.open, entry{at: at})
	f.next = Position{Offset: at.Offset + 1, Epoch: at.Epoch}
	f.begun = true
	return seq
}

// Finish notes that a record is done. Finishing one twice changes nothing.
func (f *Frontier) Finish(seq uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := f.head + int(seq-f.base)
	if seq < f.base || i >= len(f.open) {
		return
	}
	f.open[i].done = true
	for f.head < len(f.open) && f.open[f.head].done {
		f.head++
		f.base++
	}
	f.compact()
}

// compact drops the passed part once it is more than half of the slice, so
// that memory follows what is open and not what was ever read.
func (f *Frontier) compact() {
	if f.head < 64 || f.head*2 < len(f.open) {
		return
	}
	n := copy(f.open, f.open[f.head:])
	f.open = f.open[:n]
	f.head = 0
}

// Position returns what may be committed: the lowest unfinished record, or the
// offset behind the last one. It reports false while nothing has begun.
func (f *Frontier) Position() (Position, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.begun {
		return Position{}, false
	}
	if f.head < len(f.open) {
		return f.open[f.head].at, true
	}
	return f.next, true
}

// Open returns how many records lie between the frontier and the newest
// record: those in work and those finished ahead of it.
func (f *Frontier) Open() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.open) - f.head
}
