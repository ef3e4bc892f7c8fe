// Package lane runs work in order per key and in parallel across keys.
//
// A lane is the queue of one key. The item at its head is the only one of the
// key that may run; when it is finished the next one takes its place. Lanes
// that can run wait in one list, first come first served, for a bounded number
// of workers, so a key with a thousand items gets no more turns than a key
// with one. A head that must wait (a retry's delay) holds no worker: its lane
// leaves the list and a timer brings it back.
//
// A lane exists only while it holds items, and a worker only while there is
// something to run: an idle pool is no goroutine. Nothing here knows Kafka.
// Taking work back (a revoked partition) is the caller's: it makes its run
// function return [Done] for what it no longer wants and calls [Pool.Wake] for
// the lanes that wait.
package lane

import (
	"sync"
	"time"
)

// A Verdict is what became of the head of a lane.
type Verdict struct {
	again bool
	after time.Duration
}

// Done is the verdict of an item that is finished.
func Done() Verdict { return Verdict{} }

// Again is the verdict of an item that stays at the head of its lane and runs
// again, not before the delay is over.
func Again(after time.Duration) Verdict { return Verdict{again: true, after: after} }

// A Pool runs the items of many lanes with a bounded number of workers. It is
// safe for concurrent use.
type Pool[K comparable, T any] struct {
	run func(K, *T) Verdict

	mu      sync.Mutex
	workers int
	busy    int // workers that run
	lanes   map[K]*queue[K, T]
	ready   []*queue[K, T] // runnable lanes, in the order they became so
	free    *queue[K, T]   // unused lanes, to spare allocations
	queued  int            // items in all lanes, running ones included
}

type queue[K comparable, T any] struct {
	key   K
	items []T
	head  int
	waits bool // the head waits for its timer
	timer *time.Timer
	turn  uint64       // counts waits, so that a late timer knows that it is late
	next  *queue[K, T] // in the free list
}

// New returns a pool that runs items with at most the given number of workers
// at once. The run function gets a pointer to the item, so that an item can
// keep state (its attempt) between runs.
func New[K comparable, T any](workers int, run func(K, *T) Verdict) *Pool[K, T] {
	return &Pool[K, T]{run: run, workers: max(workers, 1), lanes: make(map[K]*queue[K, T])}
}

// Add queues an item behind the others of its key.
func (p *Pool[K, T]) Add(key K, item T) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := p.lanes[key]
	if q == nil {
		q = p.take(key)
		p.lanes[key] = q
	}
	q.items = append(q.items, item)
	p.queued++
	if len(q.items)-q.head == 1 {
		p.schedule(q)
	}
}

// take returns an unused lane for a key. The lock is held.
func (p *Pool[K, T]) take(key K) *queue[K, T] {
	q := p.free
	if q == nil {
		return &queue[K, T]{key: key}
	}
	p.free = q.next
	*q = queue[K, T]{key: key, items: q.items[:0], turn: q.turn}
	return q
}

// schedule puts a lane at the end of the ready list and sees that a worker
// comes for it. The lock is held.
func (p *Pool[K, T]) schedule(q *queue[K, T]) {
	p.ready = append(p.ready, q)
	if p.busy < p.workers {
		p.busy++
		go p.work()
	}
}

// work runs ready lanes until there are none.
func (p *Pool[K, T]) work() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.ready) > 0 {
		q := p.ready[0]
		p.ready[0] = nil
		p.ready = p.ready[1:]
		item := q.items[q.head]
		p.mu.Unlock()
		v := p.run(q.key, &item)
		p.mu.Lock()
		p.settle(q, item, v)
	}
	p.busy--
}

// settle acts on the verdict of a lane's head. The lock is held.
func (p *Pool[K, T]) settle(q *queue[K, T], item T, v Verdict) {
	if !v.again {
		p.advance(q)
		return
	}
	q.items[q.head] = item
	if v.after <= 0 {
		p.schedule(q)
		return
	}
	q.waits = true
	q.turn++
	turn := q.turn
	q.timer = time.AfterFunc(v.after, func() { p.due(q, turn) })
}

// advance removes the finished head of a lane. The lock is held.
func (p *Pool[K, T]) advance(q *queue[K, T]) {
	var zero T
	q.items[q.head] = zero
	q.head++
	p.queued--
	if q.head < len(q.items) {
		q.compact()
		p.schedule(q)
		return
	}
	delete(p.lanes, q.key)
	if cap(q.items) <= 64 {
		var none K
		q.key = none // it may hold on to more than itself
		q.next, p.free = p.free, q
	}
}

// compact drops the part of a lane that is done once it is the larger one: a
// lane under constant load may never be empty.
func (q *queue[K, T]) compact() {
	if q.head < 64 || q.head*2 < len(q.items) {
		return
	}
	n := copy(q.items, q.items[q.head:])
	clear(q.items[n:])
	q.items, q.head = q.items[:n], 0
}

// due makes a lane runnable again whose head has waited its time. A timer that
// fired while Wake was at work finds that its turn is over.
func (p *Pool[K, T]) due(q *queue[K, T], turn uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if q.turn == turn {
		p.wake(q)
	}
}

func (p *Pool[K, T]) wake(q *queue[K, T]) {
	if !q.waits {
		return
	}
	q.waits = false
	q.turn++
	if q.timer != nil {
		q.timer.Stop()
		q.timer = nil
	}
	p.schedule(q)
}

// Wake runs the waiting heads of the lanes whose key matches now.
func (p *Pool[K, T]) Wake(match func(K) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, q := range p.lanes {
		if match(key) {
			p.wake(q)
		}
	}
}

// Len returns the number of items that are queued or running.
func (p *Pool[K, T]) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.queued
}
