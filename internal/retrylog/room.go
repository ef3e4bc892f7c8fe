package retrylog

import (
	"context"
	"sync"
)

// A room bounds what is on its way, by count and by bytes. Who does not fit in
// waits behind those who came before.
type room struct {
	maxCount, maxBytes int

	mu      sync.Mutex
	count   int
	bytes   int
	waiting []*waiter
	closed  bool
	empty   chan struct{} // closed once the room is closed and empty
}

type waiter struct {
	bytes int
	in    chan struct{} // closed when let in, or when the room was closed
}

func newRoom(count, bytes int) *room {
	return &room{maxCount: count, maxBytes: bytes, empty: make(chan struct{})}
}

// enter waits until there is room. What is larger than the whole room gets in
// alone.
func (r *room) enter(ctx context.Context, bytes int) error {
	w, err := r.ask(bytes)
	if w == nil {
		return err
	}
	select {
	case <-w.in:
	case <-ctx.Done():
		if r.forget(w) {
			return context.Cause(ctx)
		}
		<-w.in // it was let in just now
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if w.bytes < 0 {
		return ErrClosed
	}
	return nil
}

// ask enters at once, or returns whom to let in later.
func (r *room) ask(bytes int) (*waiter, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, ErrClosed
	}
	bytes = min(bytes, r.maxBytes)
	if len(r.waiting) == 0 && r.fits(bytes) {
		r.take(bytes)
		return nil, nil
	}
	w := &waiter{bytes: bytes, in: make(chan struct{})}
	r.waiting = append(r.waiting, w)
	return w, nil
}

func (r *room) fits(bytes int) bool { return r.count < r.maxCount && r.bytes+bytes <= r.maxBytes }

func (r *room) take(bytes int) {
	r.count++
	r.bytes += bytes
}

// forget takes back a wait. It reports false for one that is over.
func (r *room) forget(w *waiter) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, other := range r.waiting {
		if other == w {
			r.waiting = append(r.waiting[:i], r.waiting[i+1:]...)
			r.admit() // a smaller one may fit
			return true
		}
	}
	return false
}

// leave makes room again.
func (r *room) leave(bytes int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count--
	r.bytes -= min(bytes, r.maxBytes)
	r.admit()
	r.tell()
}

// admit lets in whoever fits, in order. The lock is held.
func (r *room) admit() {
	for len(r.waiting) > 0 && r.fits(r.waiting[0].bytes) {
		r.take(r.waiting[0].bytes)
		close(r.waiting[0].in)
		r.waiting = r.waiting[1:]
	}
}

// tell says that nobody is in and nobody will be. The lock is held.
func (r *room) tell() {
	if r.closed && r.count == 0 {
		close(r.empty)
	}
}

// close turns away those who wait and those who come.
func (r *room) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	r.closed = true
	for _, w := range r.waiting {
		w.bytes = -1
		close(w.in)
	}
	r.waiting = nil
	r.tell()
}

// wait waits until a closed room is empty.
func (r *room) wait() { <-r.empty }
