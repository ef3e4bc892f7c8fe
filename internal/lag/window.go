package lag

import (
	"slices"
	"time"
)

const (
	// MinSamples is how many samples it takes to call something slow or
	// stalled.
	MinSamples = 3

	// DefaultSamples is how many samples a window judges if it is not told.
	DefaultSamples = 10
)

// None is the offset of a group that has committed nothing.
const None = -1

// A Sample is what was seen of a partition at one time.
type Sample struct {
	At time.Time

	// Committed is the group's offset, [None] if it has none.
	Committed int64

	// Start and End are the log's: the first record that is there, and the
	// one after the last.
	Start, End int64

	// Vacant says that no member of the group holds the partition.
	Vacant bool
}

// Records is how many records the group has yet to finish. A group without a
// commit has the whole log before it; so has one whose offset was deleted.
func (s Sample) Records() int64 {
	return max(0, s.End-max(s.Committed, s.Start))
}

// astray reports whether the committed offset is not one of the log.
func (s Sample) astray() bool {
	return s.Committed != None && (s.Committed < s.Start || s.Committed > s.End)
}

// A Window is the last samples of one partition. The zero value judges
// [DefaultSamples]; make another with [NewWindow]. It is not safe for
// concurrent use.
type Window struct {
	size    int
	samples []Sample
	ends    trail
}

// NewWindow returns a window that judges the last size samples, at least
// [MinSamples].
func NewWindow(size int) *Window { return &Window{size: max(size, MinSamples)} }

// Add takes one more sample. One that is not younger than the last takes the
// last one's place, so that time never runs backwards in a window.
func (w *Window) Add(s Sample) {
	if n := len(w.samples); n > 0 && !s.At.After(w.samples[n-1].At) {
		s.At = w.samples[n-1].At
		w.samples = w.samples[:n-1]
	}
	w.samples = append(w.samples, s)
	size := w.size
	if size == 0 {
		size = DefaultSamples
	}
	if extra := len(w.samples) - size; extra > 0 {
		w.samples = slices.Delete(w.samples, 0, extra)
	}
	w.ends.add(s.At, s.End, max(s.Committed, s.Start))
}

// Since tells that the log ended at an offset at a time before the first sample,
// which whoever dates the record at the committed offset knows. It does nothing
// where that is known already.
func (w *Window) Since(at time.Time, end int64) { w.ends.begin(at, end) }

// Last is the youngest sample, and whether there is one.
func (w *Window) Last() (Sample, bool) {
	if len(w.samples) == 0 {
		return Sample{}, false
	}
	return w.samples[len(w.samples)-1], true
}

// Status judges the window. See the package's documentation for the rules.
func (w *Window) Status() Status {
	last, ok := w.Last()
	switch {
	case !ok:
		return Unsure
	case last.astray():
		return Err
	case last.Records() == 0:
		return OK
	case w.any(func(a, b Sample) bool { return b.Committed < a.Committed }):
		return Rewind
	case slices.ContainsFunc(w.samples, func(s Sample) bool { return s.Records() == 0 }):
		return OK
	case last.Vacant && w.still():
		return Stop
	case len(w.samples) < MinSamples:
		return Unsure
	case w.still():
		return Stall
	case !w.any(func(a, b Sample) bool { return b.Records() < a.Records() }):
		return Warn
	}
	return OK
}

// any reports whether it holds of two neighbours.
func (w *Window) any(holds func(earlier, later Sample) bool) bool {
	for i := 1; i < len(w.samples); i++ {
		if holds(w.samples[i-1], w.samples[i]) {
			return true
		}
	}
	return false
}

// still reports that the committed offset did not move.
func (w *Window) still() bool {
	return !w.any(func(a, b Sample) bool { return a.Committed != b.Committed })
}

// Seconds is how long ago, at the last sample, the oldest unfinished record was
// appended. It is 0 if there is none. If the record was there before the window
// first looked, or the commit is unknown, the answer is the least that it can
// be, and exact is false.
func (w *Window) Seconds() (seconds float64, exact bool) {
	last, ok := w.Last()
	if !ok {
		return 0, false
	}
	if last.Records() == 0 {
		return 0, true
	}
	appended, exact := w.ends.passed(max(last.Committed, last.Start))
	return max(0, last.At.Sub(appended).Seconds()), exact
}
