package lane

import "sync/atomic"

const (
	chunkSize = 256
	taken     = 1 << 30 // the position of a chunk that was taken from its worker
	markBits  = 12
	scatter   = 0x9E3779B97F4A7C15 // a factor that spreads what differs little: 2^64 by the golden ratio
)

// A shard is the queue of all lanes that hash to it. One worker at a time
// sweeps it, a chunk in each turn.
type shard[T any] struct {
	turn        turn[T]
	first, last *chunk[T] // what waits
	current     *chunk[T] // what is swept
	inLine      bool      // it is in line, or swept
	missed      []func(item *T) bool
	missedAt    int // which item of current missed them
}

// A chunk is a stretch of a shard. Its worker claims one item after the other
// by raising the position; raising it out of reach takes away what the worker
// has not claimed. Everything else changes under the pool's lock, and nothing
// while it is swept.
type chunk[T any] struct {
	position atomic.Int64 // of the first item that is not claimed
	seen     int          // the position at the timer's last look, -1 for none
	from, n  int
	next     *chunk[T]
	orphan   *queue[T] // the lane of the item that ran when the chunk was taken
	at       int       // that item
	names    [chunkSize]uint64
	values   [chunkSize]T
}

// claimed returns how many items were claimed in this sweep.
func (c *chunk[T]) claimed() int { return min(int(c.position.Load()), c.n) - c.from }

// finished returns how many items a sweep that is under way has finished.
func (c *chunk[T]) finished() int {
	if c == nil {
		return 0
	}
	at := int(c.position.Load())
	if at > c.n {
		return c.n - c.from
	}
	return max(at-1-c.from, 0)
}

// of returns the shard that a lane hashes to.
func (p *Pool[T]) of(name uint64) *shard[T] {
	return &p.shards[name*scatter>>p.shift]
}

// mark returns which of Pool.marks counts a lane.
func mark(name uint64) uint64 { return name * scatter << 8 >> (64 - markBits) }

// shard puts an item into the shard of its lane. The lock is held.
func (p *Pool[T]) shard(name uint64, value *T) {
	s := p.of(name)
	c := s.last
	if c == nil || c.n == chunkSize {
		c = p.spare.chunk()
		if s.last == nil {
			s.first = c
		} else {
			s.last.next = c
		}
		s.last = c
		if !s.inLine {
			s.inLine = true
			p.line.push(&s.turn)
		}
	}
	c.names[c.n] = name
	c.values[c.n] = *value
	c.n++
}

// shift takes the first chunk from those that wait.
func (s *shard[T]) shift() *chunk[T] {
	c := s.first
	if s.first = c.next; s.first == nil {
		s.last = nil
	}
	c.next = nil
	return c
}

// claim begins a sweep of the next chunk, after the items of lanes that left
// the shard have been passed on. The lock is held.
func (p *Pool[T]) claim(s *shard[T]) *chunk[T] {
	for s.first != nil {
		c := s.shift()
		if p.pass(c); c.n > c.from {
			c.position.Store(int64(c.from))
			c.seen = -1
			s.current = c
			s.missed = nil
			p.running++
			p.watch()
			return c
		}
		p.spare.keepChunk(c)
	}
	s.inLine = false
	return nil
}

// pass moves the items of lanes that have a queue of their own to it.
func (p *Pool[T]) pass(c *chunk[T]) {
	if len(p.lanes) == 0 {
		return
	}
	kept := c.from
	for i := c.from; i < c.n; i++ {
		if p.marks[mark(c.names[i])] > 0 {
			if q := p.lanes[c.names[i]]; q != nil {
				p.append(q, &c.values[i])
				continue
			}
		}
		if kept != i {
			c.names[kept], c.values[kept] = c.names[i], c.values[i]
		}
		kept++
	}
	clear(c.values[kept:c.n])
	c.n = kept
}

