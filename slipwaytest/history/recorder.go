package history

import (
	"io"
	"slices"
	"sync"
	"time"
)

// A Recorder collects the events of one process. Its zero value keeps them in
// memory; [NewRecorder] also writes them out as they come. A Recorder is safe
// for concurrent use.
type Recorder struct {
	mu     sync.Mutex
	events []Event
	last   time.Time
	w      io.Writer
	err    error
}

// NewRecorder returns a Recorder that writes each event to w as one line of
// JSON, in one Write and before Add returns. With an *os.File opened for
// appending, what was added survives the kill of the process, though not the
// loss of the machine: nothing is synced.
func NewRecorder(w io.Writer) *Recorder { return &Recorder{w: w} }

// Add appends an event.
func (r *Recorder) Add(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
	if r.w != nil && r.err == nil {
		r.err = writeLine(r.w, e)
	}
}

// Begin notes that a handler starts with a record and returns what must be
// called with the outcome when it ends. Start and End are filled in from
// [Recorder.Now]. If the process dies in between, the effect stays
// [Indefinite].
func (r *Recorder) Begin(e Effect) (end func(Outcome)) {
	e.Start, e.End, e.Outcome = r.Now(), time.Time{}, Indefinite
	r.Add(e)
	return func(o Outcome) {
		e.End, e.Outcome = r.Now(), o
		r.Add(e)
	}
}

// Now returns the time, later by at least a nanosecond than whatever it
// returned before. Handlers that run in no time at all, as they do under a
// virtual clock, still have an order then.
func (r *Recorder) Now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now().Round(0)
	if !now.After(r.last) {
		now = r.last.Add(1)
	}
	r.last = now
	return now
}

// Events returns a copy of what was added so far, in that order.
func (r *Recorder) Events() []Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}

// Err returns the first error met while writing. Nothing is written after it;
// the events in memory stay complete.
func (r *Recorder) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}
