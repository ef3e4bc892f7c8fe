package spill

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"
)

// Marks say which frames of a segment are acknowledged: a file beside it, with
// ranges of ordinals, each under a checksum with the segment's salt. A mark
// that is lost or torn costs a frame that is given back twice, never one that is
// not given back.
const markSize = 12

func appendMark(b []byte, from, to uint32, salt uint64) []byte {
	b = binary.LittleEndian.AppendUint32(b, from)
	b = binary.LittleEndian.AppendUint32(b, to)
	return binary.LittleEndian.AppendUint32(b, markSum(b[len(b)-8:], salt))
}

func markSum(b []byte, salt uint64) uint32 {
	var seed [8]byte
	binary.LittleEndian.PutUint64(seed[:], salt)
	return crc32.Update(crc32.Checksum(seed[:], castagnoli), castagnoli, b)
}

// readMarks marks in done what a file says, up to the first mark that is not
// one, and returns where the next goes.
func readMarks(b []byte, salt uint64, limit uint32, done *bitset) int64 {
	at := 0
	for ; len(b)-at >= markSize; at += markSize {
		m := b[at : at+markSize]
		if markSum(m[:8], salt) != binary.LittleEndian.Uint32(m[8:]) {
			break
		}
		from, to := binary.LittleEndian.Uint32(m), binary.LittleEndian.Uint32(m[4:])
		for i := from; i < min(to, limit); i++ {
			done.set(i)
		}
	}
	return int64(at)
}

// A bitset is a set of ordinals.
type bitset []uint64

// set adds an ordinal and reports whether it was not there.
func (s *bitset) set(i uint32) bool {
	for int(i/64) >= len(*s) {
		*s = append(*s, 0)
	}
	w, bit := &(*s)[i/64], uint64(1)<<(i%64)
	fresh := *w&bit == 0
	*w |= bit
	return fresh
}

func (s bitset) has(i uint32) bool {
	return int(i/64) < len(s) && s[i/64]&(1<<(i%64)) != 0
}

func (s bitset) count() (n int) {
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}