// sweep gives a shard its turn. The lock is held, and released while items run.
func (p *Pool[T]) sweep(w *worker[T], s *shard[T]) {
	c := p.claim(s)
	if c == nil {
		return
	}
	w.shard, w.chunk = s, c
	p.mu.Unlock()
	v := p.through(c)
	p.mu.Lock()
	w.chunk = nil
	p.part(s, c, v)
}

// through runs the items of a chunk until there are no more, or one is not
// done.
func (p *Pool[T]) through(c *chunk[T]) Verdict {
	for n := int64(c.n); ; {
		i := c.position.Add(1) - 1
		if i >= n {
			return Done()
		}
		if v := p.run(c.names[i], c.values[i:i+1:i+1]); v.finished(1) == 0 {
			return v
		}
	}
}

// part ends a sweep with the verdict of the item that it ended at. The lock is
// held.
func (p *Pool[T]) part(s *shard[T], c *chunk[T], v Verdict) {
	own := s.current == c
	if own && int(c.position.Load()) > c.n { // all were done
		s.current = nil
		p.running--
		p.queued -= c.n - c.from
		p.gauge.swept += c.n - c.from
		p.spare.keepChunk(c)
		p.follow(s)
		return
	}
	if own {
		p.detach(s)
	}
	if q := c.orphan; q != nil {
		c.orphan = nil
		if p.settle(q, c.values[c.at:c.at+1], v) {
			p.line.push(&q.turn)
		}
		clear(c.values[c.at : c.at+1])
	}
	if own {
		p.unshift(s, c)
		p.follow(s)
	}
}

// unshift puts the rest of a chunk back to where it was taken from.
func (p *Pool[T]) unshift(s *shard[T], c *chunk[T]) {
	if c.from == c.n {
		p.spare.keepChunk(c)
		return
	}
	if c.next = s.first; c.next == nil {
		s.last = c
	}
	s.first = c
}

// follow puts a shard that is not swept any more in line, if it holds items.
func (p *Pool[T]) follow(s *shard[T]) {
	if s.inLine = s.first != nil; s.inLine {
		p.line.push(&s.turn)
	}
}

// steal takes a chunk from the worker that sweeps it and gives its lanes, of
// which one is held up or more, queues of their own. The lock is held.
func (p *Pool[T]) steal(s *shard[T]) {
	c := s.current
	if !p.detach(s) {
		return
	}
	for i := c.from; i < c.n; i++ {
		p.enqueue(c.names[i], &c.values[i])
	}
	clear(c.values[c.from:c.n])
	p.follow(s)
}

// detach ends the sweep of a shard and makes the lane of the item that runs an
// exact one. The rest of the chunk is the caller's. It reports false, and does
// nothing, if the sweep is at its end anyway. The lock is held.
func (p *Pool[T]) detach(s *shard[T]) bool {
	c := s.current
	at := int(c.position.Swap(taken))
	if at > c.n {
		return false
	}
	s.current = nil
	p.gauge.swept += at - c.from
	if at == c.from { // the worker has not begun, and will find nothing
		p.running--
		return true
	}
	p.queued -= at - c.from - 1
	c.from, c.at = at, at-1
	q := p.open(c.names[c.at], running)
	q.given = 1
	p.append(q, new(T)) // what it stands for is with the worker
	if s.missedAt == at {
		q.missed = s.missed
	}
	c.orphan = q
	return true
}

// runs reports whether an item of a lane is running in the shard's sweep.
func (s *shard[T]) runs(name uint64) bool {
	c := s.current
	if c == nil {
		return false
	}
	at := int(c.position.Load())
	return at > c.from && at <= c.n && c.names[at-1] == name
}

// miss notes that the item which is running was called back, if it should come
// to wait.
func (s *shard[T]) miss(match func(item *T) bool) {
	if s.current == nil {
		return
	}
	if at := int(s.current.position.Load()); at != s.missedAt {
		s.missed, s.missedAt = nil, at
	}
	s.missed = append(s.missed, match)
}
