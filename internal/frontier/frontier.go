package frontier

import (
	"sync"
	"time"
)

// A Position is an offset with the leader epoch it was read under.
type Position struct {
	Offset int64
	Epoch  int32 // -1 if the broker did not tell
}

// A Rewind tells that records began again at an offset that had been passed.
type Rewind struct {
	From      int64 // the offset that was expected at least
	To        int64 // the offset that came
	Forgotten int   // records at or above To that were still counted by Open
}

// A Frontier follows one partition. It is safe for concurrent use; the zero
// value is not, use [New].
type Frontier struct {
	marks marks    // what Finish touches
	_     [56]byte // keeps it apart from what Begin writes

	mu   sync.Mutex
	runs []run  // runs[:head] has been passed
	head int    // index of the run that low lies in
	low  uint64 // no open record has a lower number
	next uint64 // the number of the next record
	open int
	end  Position // behind the newest record
	left Ranges   // what an earlier owner finished beyond what was read so far

	seen  uint64    // the value of low when it was last looked at
	since time.Time // when it was first seen to stand there
}

// New returns the frontier of a partition nothing was read from yet.
func New() *Frontier {
	f := &Frontier{}
	f.marks.init()
	return f
}

// Inherit takes over what an earlier owner had finished, before the first
// record begins. Ahead goes on telling of it until it has been read again; what
// is read again begins and is finished like any other record.
func (f *Frontier) Inherit(ahead Ranges) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left = ahead
}

// Begin notes that the records at these positions are being worked on, and
// returns the number to finish the first one by; the others have the numbers
// that follow. It keeps nothing of the slice. The rewind is nil unless a
// position was not above the one before it, in this call or an earlier one:
// what became of the records that had begun there is told by the package.
func (f *Frontier) Begin(batch []Position) (first uint64, back *Rewind) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.advance()
	first = f.next
	f.marks.extend(f.low, f.next+uint64(len(batch)))
	for len(batch) > 0 {
		if f.next > 0 && batch[0].Offset < f.end.Offset {
			back = f.rewind(batch[0].Offset, back)
		}
		n := consecutive(batch)
		f.append(batch[0], n)
		batch = batch[n:]
	}
	return first, back
}

// consecutive returns how many positions follow each other without a gap.
func consecutive(batch []Position) int {
	n := 1
	for n < len(batch) && n < maxRun && batch[n].Offset == batch[0].Offset+int64(n) && batch[n].Epoch == batch[0].Epoch {
		n++
	}
	return n
}

// Finish notes that a record is done. It takes no lock. Finishing one twice, or
// one that a rewind forgot, changes nothing. The number must be from Begin.
func (f *Frontier) Finish(seq uint64) { f.marks.set(seq) }

// Position returns what may be committed: the lowest unfinished record, or the
// offset behind the last one. It reports false while nothing has begun.
func (f *Frontier) Position() (Position, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.look()
	return f.position(), f.next > 0
}

// Open returns how many records lie between the frontier and the newest
// record: those in work and those finished ahead of it.
func (f *Frontier) Open() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.advance()
	return f.open
}

// Head returns the lowest unfinished record, and when the frontier was first
// seen at it. Only Position, Ahead and Head look, so the time is as exact as
// they are called often, and never too early. It reports false while no record
// is open.
func (f *Frontier) Head() (at Position, since time.Time, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.look()
	return f.position(), f.since, f.open > 0
}

// Ahead returns the position that may be committed and, of the same moment,
// what is finished beyond it. While nothing has begun it reports false, and
// returns what was inherited.
func (f *Frontier) Ahead() (Position, Ranges, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.next == 0 {
		return Position{}, f.left, false
	}
	f.look()
	at := f.position()
	return at, f.ahead(at), true
}

// position returns the frontier. The lock is held.
func (f *Frontier) position() Position {
	if f.head == len(f.runs) {
		return f.end
	}
	r := f.runs[f.head]
	return Position{Offset: r.offsetOf(f.low), Epoch: r.epoch}
}

// look moves the frontier and notes when it was first seen where it is. The
// lock is held.
func (f *Frontier) look() {
	f.advance()
	switch {
	case f.open == 0:
		f.since = time.Time{}
	case f.since.IsZero() || f.seen != f.low:
		f.seen, f.since = f.low, time.Now()
	}
}

// advance moves the frontier over what is finished. The lock is held.
func (f *Frontier) advance() {
	for f.head < len(f.runs) {
		r := f.runs[f.head]
		f.low = max(f.low, r.seq)                                  // numbers between runs were forgotten
		to := max(f.low, f.marks.find(f.low, r.endSeq(), pending)) // a rewind may have cut the run below
		f.open -= int(to - f.low)
		f.low = to
		if to < r.endSeq() {
			break
		}
		f.head++
	}
	if f.head == len(f.runs) {
		f.low = f.next
	}
	f.compact()
}

// ahead collects what is finished beyond the frontier. Records that do not
// exist (gaps) are counted to the span they lie in: the fewer spans, the
// shorter is the map. The lock is held.
func (f *Frontier) ahead(at Position) Ranges {
	r := Ranges{At: at.Offset, Epoch: -1}
	apart := true // an unfinished record lies before what comes
	for i, run := range f.runs[f.head:] {
		seq := max(run.seq, f.low)
		if i == 0 {
			seq++ // the frontier itself, which may be finished by now
		}
		for seq < run.endSeq() {
			first := f.marks.find(seq, run.endSeq(), done)
			apart = apart || first > seq
			seq = f.marks.find(first, run.endSeq(), pending)
			if first == seq {
				break
			}
			r.add(Span{First: run.offsetOf(first), End: run.offsetOf(seq-1) + 1}, apart)
			r.Epoch = max(r.Epoch, run.epoch)
			apart = false
		}
	}
	f.bequeath(&r, apart)
	return r
}

// bequeath adds what was inherited and not read so far. The lock is held.
func (f *Frontier) bequeath(r *Ranges, apart bool) {
	unread := max(f.end.Offset, r.At+1)
	for _, s := range f.left.Spans {
		if s.End <= unread {
			continue
		}
		s.First = max(s.First, unread)
		r.add(s, apart || s.First > f.end.Offset)
		r.Epoch = max(r.Epoch, f.left.Epoch)
		apart = true
	}
}
