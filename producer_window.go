package slipway

import (
	"context"
	"fmt"
	"time"

	"github.com/slipway-go/slipway/diag"
)

// A window is a span of time whose records share one context: a sixteenth of
// the timeout, so that a timeout costs no timer for each record.
type window struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	began  time.Time
}

// What a timeout is divided into.
const windowsOfTimeout = 16

func (q *pipe) span() time.Duration { return q.timeout / windowsOfTimeout }

// leastSettling is longer than the client waits between two attempts, which is
// when it looks whether it should give up.
const leastSettling = 6 * time.Second

// settling is how long before a timeout is over the client is told to begin no
// attempt any more. What it surely did not write it gives back in that time, and
// the sender learns that it was not written. What it may have written is told to
// be uncertain when the timeout is over.
func (q *pipe) settling() time.Duration { return max(q.timeout/8, min(leastSettling, q.timeout/2)) }

// windowAt is the window of what comes at a time. The lock is held.
func (q *pipe) windowAt(now time.Time) *window {
	if w := q.window; w != nil && now.Sub(w.began) < q.span() {
		return w
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	q.window = &window{ctx, cancel, now}
	q.windows = append(q.windows, q.window)
	return q.window
}

// arm has the timer go off when there is something to see to. The lock is held.
func (q *pipe) arm() {
	if q.armed || q.closed {
		return
	}
	q.armed = true
	wait := min(q.span(), awayAfter)
	if q.timer == nil {
		q.timer = time.AfterFunc(wait, q.tick)
		return
	}
	q.timer.Reset(wait)
}

// tick looks after what is not acknowledged.
func (q *pipe) tick() {
	now := time.Now()
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return
	}
	q.armed = false
	q.endWindows(now)
	gone := false
	if q.first != nil && !q.away && now.Sub(q.first.since) >= awayAfter {
		q.away, gone = true, true
	}
	late := q.overdue(now)
	if q.first != nil {
		q.rearm(now)
	}
	waiting := len(q.waiting)
	q.mu.Unlock()
	if gone {
		q.link.log.Warn("the cluster acknowledges nothing", "code", diag.ProducerAway, "topic", q.physical, "for", awayAfter, "waiting", waiting)
	}
	for _, p := range late {
		p.rec = nil // the client still has it
		p.tell(fmt.Errorf("%w within %v", ErrUnacknowledged, q.timeout))
	}
}

// endWindows ends the windows that are to settle now, all of them if nothing is
// left in them. The lock is held.
func (q *pipe) endWindows(now time.Time) {
	keep := q.windows[:0]
	for _, w := range q.windows {
		if q.first != nil && now.Sub(w.began) < q.timeout-q.settling() {
			keep = append(keep, w)
			continue
		}
		w.cancel(ErrDeliveryTimeout)
		if w == q.window {
			q.window = nil
		}
	}
	clear(q.windows[len(keep):])
	q.windows = keep
}

// overdue returns what is to be told that nobody knows, and marks it. The lock
// is held.
func (q *pipe) overdue(now time.Time) []*sending {
	var late []*sending
	for p := q.first; p != nil && now.Sub(p.since) >= q.timeout; p = p.next {
		if !p.told && !p.patient {
			p.told = true
			late = append(late, p)
		}
	}
	q.counts.uncertain.Add(int64(len(late)))
	return late
}

// rearm sets the timer to the next thing that is due: the age at which the
// cluster counts as away, a window's end, a record's. The lock is held.
func (q *pipe) rearm(now time.Time) {
	q.arm()
	next := q.span()
	until := func(t time.Time) { next = min(next, max(t.Sub(now), q.timeout/1000)) }
	if !q.away {
		until(q.first.since.Add(awayAfter))
	}
	for p := q.first; p != nil; p = p.next {
		if !p.told && !p.patient {
			until(p.since.Add(q.timeout))
			break
		}
	}
	q.timer.Reset(next)
}
