package proc

import (
	"cmp"
	"context"
	"fmt"
	"time"
)

// A Policy says how often something that keeps ending is started again. The
// zero Policy is the default one.
type Policy struct {
	// First is the pause after the first end; it doubles with every further
	// one. Defaults to 1 second.
	First time.Duration

	// Longest bounds the pause. What ran for that long starts over with
	// First. Defaults to 30 seconds.
	Longest time.Duration

	// Limit is how many ends within Window are too many. Defaults to 5.
	Limit int

	// Window defaults to one minute.
	Window time.Duration
}

func (p Policy) withDefaults() Policy {
	p.First = cmp.Or(p.First, time.Second)
	p.Longest = cmp.Or(p.Longest, 30*time.Second)
	p.Limit = cmp.Or(p.Limit, 5)
	p.Window = cmp.Or(p.Window, time.Minute)
	return p
}

// An Exit is one end of what [Keep] keeps running.
type Exit struct {
	Err   error         // what it returned; nil for a clean end
	Ran   time.Duration // how long it had run
	Pause time.Duration // until it is started again; zero when given up
}

// A GivenUpError is why [Keep] no longer starts something.
type GivenUpError struct {
	Exits  int           // how many ends there were
	Within time.Duration // in how long
	Last   error         // what the last one returned; nil for a clean end
}

func (e *GivenUpError) Error() string {
	if e.Last == nil {
		return fmt.Sprintf("ended %d times within %v", e.Exits, e.Within)
	}
	return fmt.Sprintf("ended %d times within %v, the last time with: %v", e.Exits, e.Within, e.Last)
}

func (e *GivenUpError) Unwrap() error { return e.Last }

// Keep runs run again whenever it returns, after a pause, and tells exited of
// each end. It returns ctx's cause when ctx is cancelled, once run returned,
// and a [*GivenUpError] when run ends too often. A clean end counts like any
// other: what is kept is meant to run.
func Keep(ctx context.Context, policy Policy, run func(context.Context) error, exited func(Exit)) error {
	h := history{policy: policy.withDefaults()}
	for {
		began := time.Now()
		err := run(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		now := time.Now()
		pause, ok := h.next(began, now)
		exited(Exit{Err: err, Ran: now.Sub(began), Pause: pause})
		if !ok {
			return &GivenUpError{Exits: len(h.ends), Within: h.policy.Window, Last: err}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}

// A history decides on restarts from the ends so far.
type history struct {
	policy Policy
	ends   []time.Time // those within the window
	pause  time.Duration
}

// next returns the pause before the next start, and false to give up.
func (h *history) next(began, ended time.Time) (time.Duration, bool) {
	for len(h.ends) > 0 && ended.Sub(h.ends[0]) > h.policy.Window {
		h.ends = h.ends[1:]
	}
	if h.ends = append(h.ends, ended); len(h.ends) >= h.policy.Limit {
		return 0, false
	}
	if h.pause *= 2; h.pause == 0 || ended.Sub(began) >= h.policy.Longest {
		h.pause = h.policy.First
	}
	h.pause = min(h.pause, h.policy.Longest)
	return h.pause, true
}
