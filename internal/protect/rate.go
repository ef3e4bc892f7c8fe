package protect

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	maxBurst = 1000             // records, of a rate below ten times as many
	minWait  = time.Millisecond // a high rate hands out several tokens at once, not one for each timer
)

// A Rate bounds how many records a second are handled. What was not used is
// kept for at most a second and at most 1,000 records, or a tenth of a
// second's worth if that is more. It is safe for concurrent use.
type Rate struct {
	wake func()

	mu    sync.Mutex
	limit *rate.Limiter // nil for none
	timer *time.Timer   // set while it is to wake
	ended bool
}

// NewRate returns a rate of so many records a second; zero means no bound. It
// calls wake when a record may pass after it has refused one.
func NewRate(perSecond float64, wake func()) *Rate {
	r := &Rate{wake: wake}
	r.Set(perSecond)
	return r
}

// Try takes one record's share and reports true, or returns how long it will
// be until there is one. However many are refused, wake is called once.
func (r *Rate) Try() (time.Duration, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.limit == nil {
		return 0, true
	}
	now := time.Now()
	if r.limit.AllowN(now, 1) {
		return 0, true
	}
	missing := 1 - r.limit.TokensAt(now)
	wait := max(minWait, time.Duration(missing/float64(r.limit.Limit())*float64(time.Second))+1)
	if r.timer == nil && !r.ended {
		r.timer = time.AfterFunc(wait, r.rouse)
	}
	return wait, false
}

// Set changes the rate; zero means no bound.
func (r *Rate) Set(perSecond float64) {
	r.mu.Lock()
	burst := max(1, int(min(perSecond, max(maxBurst, perSecond/10))))
	switch {
	case perSecond <= 0:
		r.limit = nil
	case r.limit == nil:
		r.limit = rate.NewLimiter(rate.Limit(perSecond), burst)
	default:
		now := time.Now()
		r.limit.SetLimitAt(now, rate.Limit(perSecond))
		r.limit.SetBurstAt(now, burst)
	}
	waits := r.stop()
	r.mu.Unlock()
	if waits {
		r.wake() // the wait may have become shorter
	}
}

// Close stops the timer: nothing is woken any more.
func (r *Rate) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	r.stop()
}

// stop stops the timer and reports whether there was one. The lock is held.
func (r *Rate) stop() bool {
	if r.timer == nil {
		return false
	}
	r.timer.Stop()
	r.timer = nil
	return true
}

func (r *Rate) rouse() {
	r.mu.Lock()
	waits := r.stop()
	r.mu.Unlock()
	if waits {
		r.wake()
	}
}
