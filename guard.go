package slipway

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/protect"
)

// A guard stands between an entry's records and its handler: the contract's
// breaker, bulkhead and rate, what an operator holds, and the timeout. All of
// it changes while the service runs.
type guard struct {
	gate    *protect.Gate
	dog     *protect.Watchdog[attempt]
	gated   atomic.Bool                         // the gate may refuse
	timeout atomic.Int64                        // of an attempt
	paused  atomic.Bool                         // by an operator
	keys    atomic.Pointer[map[string]struct{}] // held by an operator

	mu      sync.Mutex // of what follows
	workers int
	rate    float64
}

// newGuard makes what the contract asks for. Wake is called when something that
// was refused may pass.
func newGuard(c *contract.Consume, wake func(), changed func(from, to protect.State)) *guard {
	cfg := protect.Config{Bulkhead: c.Bulkhead, Rate: float64(c.Rate), Wake: wake, Changed: changed}
	g := &guard{workers: c.Concurrency, rate: float64(c.Rate)}
	if b := c.Breaker; b != nil {
		cfg.Breaker = protect.BreakerConfig{Failures: b.Failures, Open: b.Open, Probes: b.Probes}
		g.gated.Store(true)
	}
	if c.Bulkhead > 0 || c.Rate > 0 {
		g.gated.Store(true)
	}
	g.gate = protect.NewGate(cfg)
	g.timeout.Store(int64(c.Timeout))
	return g
}

// admit asks whether a record may be handled now. Where it may not it stays at
// the head of its lane, without a worker and without an attempt, until the
// guard wakes it.
func (e *entry) admit(c *consumer, p *partition, key []byte) (call, bool) {
	begun := call{consumer: c, entry: e, parent: p.ctx, sends: c.newSends()}
	if e.paused.Load() || c.lease.over.Load() {
		return begun, false
	}
	if e.holds(key) {
		return begun, false
	}
	if e.gated.Load() {
		if begun.pass, begun.gated = e.gate.Enter(); !begun.gated {
			return begun, false
		}
	}
	begun.began = e.clock.now()
	return begun, true
}

// holds reports whether an operator holds a key.
func (g *guard) holds(key []byte) bool {
	keys := g.keys.Load()
	if keys == nil {
		return false
	}
	_, held := (*keys)[string(key)]
	return held
}

// end says how the attempt went.
func (c call) end(attempt int, err error) {
	if c.gated {
		result := resultOf(err)
		if err != nil && c.parent.Err() != nil {
			result = protect.Neutral // cut short
		}
		c.entry.gate.Leave(c.pass, result)
	}
	if m := c.entry.meter; m.timing() {
		m.attempted(c.span, c.entry.clock.now()-c.began, attempt, err != nil)
	}
}

// waits reports whether records wait because somebody wants them to.
func (g *guard) waits() bool {
	return g.paused.Load() || g.keys.Load() != nil || g.gate.Breaker().State() == protect.Open
}

// resultOf judges an attempt for the breaker: what is the record's own fault
// says nothing of what the handler depends on.
func resultOf(err error) protect.Result {
	switch {
	case err == nil:
		return protect.Success
	case is[*trip](err):
		return protect.Tripped
	case is[*rejection](err), is[*undecodable](err), is[*skip](err), is[*parked](err), !Retryable(err):
		return protect.Neutral
	default:
		return protect.Failure
	}
}

// next is how long a record waits after a failure, and false when that was its
// last attempt.
func next(r contract.Retry, failed int, since time.Duration) (time.Duration, bool) {
	if failed >= r.Attempts() {
		return 0, false
	}
	wait := r.Wait(failed, rand.Float64)
	if budget := r.Budget(); budget > 0 && since+wait > budget {
		return 0, false
	}
	return wait, true
}
