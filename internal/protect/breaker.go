package protect

import (
	"sync"
	"sync/atomic"
	"time"
)

// A State is what a breaker does with records.
type State uint8

// The states. A new breaker is closed.
const (
	Closed   State = iota // all pass
	HalfOpen              // a few probes pass
	Open                  // none passes
)

// String returns the state as metrics and messages name it.
func (s State) String() string { return [...]string{"closed", "half-open", "open"}[s] }

// A Result is what an attempt says about what the handler depends on. The
// caller judges: a record that is rejected, or cut short by a shutdown, says
// nothing.
type Result uint8

// The results.
const (
	Neutral Result = iota // says nothing
	Success
	Failure
	Tripped // the handler asks for the breaker to open
)

// A BreakerConfig bounds a [Breaker].
type BreakerConfig struct {
	// Failures is how many in a row open the breaker. Zero means that only
	// Tripped and [Breaker.Trip] open it.
	Failures int

	// Open is how long nothing passes once it has opened.
	//
	// Defaults to 1 minute.
	Open time.Duration

	// Probes is how many records pass while it is half open, and how many
	// must succeed to close it.
	//
	// Defaults to 1.
	Probes int
}

func (c BreakerConfig) withDefaults() BreakerConfig {
	if c.Open <= 0 {
		c.Open = time.Minute
	}
	c.Probes = max(c.Probes, 1)
	return c
}

// A Breaker lets nothing pass for a while once too many attempts in a row have
// failed, and then only probes until they have shown that the trouble is over.
//
// An attempt counts for the state that it began in: what was under way when
// the breaker opened neither closes it nor opens it again. A closed breaker
// costs an atomic load for each attempt. It is safe for concurrent use.
type Breaker struct {
	changed func(from, to State)
	wake    func()

	// word is the state in its lowest two bits and above them how often it
	// has changed. Only holders of mu write it.
	word     atomic.Uint64
	failures atomic.Int64 // in a row

	mu     sync.Mutex
	cfg    BreakerConfig
	probes int // running
	good   int // probes that succeeded
	timer  *time.Timer
	until  time.Time
	ended  bool

	// What is to be told once the lock is free.
	changes [][2]State
	telling bool // somebody is at it, and tells what comes up meanwhile
	rouse   bool
}

// NewBreaker returns a closed breaker. It calls changed after each change of
// its state, one at a time and in order, and wake when something may pass that
// did not before. No lock is held meanwhile. Both may be nil.
func NewBreaker(cfg BreakerConfig, changed func(from, to State), wake func()) *Breaker {
	if changed == nil {
		changed = func(State, State) {}
	}
	if wake == nil {
		wake = func() {}
	}
	return &Breaker{cfg: cfg.withDefaults(), changed: changed, wake: wake}
}

// A Permit is the leave to make one attempt.
type Permit struct{ word uint64 }

// State returns what the breaker does now.
func (b *Breaker) State() State { return State(b.word.Load() & 3) }

// Until returns when an open breaker lets probes pass; the zero time for one
// that is not open.
func (b *Breaker) Until() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.State() != Open {
		return time.Time{}
	}
	return b.until
}

// Allow asks for an attempt. Whoever gets a permit must return it with
// [Breaker.Done].
func (b *Breaker) Allow() (Permit, bool) {
	word := b.word.Load()
	if State(word&3) == Closed {
		return Permit{word}, true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	word = b.word.Load()
	switch State(word & 3) {
	case Closed:
		return Permit{word}, true
	case HalfOpen:
		if b.probes+b.good < b.cfg.Probes {
			b.probes++
			return Permit{word}, true
		}
	}
	return Permit{}, false
}

// Done returns a permit and says how the attempt went.
func (b *Breaker) Done(p Permit, r Result) {
	if b.word.Load() == p.word && State(p.word&3) == Closed {
		switch r {
		case Neutral:
			return
		case Success:
			if b.failures.Load() != 0 {
				b.failures.Store(0)
			}
			return
		}
	}
	b.mu.Lock()
	defer b.unlock()
	if b.word.Load() != p.word {
		return // it began under another state
	}
	probe := State(p.word&3) == HalfOpen
	if probe {
		b.probes--
	}
	switch {
	case r == Tripped, r == Failure && probe:
		b.become(Open)
	case r == Failure:
		if n := b.failures.Add(1); b.cfg.Failures > 0 && n >= int64(b.cfg.Failures) {
			b.become(Open)
		}
	case probe && r == Success:
		if b.good++; b.good >= b.cfg.Probes {
			b.become(Closed)
		}
	case probe:
		b.rouse = true // another may take its place
	}
}

// undo returns a permit that was not used. It wakes nobody: the gate that could
// not use it wakes whoever was refused meanwhile, and to wake them now would be
// to ask without end.
func (b *Breaker) undo(p Permit) {
	if State(p.word&3) == Closed {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.word.Load() == p.word {
		b.probes--
	}
}

// Trip opens the breaker, for its full time if it is open already.
func (b *Breaker) Trip() {
	b.mu.Lock()
	defer b.unlock()
	b.become(Open)
}

// Set changes the bounds. They apply from the next change of state on.
func (b *Breaker) Set(cfg BreakerConfig) {
	b.mu.Lock()
	defer b.unlock()
	b.cfg = cfg.withDefaults()
	b.rouse = true // there may be room for more probes
}

// Close stops the breaker's timer. A breaker that is open stays so.
func (b *Breaker) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	b.stop()
}

// become changes the state. The lock is held.
func (b *Breaker) become(to State) {
	b.stop()
	from, word := b.State(), b.word.Load()
	b.failures.Store(0)
	b.probes, b.good = 0, 0
	b.word.Store((word>>2+1)<<2 | uint64(to))
	if to == Open && !b.ended {
		b.until = time.Now().Add(b.cfg.Open)
		next := b.word.Load()
		b.timer = time.AfterFunc(b.cfg.Open, func() { b.halfOpen(next) })
	}
	if from != to {
		b.changes = append(b.changes, [2]State{from, to})
	}
	b.rouse = b.rouse || to != Open
}

// unlock frees the lock and tells what has happened under it: callers hold
// locks of their own while they ask, so that they cannot be called back from
// within.
func (b *Breaker) unlock() {
	for !b.telling && len(b.changes) > 0 {
		c := b.changes[0]
		b.changes = b.changes[1:]
		b.telling = true
		b.mu.Unlock()
		b.changed(c[0], c[1])
		b.mu.Lock()
		b.telling = false
	}
	rouse := b.rouse
	b.rouse = false
	b.mu.Unlock()
	if rouse {
		b.wake()
	}
}

func (b *Breaker) stop() {
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil
	}
}

// halfOpen ends the time that the breaker was open, unless it was tripped anew
// while the timer fired.
func (b *Breaker) halfOpen(word uint64) {
	b.mu.Lock()
	defer b.unlock()
	if b.word.Load() == word && !b.ended {
		b.become(HalfOpen)
	}
}
