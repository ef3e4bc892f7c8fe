package protect

import (
	"math/bits"
	"sync/atomic"
	"unsafe"
)

const (
	fewestPlaces = 64
	maxProbes    = 8
	mostPlaces   = 1 << 16 // beyond them a subject may go unwatched
	minSize      = 4       // bits: no two subjects lie closer together

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
	at := int(spread(subject) >> t.shift)
	for i := range maxProbes {
		p := &t.place[(at+i)&(len(t.place)-1)]
		if p.Load() == nil && p.CompareAndSwap(nil, subject) {
			return p
		}
	}
	return nil
}

// spread returns a number that differs from subject to subject: where it is.
// Nothing is wrong if two are alike.
func spread[T any](subject *T) uint64 {
	return uint64(uintptr(unsafe.Pointer(subject))>>minSize) * oddly //nolint:gosec // a hint: the address is never made a pointer again
}
