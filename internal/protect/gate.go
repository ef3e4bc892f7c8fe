package protect

// A Config bounds a [Gate]. The zero Config lets everything pass.
type Config struct {
	// Breaker is when nothing passes because too much has failed.
	Breaker BreakerConfig

	// Bulkhead is how many handlers run at a time; zero means no bound.
	Bulkhead int

	// Changed is called after each change of the breaker's state, one at a
	// time and in order. It may be nil.
	Changed func(from, to State)

	// Rate is how many records a second pass; zero means no bound.
	Rate float64

	// Wake is called when something may pass after something was refused. It
	// may be called without need, from any goroutine, and must not block.
	Wake func()
}

// A Gate is what stands before the handlers of one consumed entry. It is safe
// for concurrent use.
type Gate struct {
	breaker  *Breaker
	bulkhead *Bulkhead
	rate     *Rate
}

// NewGate returns a gate with the given bounds.
func NewGate(cfg Config) *Gate {
	wake := cfg.Wake
	if wake == nil {
		wake = func() {}
	}
	return &Gate{
		breaker:  NewBreaker(cfg.Breaker, cfg.Changed, wake),
		bulkhead: NewBulkhead(cfg.Bulkhead, wake),
		rate:     NewRate(cfg.Rate, wake),
	}
}

// A Pass is the leave to handle one record, or one batch.
type Pass struct{ permit Permit }

// Enter asks to handle a record. Whoever gets a pass must return it with
// [Gate.Leave]; whoever does not, asks again after the next wake. Nothing is
// spent on a refusal.
func (g *Gate) Enter() (Pass, bool) {
	permit, ok := g.breaker.Allow()
	if !ok {
		return Pass{}, false
	}
	if !g.bulkhead.Try() {
		g.breaker.undo(permit)
		return Pass{}, false
	}
	if _, ok := g.rate.Try(); !ok {
		g.bulkhead.undo()
		g.breaker.undo(permit)
		return Pass{}, false
	}
	return Pass{permit}, true
}

// Leave returns a pass and says how the attempt went.
func (g *Gate) Leave(p Pass, r Result) {
	g.breaker.Done(p.permit, r)
	g.bulkhead.Release()
}

// Breaker returns the gate's breaker, to look at, trip or change.
func (g *Gate) Breaker() *Breaker { return g.breaker }

// Bulkhead returns the gate's bulkhead, to look at or change.
func (g *Gate) Bulkhead() *Bulkhead { return g.bulkhead }

// Rate returns the gate's rate, to change.
func (g *Gate) Rate() *Rate { return g.rate }

// Close stops the gate's timers. What is refused from then on is woken by
// nothing.
func (g *Gate) Close() {
	g.breaker.Close()
	g.rate.Close()
}
