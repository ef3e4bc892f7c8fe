package frontier

import (
	"math/bits"
	"sync/atomic"
)

const (
	chunkWords   = 16
	chunkRecords = 64 * chunkWords
)

// marks tell of each number whether it is finished. Setting one is free of
// locks; everything else is done under the frontier's.
//
// The ring is found through a pointer because it grows. A chunk that a full
// ring moved out of is still the same chunk in the larger one, so it does not
// matter through which of the two a record is finished.
type marks struct {
	ring atomic.Pointer[ring]
	end  uint64 // chunks exist up to this one
}

// A ring holds chunk n at n modulo its length, a power of two.
type ring []atomic.Pointer[chunk]

type chunk struct {
	number uint64
	words  [chunkWords]atomic.Uint64
}

// state is what find looks for: a word, XORed with it, has ones where it is.
type state uint64

const (
	done    state = 0
	pending state = 1<<64 - 1
)

func (m *marks) init() {
	r := make(ring, 2)
	m.ring.Store(&r)
}

func (r ring) slot(n uint64) *atomic.Pointer[chunk] { return &r[n&uint64(len(r)-1)] }

// set marks a number as finished. A number whose chunk has been passed was
// finished before.
func (m *marks) set(seq uint64) {
	n := seq / chunkRecords
	if c := m.ring.Load().slot(n).Load(); c != nil && c.number == n {
		c.words[seq/64%chunkWords].Or(1 << (seq % 64))
	}
}

// extend makes chunks for the numbers below end. Those below low are no longer
// needed.
func (m *marks) extend(low, end uint64) {
	first, last := low/chunkRecords, (end+chunkRecords-1)/chunkRecords
	if need := last - first; need > uint64(len(*m.ring.Load())) {
		m.grow(first, need)
	}
	r := *m.ring.Load()
	for ; m.end < last; m.end++ {
		r.slot(m.end).Store(&chunk{number: m.end})
	}
}

// grow makes room for that many chunks and keeps those from first on.
func (m *marks) grow(first, need uint64) {
	r, larger := *m.ring.Load(), make(ring, 1<<bits.Len64(need-1))
	for n := first; n < m.end; n++ {
		larger.slot(n).Store(r.slot(n).Load())
	}
	m.ring.Store(&larger)
}

// find returns the first number from seq on that is in a state, or end.
func (m *marks) find(seq, end uint64, s state) uint64 {
	r := *m.ring.Load()
	for seq < end {
		word := r.slot(seq / chunkRecords).Load().words[seq/64%chunkWords].Load() ^ uint64(s)
		if word >>= seq % 64; word != 0 {
			return min(seq+uint64(bits.TrailingZeros64(word)), end)
		}
		seq = (seq/64 + 1) * 64
	}
	return end
}
