package lane

import "time"

const (
	sampling = 3       // one in 1<<sampling runs is measured while the pool is exact
	minProof = 4096    // how many quick items make the pool hashed, at first
	maxProof = 1 << 20 // and at most, after it had to turn back

	shardCost = 1250 * time.Nanosecond // of an item, for each shard, up to maxQuick
	maxQuick  = 20 * time.Microsecond  // the mean of quick items, however many shards
	tolerance = 4                      // how much slower they may be once the pool is hashed
	exactCost = 400 * time.Nanosecond  // of an item, without its handler, while exact
	maxDebt   = 4 * time.Millisecond   // what each shard may fall behind

	glance  = time.Millisecond       // how often the timer looks at the sweeps
	maxTurn = 100 * time.Microsecond // of an exact lane, while others are hashed
)

// A gauge is what a pool knows of how fast it is.
type gauge struct {
	switches int
	proof    int // how many quick items make the pool hashed

	runs    int // while exact, since the proof began
	samples int
	spent   time.Duration // in the samples

	swept    int // items that sweeps have claimed and ended with
	timer    *time.Timer
	watching bool
	looked   time.Time     // when the timer looked last
	seen     int           // what was claimed then
	entered  int           // what was swept when the pool became hashed
	slow     time.Duration // what shards have fallen behind by being busy
	still    time.Duration // and by standing still
}

// sample reports whether the next run is to be measured, which is while the
// pool is exact and may become hashed. The lock is held.
func (p *Pool[T]) sample() bool {
	if p.batch > 1 {
		return false
	}
	p.gauge.runs++
	return uint64(p.gauge.runs)*scatter>>(64-sampling) == 0 // evenly, but in step with nothing
}

// quick returns the mean time of an item below which hashed queues finish more
// than exact ones. Where shards are no fewer than workers they always do, and
// the bound is that items of one lane should not hold up others.
func (p *Pool[T]) quick() time.Duration {
	if p.workers <= len(p.shards) {
		return maxQuick
	}
	return min(times(len(p.shards), shardCost), maxQuick)
}

// observe takes in how long a sample took. The lock is held.
func (p *Pool[T]) observe(d time.Duration) {
	if p.hashed {
		return
	}
	g := &p.gauge
	if d >= glance {
		g.runs, g.samples, g.spent = 0, 0, 0
		return
	}
	g.samples++
	g.spent += d
	if g.runs < g.proof {
		return
	}
	mean := g.spent / time.Duration(g.samples)
	g.runs, g.samples, g.spent = 0, 0, 0
	if mean < p.quick() && p.running <= 2*len(p.shards) {
		p.toHashed()
	}
}

// toHashed sends new items to the shards.
func (p *Pool[T]) toHashed() {
	p.hashed = true
	p.gauge.switches++
	p.gauge.entered = p.gauge.swept
	p.gauge.slow, p.gauge.still = 0, 0
}

// toExact sends new items to exact queues, behind all that are there. The lock
// is held.
func (p *Pool[T]) toExact() {
	p.hashed = false
	g := &p.gauge
	g.switches++
	g.runs, g.samples, g.spent = 0, 0, 0
	for i := range p.shards {
		s := &p.shards[i]
		if s.current != nil {
			p.steal(s)
		}
		for s.first != nil {
			c := s.shift()
			for i := c.from; i < c.n; i++ {
				p.enqueue(c.names[i], &c.values[i])
			}
			p.spare.keepChunk(c)
		}
	}
	if g.swept-g.entered < 64*g.proof {
		g.proof = min(2*g.proof, maxProof)
	} else {
		g.proof = minProof
	}
}

// watch sees that the timer looks at the sweep that begins. The lock is held.
func (p *Pool[T]) watch() {
	g := &p.gauge
	if g.watching {
		return
	}
	g.watching = true
	g.looked = time.Now()
	g.seen = g.swept
	if g.timer == nil {
		g.timer = time.AfterFunc(glance, p.look)
		return
	}
	g.timer.Reset(glance)
}

// look ends the sweeps that have not moved since the last look, and keeps
// account of all.
func (p *Pool[T]) look() {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := &p.gauge
	busy, stalled, claimed := 0, 0, g.swept
	for i := range p.shards {
		s := &p.shards[i]
		c := s.current
		if c == nil {
			continue
		}
		busy++
		claimed += c.claimed()
		at := int(c.position.Load())
		if at == c.seen {
			stalled++
			p.steal(s)
		} else {
			c.seen = at
		}
	}
	now := time.Now()
	p.account(busy, stalled, claimed-g.seen, min(now.Sub(g.looked), 2*glance))
	g.looked, g.seen = now, claimed
	if g.watching = busy > 0; g.watching {
		g.timer.Reset(glance)
	}
	p.hire()
}

// account draws the balance of the time between two looks. What shards were
// busy with is held against the items they claimed twice: all of it against
// what an item may cost while hashed, and sweeps that stood still, for two
// looks or nearly, against what it would cost if it were exact.
func (p *Pool[T]) account(busy, stalled, items int, d time.Duration) {
	g := &p.gauge
	shards := len(p.shards)
	g.slow = max(0, g.slow+times(busy, d)-times(tolerance*items, p.quick()))
	g.still = max(0, g.still+times(2*stalled, d)-times(shards*items, exactCost))
	if p.hashed && max(g.slow, g.still) > times(shards, maxDebt) {
		p.toExact()
	}
}

func times(n int, d time.Duration) time.Duration { return time.Duration(n) * d }
