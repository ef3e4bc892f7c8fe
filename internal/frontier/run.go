package frontier

import "math"

const maxRun = math.MaxInt32

// A run is records with consecutive offsets and numbers.
type run struct {
	seq    uint64 // the number of the first record
	offset int64
	n      uint32
	epoch  int32
}

func (r run) endSeq() uint64            { return r.seq + uint64(r.n) }
func (r run) endOffset() int64          { return r.offset + int64(r.n) }
func (r run) offsetOf(seq uint64) int64 { return r.offset + int64(seq-r.seq) }
func (r run) follows(to Position, n int) bool {
	return r.endOffset() == to.Offset && r.epoch == to.Epoch && int64(r.n)+int64(n) <= maxRun
}

// append notes n records from a position on. The lock is held.
func (f *Frontier) append(at Position, n int) {
	last := len(f.runs) - 1
	if last >= f.head && f.runs[last].endSeq() == f.next && f.runs[last].follows(at, n) {
		f.runs[last].n += uint32(n)
	} else {
		f.runs = append(f.runs, run{seq: f.next, offset: at.Offset, n: uint32(n), epoch: at.Epoch})
	}
	if at.Epoch > f.left.Epoch && f.left.Epoch >= 0 || f.end.Offset >= f.left.End() {
		f.left = Ranges{} // the log was cut before what was inherited, or it has all been read
	}
	f.next += uint64(n)
	f.open += n
	f.end = Position{Offset: at.Offset + int64(n), Epoch: at.Epoch}
}

// rewind forgets the records at and above an offset. Their numbers stay unused,
// so finishing one of them does nothing. Of several rewinds in one batch it
// tells where the first came from, and the lowest offset. The lock is held.
func (f *Frontier) rewind(to int64, earlier *Rewind) *Rewind {
	back := earlier
	if back == nil {
		back = &Rewind{From: f.end.Offset, To: to}
	}
	back.To = min(back.To, to)
	f.left = Ranges{}
	for last := len(f.runs) - 1; last >= f.head && f.runs[last].endOffset() > to; last-- {
		r := &f.runs[last]
		keep := max(to-r.offset, 0)
		forgotten := int(r.endSeq() - max(f.low, r.seq+uint64(keep)))
		back.Forgotten += forgotten
		f.open -= forgotten
		r.n = uint32(keep)
		if keep > 0 {
			break
		}
		f.runs = f.runs[:last]
	}
	return back
}

// compact drops the passed runs once they are more than half of the slice, so
// that memory follows what is open and not what was ever read. The lock is
// held.
func (f *Frontier) compact() {
	if f.head < len(f.runs) && (f.head < 64 || f.head*2 < len(f.runs)) {
		return
	}
	n := copy(f.runs, f.runs[f.head:])
	f.runs, f.head = f.runs[:n], 0
}
