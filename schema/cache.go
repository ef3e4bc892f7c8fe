package schema

import (
	"context"
	"sync"
)

// cache keeps answers that never change and lets concurrent callers share one
// request, which must end by itself. Failures are not kept.
type cache[K comparable, V any] struct {
	mu      sync.Mutex
	known   map[K]V
	flights map[K]*flight[V]
}

type flight[V any] struct {
	done  chan struct{}
	value V
	err   error
}

// get returns the value of a key, asking for it at most once at a time. A
// caller who gives up leaves alone; the request goes on for the others.
func (c *cache[K, V]) get(ctx context.Context, key K, ask func(context.Context) (V, error)) (V, error) {
	c.mu.Lock()
	if v, ok := c.known[key]; ok {
		c.mu.Unlock()
		return v, nil
	}
	f, ok := c.flights[key]
	if !ok {
		f = c.depart(ctx, key, ask)
	}
	c.mu.Unlock()

	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
		var zero V
		return zero, context.Cause(ctx)
	}
}

// depart starts the request. The caller holds the lock.
func (c *cache[K, V]) depart(ctx context.Context, key K, ask func(context.Context) (V, error)) *flight[V] {
	if c.known == nil {
		c.known, c.flights = make(map[K]V), make(map[K]*flight[V])
	}
	f := &flight[V]{done: make(chan struct{})}
	c.flights[key] = f
	go func() {
		f.value, f.err = ask(context.WithoutCancel(ctx))
		c.land(key, f)
	}()
	return f
}

func (c *cache[K, V]) land(key K, f *flight[V]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.flights, key)
	if f.err == nil {
		c.known[key] = f.value
	}
	close(f.done)
}
