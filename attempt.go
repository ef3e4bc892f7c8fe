package slipway

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/trace"
)

// An attempt is the context of one call of a handler. It ends with the
// contract's timeout, with its partition, and when the handler has returned.
//
// Most handlers are done long before their timeout and many never look at
// their context, so the timer is made when somebody asks for it: until then an
// attempt costs no more than its place in memory.
type attempt struct {
	partition *partition    // whose context is the parent of this one
	rec       *kgo.Record   // the first one of a batch
	id        string        // that the record is known by, of an entry that finds it in the value
	fails     int           // attempts before this one
	many      bool          // it is a batch's, and no single record's
	kept      atomic.Bool   // something keeps the record's id, see Delivery
	began     time.Duration // by the entry's clock
	limit     time.Duration // by the entry's clock
	sends     *sends        // what a transaction is to hold; nil without one, and for a batch
	span      trace.Span    // its own; nil where there are no traces
	real      atomic.Pointer[armed]
}

// armed is a real context, made by the first look that needs it.
type armed struct {
	context.Context
	cancel context.CancelFunc
}

var _ context.Context = (*attempt)(nil)

// over is what an attempt is armed with once its handler has returned.
var over = func() *armed {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return &armed{ctx, cancel}
}()

// A clock tells how long it runs. That is all a record needs to know, and half
// as dear as the time of day.
type clock struct{ began time.Time }

func newClock() *clock { return &clock{time.Now()} }

func (c *clock) now() time.Duration { return time.Since(c.began) }

func (a *attempt) begin(c *call, w *work) {
	a.partition, a.rec, a.fails, a.began = w.partition, w.rec, w.failed(), c.began
	a.limit = c.began + time.Duration(w.partition.entry.timeout.Load())
	if c.span != nil { // seldom, and a pointer that is written costs the collector
		a.span = c.span
	}
}

// run calls the handler under the watchdog's eyes.
func (a *attempt) run(handler func()) { a.partition.entry.dog.Watch(a, handler) }

// end cancels what was derived from the attempt.
func (a *attempt) end() {
	if !a.real.CompareAndSwap(nil, over) {
		a.real.Load().cancel()
	}
}

// arm makes the real context.
func (a *attempt) arm() *armed {
	if ctx := a.real.Load(); ctx != nil {
		return ctx
	}
	ctx, cancel := context.WithDeadlineCause(a.partition.ctx, a.deadline(), ErrTimeout)
	if a.real.CompareAndSwap(nil, &armed{ctx, cancel}) {
		return a.real.Load()
	}
	cancel()
	return a.real.Load()
}

func (a *attempt) deadline() time.Time { return a.partition.entry.clock.began.Add(a.limit) }

// Deadline implements [context.Context].
func (a *attempt) Deadline() (time.Time, bool) {
	own := a.deadline()
	if at, ok := a.partition.ctx.Deadline(); ok && at.Before(own) {
		return at, true
	}
	return own, true
}

// Done implements [context.Context].
func (a *attempt) Done() <-chan struct{} { return a.arm().Done() }

// Err implements [context.Context]. It arms the context once there is
// something to tell, so that context.Cause finds the cause.
func (a *attempt) Err() error {
	if ctx := a.real.Load(); ctx != nil {
		return ctx.Err()
	}
	if a.partition.ctx.Err() != nil || a.partition.entry.clock.now() >= a.limit {
		return a.arm().Err()
	}
	return nil
}

// Value implements [context.Context].
func (a *attempt) Value(key any) any {
	if key == (sendsKey{}) && a.sends != nil {
		return a.sends
	}
	if key == (deliveryKey{}) && !a.many {
		return a
	}
	if key == spanKey {
		if a.span != nil {
			return a.span
		}
		if !a.many {
			return spanOf(a.rec)
		}
	}
	if ctx := a.real.Load(); ctx != nil && ctx != over {
		return ctx.Value(key)
	}
	return a.partition.ctx.Value(key)
}
