package protect

import "sync/atomic"

// A Bulkhead bounds how many handlers run at a time. It is safe for concurrent
// use.
type Bulkhead struct {
	wake    func()
	limit   atomic.Int64 // 0 for none
	used    atomic.Int64
	refused atomic.Bool // since the last wake
}

// NewBulkhead returns a bulkhead with room for so many; zero means no bound.
// It calls wake when there is room again after it has refused one.
func NewBulkhead(limit int, wake func()) *Bulkhead {
	b := &Bulkhead{wake: wake}
	b.limit.Store(int64(max(limit, 0)))
	return b
}

// Try takes a place if there is one. Whoever gets it must give it back with
// [Bulkhead.Release].
func (b *Bulkhead) Try() bool {
	if b.take() {
		return true
	}
	b.refused.Store(true)
	return b.take() // a place given back just now has woken nobody
}

func (b *Bulkhead) take() bool {
	for {
		used, limit := b.used.Load(), b.limit.Load()
		if limit > 0 && used >= limit {
			return false
		}
		if b.used.CompareAndSwap(used, used+1) {
			return true
		}
	}
}

// Release gives a place back.
func (b *Bulkhead) Release() {
	if b.used.Add(-1) < 0 {
		panic("protect: a place of a bulkhead was given back twice")
	}
	b.rouse()
}

// undo gives back a place that was not used, and wakes nobody as [Breaker.undo]
// does not.
func (b *Bulkhead) undo() { b.used.Add(-1) }

// Set changes the bound; zero means none. Those that run beyond a smaller one
// finish.
func (b *Bulkhead) Set(limit int) {
	b.limit.Store(int64(max(limit, 0)))
	b.rouse()
}

// Limit returns the bound, zero for none.
func (b *Bulkhead) Limit() int { return int(b.limit.Load()) }

// Used returns how many places are taken.
func (b *Bulkhead) Used() int { return int(b.used.Load()) }

func (b *Bulkhead) rouse() {
	if b.refused.Load() && b.refused.Swap(false) {
		b.wake()
	}
}
