package spill

import "sync"

// A result is what becomes of a request.
type result struct {
	done func(error)
	err  error
}

// results calls back in order, from a goroutine that neither holds the writer up
// nor is held up by it.
type results struct {
	mu    sync.Mutex
	queue []result
	wake  chan struct{}
	ended chan struct{}
}

func newResults() *results {
	r := &results{wake: make(chan struct{}, 1), ended: make(chan struct{})}
	go r.run()
	return r
}

func (r *results) push(res result) {
	r.mu.Lock()
	r.queue = append(r.queue, res)
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// close returns once all were called.
func (r *results) close() {
	close(r.wake)
	<-r.ended
}

func (r *results) run() {
	defer close(r.ended)
	for more := true; more; {
		_, more = <-r.wake
		r.mu.Lock()
		queue := r.queue
		r.queue = nil
		r.mu.Unlock()
		for _, res := range queue {
			res.done(res.err)
		}
	}
}
