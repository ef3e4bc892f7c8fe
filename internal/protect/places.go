package protect

import (
	"math/bits"
	"sync/atomic"
	"unsafe"
)

const (
	fewestPlaces = 64
	maxProbes    = 8
	minStack     = 11 // bits: no two goroutines have stacks closer together

	oddly = 0x9E3779B97F4A7C15 // an odd constant near 2⁶⁴/φ spreads what lies close together
)

// places is a table of what runs. One that was too small goes on to hold what
// has a place in it.
type places[T any] struct {
	place   []place[T]
	shift   int
	smaller *places[T]
}

// A place holds a subject, or nothing. Processors do not share a line of the
// cache.
type place[T any] struct {
	atomic.Pointer[T]
	_ [56]byte
}

func newPlaces[T any](smaller *places[T]) *places[T] {
	n := fewestPlaces
	if smaller != nil {
		n = 4 * len(smaller.place)
	}
	return &places[T]{place: make([]place[T], n), shift: 64 - bits.TrailingZeros(uint(n)), smaller: smaller}
}

// take finds a free place, nil if there is none nearby.
func (t *places[T]) take(subject *T) *place[T] {
	at := int(goroutine() >> t.shift)
	for i := range maxProbes {
		p := &t.place[(at+i)&(len(t.place)-1)]
		if p.Load() == nil && p.CompareAndSwap(nil, subject) {
			return p
		}
	}
	return nil
}

// goroutine returns a number that is most likely the same for calls of one
// goroutine and another one for calls of others: where its stack is. Nothing is
// wrong if it is not.
func goroutine() uint64 {
	var here byte
	return uint64(uintptr(unsafe.Pointer(&here))>>minStack) * oddly //nolint:gosec // a hint: the address is never made a pointer again
}
