package lane

import "time"

// A queue is a lane that has a queue of its own. It exists in Pool.lanes while
// it has items; each of its states tells where it is otherwise.
type queue[T any] struct {
	turn[T]
	name       uint64
	head, tail *node[T]
	state      state
	given      int // items from the head on that run
	timer      *time.Timer
	wait       uint64               // counts waits, so that a late timer knows that it is late
	missed     []func(item *T) bool // what Wake was asked for while the head ran
}

type state uint8

const (
	ready   state = iota // it is in line
	running              // a worker has it
	waiting              // a timer or a call brings it back
)

type node[T any] struct {
	next  *node[T]
	value [1]T // an array, to be given to run as it lies
}

// enqueue puts an item into the exact queue of its lane. The lock is held.
func (p *Pool[T]) enqueue(name uint64, value *T) {
	q := p.lanes[name]
	if q == nil {
		q = p.open(name, ready)
		p.line.push(&q.turn)
	}
	p.append(q, value)
}

// open makes a lane an exact one. The lock is held.
func (p *Pool[T]) open(name uint64, st state) *queue[T] {
	q := p.spare.queue()
	q.name, q.state = name, st
	p.lanes[name] = q
	p.marks[mark(name)]++
	return q
}

func (p *Pool[T]) append(q *queue[T], value *T) {
	n := p.spare.node()
	n.value[0] = *value
	if q.tail == nil {
		q.head = n
	} else {
		q.tail.next = n
	}
	q.tail = n
}

// give takes the items of a lane that are to run next: the head as it lies, or
// a copy of the batch. The lock is held.
func (p *Pool[T]) give(w *worker[T], q *queue[T]) []T {
	q.state = running
	q.missed = nil
	w.lane = q
	p.running++
	if p.batch == 1 || q.head.next == nil {
		q.given = 1
		return q.head.value[:]
	}
	w.scratch = w.scratch[:0]
	for n := q.head; n != nil && len(w.scratch) < p.batch; n = n.next {
		w.scratch = append(w.scratch, n.value[0])
	}
	q.given = len(w.scratch)
	return w.scratch
}

// settle acts on the verdict of what a lane has run, and reports whether the
// lane can go on at once; then it is for the caller to put it in line. The
// lock is held.
func (p *Pool[T]) settle(q *queue[T], items []T, v Verdict) bool {
	p.running--
	done := v.finished(q.given)
	for range done {
		n := q.head
		q.head = n.next
		p.spare.keepNode(n)
	}
	p.queued -= done
	if q.head == nil {
		delete(p.lanes, q.name)
		p.marks[mark(q.name)]--
		p.spare.keepQueue(q)
		return false
	}
	for n, i := q.head, done; i < q.given; n, i = n.next, i+1 {
		n.value[0] = items[i] // run may have changed it
	}
	q.state = ready
	if done == q.given || v.next == again && v.after == 0 || q.recalled() {
		return true
	}
	p.suspend(q, v)
	return false
}

// recalled reports whether the head was meant by a call that came while it ran.
func (q *queue[T]) recalled() bool {
	for _, match := range q.missed {
		if match == nil || match(&q.head.value[0]) {
			return true
		}
	}
	return false
}

// suspend makes a lane wait. The lock is held.
func (p *Pool[T]) suspend(q *queue[T], v Verdict) {
	q.state = waiting
	p.waiting++
	q.wait++
	if wait := q.wait; v.next == again {
		q.timer = time.AfterFunc(v.after, func() { p.due(q, wait) })
	}
}

// due brings back a lane whose head has waited its time. A timer that fired
// while the lane was brought back otherwise finds another wait, or none.
func (p *Pool[T]) due(q *queue[T], wait uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if q.state == waiting && q.wait == wait {
		p.resume(q)
		p.hire()
	}
}

// resume puts a lane that waits in line. The lock is held.
func (p *Pool[T]) resume(q *queue[T]) {
	if q.timer != nil {
		q.timer.Stop()
		q.timer = nil
	}
	p.waiting--
	q.state = ready
	p.line.push(&q.turn)
}

// Wake runs the heads that wait and match now, whatever their delay. A head
// that is running is asked when it comes to wait, so that no call is too early
// to be heard. The function is called under the pool's lock: it must not call
// the pool, nor change the item.
func (p *Pool[T]) Wake(match func(item *T) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, q := range p.lanes {
		switch {
		case q.state == running:
			q.missed = append(q.missed, match)
		case q.state == waiting && match(&q.head.value[0]):
			p.resume(q)
		}
	}
	for i := range p.shards {
		p.shards[i].miss(match)
	}
	p.hire()
}

// Release is [Pool.Wake] for the head of one lane, without a look at the
// others. It does nothing for a lane whose head neither waits nor runs.
func (p *Pool[T]) Release(name uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := p.lanes[name]
	switch {
	case q == nil:
		if s := p.of(name); s.runs(name) {
			s.miss(nil)
		}
	case q.state == running:
		q.missed = append(q.missed, nil)
	case q.state == waiting:
		p.resume(q)
		p.hire()
	}
}
