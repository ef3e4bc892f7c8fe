package protect

import (
	"sync"
	"sync/atomic"
	"time"
)

// lookApart is how long a watchdog rests between two looks.
const lookApart = 100 * time.Millisecond

// A WatchdogConfig says what a [Watchdog] watches and whom it tells. T is the
// caller's own record of the work, of which there is a new one for each call.
type WatchdogConfig[T any] struct {
	// Due is when a subject is overdue. It must not change.
	Due func(*T) time.Time

	// Report is told of each subject that is overdue, once.
	Report func(Overdue[T])

	// Returned is told of each subject that was reported and has come back
	// after all, always after its report. Neither may call the watchdog.
	Returned func(*T)
}

// A Watchdog knows which handlers run, and reports each that runs longer than
// it may.
//
// A call takes a place in a table by one change of memory and gives it back by
// another. Where it looks for one first depends on its goroutine, so that a
// worker uses the same place again and again, which no other processor has
// touched meanwhile. The table grows as more run at a time. There is a timer
// only while something runs. It is safe for concurrent use.
type Watchdog[T any] struct {
	cfg    WatchdogConfig[T]
	told   *T // stands in a place whose subject was reported
	armed  atomic.Bool
	places atomic.Pointer[places[T]]

	mu    sync.Mutex
	late  map[*T]struct{} // reported, and not back
	timer *time.Timer
	ended bool
}

// An Overdue is a handler that runs longer than it may.
type Overdue[T any] struct {
	Subject *T

	// Stack is where its goroutine is; "" if that could not be found out.
	Stack string
}

// NewWatchdog returns a watchdog.
func NewWatchdog[T any](cfg WatchdogConfig[T]) *Watchdog[T] {
	w := &Watchdog[T]{cfg: cfg, told: new(T), late: make(map[*T]struct{})}
	w.places.Store(newPlaces[T](nil))
	return w
}

// Watch calls run, the work of a subject, and reports it if it is overdue. No
// two calls may have the same subject.
func (w *Watchdog[T]) Watch(subject *T, run func()) {
	at := w.enter(subject)
	defer w.leave(at, subject)
	hold(subject, run)
}

// Late returns what was reported and has not come back.
func (w *Watchdog[T]) Late() []*T {
	w.mu.Lock()
	defer w.mu.Unlock()
	var late []*T
	for subject := range w.late {
		late = append(late, subject)
	}
	return late
}

// Close stops the watchdog: nothing is reported any more.
func (w *Watchdog[T]) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	if w.timer != nil {
		w.timer.Stop()
	}
}

// enter takes a place for a subject.
func (w *Watchdog[T]) enter(subject *T) *place[T] {
	t := w.places.Load()
	at := t.take(subject)
	for at == nil && len(t.place) < mostPlaces {
		t = w.grow(t)
		at = t.take(subject)
	}
	if at == nil {
		return nil
	}
	if !w.armed.Load() {
		w.arm(subject)
	}
	return at
}

// leave gives a place back.
func (w *Watchdog[T]) leave(at *place[T], subject *T) {
	if at == nil || at.CompareAndSwap(subject, nil) {
		return
	}
	w.mu.Lock() // the report that this answers is made under the lock
	defer w.mu.Unlock()
	at.Store(nil)
	delete(w.late, subject)
	w.cfg.Returned(subject)
}

// grow makes a larger table, unless somebody has.
func (w *Watchdog[T]) grow(full *places[T]) *places[T] {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now := w.places.Load(); now != full {
		return now
	}
	larger := newPlaces(full)
	w.places.Store(larger)
	return larger
}

// arm sees that there will be a look when a subject is overdue.
func (w *Watchdog[T]) arm(subject *T) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended || w.armed.Swap(true) {
		return
	}
	w.wait(time.Until(w.cfg.Due(subject)))
}

func (w *Watchdog[T]) wait(d time.Duration) {
	if d = max(d, lookApart); w.timer == nil {
		w.timer = time.AfterFunc(d, w.look)
		return
	}
	w.timer.Reset(d)
}

// look reports what is overdue, and comes again as long as anything else runs.
func (w *Watchdog[T]) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return
	}
	next, runs := w.scan()
	if !runs {
		w.armed.Store(false)
		// What began before that saw the watchdog armed.
		if next, runs = w.scan(); !runs {
			return
		}
		w.armed.Store(true)
	}
	w.wait(time.Until(next))
}

// scan reports what is overdue and returns when the next one will be. The lock
// is held.
func (w *Watchdog[T]) scan() (next time.Time, runs bool) {
	now := time.Now()
	var dump stacks
	for t := w.places.Load(); t != nil; t = t.smaller {
		for i := range t.place {
			at := &t.place[i]
			subject := at.Load()
			if subject == nil || subject == w.told {
				continue
			}
			if due := w.cfg.Due(subject); due.After(now) {
				if !runs || due.Before(next) {
					next, runs = due, true
				}
				continue
			}
			if !at.CompareAndSwap(subject, w.told) {
				next, runs = now, true // it came back just now, and another may have come
				continue
			}
			w.late[subject] = struct{}{}
			w.cfg.Report(Overdue[T]{subject, dump.working(subject)})
		}
	}
	return next, runs
}
