package lane

import (
	"math/bits"
	"runtime"
	"sync"
)

// An Item is a piece of work and the lane that it belongs to.
type Item[T any] struct {
	Lane  uint64
	Value T
}

// A Pool runs the items of many lanes with a bounded number of workers. It is
// safe for concurrent use.
type Pool[T any] struct {
	run func(lane uint64, items []T) Verdict

	mu       sync.Mutex
	workers  int
	batch    int
	busy     int  // workers that exist
	starting bool // one of them has not begun yet
	line     line[T]
	lanes    map[uint64]*queue[T]
	marks    [1 << markBits]int32 // how many of lanes there are for each mark: mostly none, to be seen without a lookup
	spare    spare[T]

	hashed bool
	shards []shard[T]
	shift  int
	gauge  gauge

	queued  int // items, running ones included, less those of sweeps under way that are finished
	running int // calls of run
	waiting int // lanes whose head waits
}

// Stats is what a pool holds at a moment.
type Stats struct {
	Queued   int  // items in all lanes, running and waiting ones included
	Lanes    int  // lanes with a queue of their own; a shard that has items counts as one
	Running  int  // calls of the run function
	Waiting  int  // lanes whose head waits
	Mode     Mode // how it queues
	Switches int  // how often Mode has changed
}

// A Mode is a way to queue; the package tells of both.
type Mode uint8

// The modes of a pool.
const (
	Exact Mode = iota
	Hashed
)

func (m Mode) String() string {
	if m == Hashed {
		return "hashed"
	}
	return "exact"
}

// New returns a pool that runs items with at most the given number of workers
// at once.
//
// The run function gets the items of one lane: exactly one, unless [Pool.Batch]
// allows more. It may change them, and finds them so when they run again, but
// must not keep the slice. It may call the pool, and two calls for one lane
// never overlap.
func New[T any](workers int, run func(lane uint64, items []T) Verdict) *Pool[T] {
	width := bits.Len(uint(2*runtime.GOMAXPROCS(0) - 1)) // the next power of two
	p := &Pool[T]{
		run:     run,
		workers: max(workers, 1),
		batch:   1,
		lanes:   make(map[uint64]*queue[T]),
		shards:  make([]shard[T], 1<<width),
		shift:   64 - width,
	}
	for i := range p.shards {
		p.shards[i].turn.shard = &p.shards[i]
	}
	p.gauge.proof = minProof
	return p
}

// Add queues items, each behind the others of its lane. It keeps nothing of
// the slice.
func (p *Pool[T]) Add(items []Item[T]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queued += len(items)
	if p.hashed {
		for i := range items {
			p.shard(items[i].Lane, &items[i].Value)
		}
	} else {
		for i := range items {
			p.enqueue(items[i].Lane, &items[i].Value)
		}
	}
	p.hire()
}

// Resize changes the number of workers. Items that run are not disturbed:
// workers that are too many leave as they finish.
func (p *Pool[T]) Resize(workers int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.workers = max(workers, 1)
	p.hire()
}

// Batch lets the run function have up to n consecutive items of a lane at
// once, as many as are queued when the lane's turn comes.
func (p *Pool[T]) Batch(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.batch = max(n, 1)
	if p.batch > 1 && p.hashed {
		p.toExact()
		p.hire()
	}
}

// Stats returns what the pool holds.
func (p *Pool[T]) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := Stats{
		Queued:   p.queued,
		Lanes:    len(p.lanes),
		Running:  p.running,
		Waiting:  p.waiting,
		Switches: p.gauge.switches,
	}
	if p.hashed {
		s.Mode = Hashed
	}
	for i := range p.shards {
		if sh := &p.shards[i]; sh.current != nil || sh.first != nil {
			s.Lanes++
			s.Queued -= sh.current.finished()
		}
	}
	return s
}
