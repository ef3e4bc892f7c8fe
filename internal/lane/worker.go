package lane

import "time"

// A turn is the place in the line of a lane or a shard, which embed it.
type turn[T any] struct {
	lane  *queue[T]
	shard *shard[T]
	next  *turn[T]
}

// A line is who can run, in the order in which they became able to.
type line[T any] struct{ first, last *turn[T] }

func (l *line[T]) push(t *turn[T]) {
	if l.last == nil {
		l.first = t
	} else {
		l.last.next = t
	}
	l.last = t
}

func (l *line[T]) pop() *turn[T] {
	t := l.first
	if t == nil {
		return nil
	}
	if l.first = t.next; l.first == nil {
		l.last = nil
	}
	t.next = nil
	return t
}

// hire starts a worker if there is something to run and nobody to run it.
// Workers are started one after the other, each by the one before it: where
// handlers wait, the last comes microseconds after the first, and where they
// are quick there are no more than processors, to whom a crowd that queues for
// the lock would only be in the way. The lock is held.
func (p *Pool[T]) hire() {
	if p.line.first != nil && p.busy < p.workers && !p.starting {
		p.starting = true
		p.busy++
		go p.work()
	}
}

// A worker is what a goroutine has in its hands, so that it can be put down
// should the run function end the goroutine.
type worker[T any] struct {
	lane    *queue[T]
	shard   *shard[T]
	chunk   *chunk[T]
	scratch []T
	retired bool // nothing is left to do, and the lock is held
}

// work runs what is in line until there is nothing or workers are too many.
func (p *Pool[T]) work() {
	var w worker[T]
	p.mu.Lock()
	p.starting = false
	defer p.leave(&w)
	for p.busy <= p.workers {
		t := p.line.pop()
		if t == nil {
			break
		}
		p.hire()
		if t.shard != nil {
			p.sweep(&w, t.shard)
		} else {
			p.serve(&w, t.lane)
		}
	}
	w.retired = true
}

// leave ends a worker. If it is the run function that ended the goroutine, the
// items count as finished and another goroutine takes the worker's place.
func (p *Pool[T]) leave(w *worker[T]) {
	if w.retired {
		p.busy--
		p.mu.Unlock()
		return
	}
	if w.lane == nil && w.chunk == nil {
		return // not in run: a panic with the lock held, which is to end the program
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case w.lane != nil:
		if p.settle(w.lane, nil, Done()) {
			p.line.push(&w.lane.turn)
		}
	default:
		p.part(w.shard, w.chunk, Done())
	}
	go p.work()
}

// serve gives a lane its turn. One item, or one batch, is a turn; while the
// pool is hashed it is as much as can be done in the time that a shard's turn
// may take, so that a busy lane which left its shard can keep up with it. The
// lock is held, and released while items run.
func (p *Pool[T]) serve(w *worker[T], q *queue[T]) {
	var begun time.Time
	var took time.Duration
	timed := p.hashed || p.sample()
	if timed {
		begun = time.Now()
	}
	for {
		items := p.give(w, q)
		p.mu.Unlock()
		v := p.run(q.name, items)
		if timed {
			took = time.Since(begun)
		}
		p.mu.Lock()
		w.lane = nil
		more := p.settle(q, items, v)
		clear(w.scratch)
		if timed {
			p.observe(took)
		}
		if !more {
			return
		}
		if v.next != none || !p.hashed || !timed || took > maxTurn {
			p.line.push(&q.turn)
			return
		}
	}
}
