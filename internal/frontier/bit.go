package frontier

import "math/bits"

// Run lengths are written as Elias gamma codes: n takes 2*log2(n)+1 bits, as
// many zeros as n has bits after its first, then n. Runs of one, the many that
// random finishing leaves, take one bit each, so it is never much longer than
// a bitmap (alternating records take as much, random ones an eighth more), and
// 50,000 records in a row take 31 bits.

// gammaBits is the length of the code of n, which is at least 1.
func gammaBits(n uint64) int { return 2*bits.Len64(n) - 1 }

// A bitWriter appends bits, the highest of a byte first.
type bitWriter struct {
	buf  []byte
	free int // unused bits of the last byte
}

func (w *bitWriter) gamma(n uint64) {
	w.write(0, bits.Len64(n)-1)
	w.write(n, bits.Len64(n))
}

// write appends the lowest count bits of v.
func (w *bitWriter) write(v uint64, count int) {
	for count > 0 {
		if w.free == 0 {
			w.buf, w.free = append(w.buf, 0), 8
		}
		n := min(count, w.free)
		part := byte(v>>(count-n)) & (1<<n - 1)
		w.free -= n
		w.buf[len(w.buf)-1] |= part << w.free
		count -= n
	}
}

// A bitReader reads what a bitWriter wrote.
type bitReader struct {
	buf []byte
	pos int // in bits
}

func (r *bitReader) bit() uint64 {
	b := r.buf[r.pos/8] >> (7 - r.pos%8) & 1
	r.pos++
	return uint64(b)
}

// gamma reads one code. It reports false at the end, which may be some zeros
// that fill the last byte, and where no code of at most 63 bits is.
func (r *bitReader) gamma() (uint64, bool) {
	zeros := 0
	for {
		if r.pos == 8*len(r.buf) || zeros == 63 {
			return 0, false
		}
		if r.bit() == 1 {
			break
		}
		zeros++
	}
	if r.pos+zeros > 8*len(r.buf) {
		return 0, false
	}
	n := uint64(1)
	for range zeros {
		n = n<<1 | r.bit()
	}
	return n, true
}
