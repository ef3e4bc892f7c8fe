package frontier

import "slices"

// A Span is the offsets from First up to, and without, End.
type Span struct{ First, End int64 }

// Ranges are what is finished ahead of a committed offset. The zero value has
// nothing finished.
type Ranges struct {
	// At is the committed offset. It is not finished itself.
	At int64

	// Epoch is the highest leader epoch of the finished records, -1 if brokers
	// did not tell. A record of a higher epoch was written after the log had
	// been cut: it is another record than the one that had its offset.
	Epoch int32

	// Spans are in ascending order, above At, and do not touch.
	Spans []Span
}

// Contains reports whether a record was finished. It costs one comparison for
// records above the last span.
func (r Ranges) Contains(at Position) bool {
	n := len(r.Spans)
	if n == 0 || at.Offset >= r.Spans[n-1].End || r.Epoch >= 0 && at.Epoch > r.Epoch {
		return false
	}
	i, _ := slices.BinarySearchFunc(r.Spans, at.Offset, func(s Span, offset int64) int {
		if s.End <= offset {
			return -1
		}
		return 1
	})
	return r.Spans[i].First <= at.Offset
}

// Len returns how many offsets are finished. Where the log has gaps inside a
// span these are more than there are records.
func (r Ranges) Len() int {
	n := int64(0)
	for _, s := range r.Spans {
		n += s.End - s.First
	}
	return int(n)
}

// End returns the offset behind the last finished one, or At if there is none.
func (r Ranges) End() int64 {
	if len(r.Spans) == 0 {
		return r.At
	}
	return r.Spans[len(r.Spans)-1].End
}

// add appends a span, or, unless an unfinished record lies in between, extends
// the last one.
func (r *Ranges) add(s Span, apart bool) {
	if last := len(r.Spans) - 1; last >= 0 && !apart {
		r.Spans[last].End = s.End
		return
	}
	r.Spans = append(r.Spans, s)
}
