package dlq

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"math"
	"slices"
	"strings"
)

const (
	// maxProgress is the longest text that Encode makes. Brokers take 4,096
	// bytes (offset.metadata.max.bytes).
	maxProgress   = 3 << 10
	progressMagic = "SR1" // what it begins with, and its version
	checkSize     = 4
)

// A State says how the last redrive of a partition ended.
type State byte

// The states. Running is also what kill -9 leaves.
const (
	Done State = iota
	Running
	Stopped // in good order, before its end
)

// Progress is what is remembered of the redrives of one dead-letter partition.
// It is the metadata of an offset that the group [Source.Progress] committed;
// the offset is how far the last redrive has read.
//
// As text it is "SR1" and, in base64url, the state, the redrive's id and
// selection, its begin and end, and the letters that were sent, as the lengths of gaps
// and runs; then a CRC-32C of all that. What does not fit into 3 KiB is
// forgotten from the oldest on, and would be sent again by a later redrive.
type Progress struct {
	State     State
	Redrive   [16]byte // its id
	Selection [8]byte  // of what
	Began     int64    // when, in milliseconds since 1970: what now means to its filter
	End       int64    // before which offset it ends
	Sent      Offsets  // by this and all earlier redrives
}

// Offsets is a set of offsets, as runs in ascending order.
type Offsets struct{ runs []run }

type run struct{ first, end int64 }

// Has reports whether the set has an offset.
func (s Offsets) Has(offset int64) bool {
	_, ok := slices.BinarySearchFunc(s.runs, offset, func(r run, o int64) int {
		switch {
		case r.end <= o:
			return -1
		case r.first > o:
			return 1
		}
		return 0
	})
	return ok
}

// Len is how many offsets the set has.
func (s Offsets) Len() int64 {
	var n int64
	for _, r := range s.runs {
		n += r.end - r.first
	}
	return n
}

// Add adds an offset.
func (s *Offsets) Add(offset int64) {
	i, _ := slices.BinarySearchFunc(s.runs, offset, func(r run, o int64) int {
		if r.end < o {
			return -1
		}
		return 1
	})
	// The run at i is the first one that ends at the offset or behind it.
	switch {
	case i == len(s.runs) || s.runs[i].first > offset+1:
		s.runs = slices.Insert(s.runs, i, run{offset, offset + 1})
		return
	case s.runs[i].first == offset+1:
		s.runs[i].first = offset
	case s.runs[i].end == offset:
		s.runs[i].end = offset + 1
	}
	if i+1 < len(s.runs) && s.runs[i+1].first == s.runs[i].end {
		s.runs[i].end = s.runs[i+1].end
		s.runs = slices.Delete(s.runs, i+1, i+2)
	}
}

// Trim removes the offsets below start, which nobody can send again.
func (s *Offsets) Trim(start int64) {
	s.runs = slices.DeleteFunc(s.runs, func(r run) bool { return r.end <= start })
	if len(s.runs) > 0 && s.runs[0].first < start {
		s.runs[0].first = start
	}
}

// Encode returns the progress as text, and how many sent letters found no room.
func (p Progress) Encode() (text string, forgotten int64) {
	head := append([]byte{byte(p.State)}, p.Redrive[:]...)
	head = append(head, p.Selection[:]...)
	head = binary.AppendUvarint(head, uint64(p.Began))
	head = binary.AppendUvarint(head, uint64(p.End))
	limit := base64.RawURLEncoding.DecodedLen(maxProgress-len(progressMagic)) - checkSize
	kept := p.Sent.runs
	raw := appendRuns(head, kept)
	for len(raw) > limit {
		drop := max(1, (len(raw)-limit)/(2*binary.MaxVarintLen64))
		for _, r := range kept[:drop] {
			forgotten += r.end - r.first
		}
		kept = kept[drop:]
		raw = appendRuns(head, kept)
	}
	raw = binary.BigEndian.AppendUint32(raw, crc(raw))
	return progressMagic + base64.RawURLEncoding.EncodeToString(raw), forgotten
}

func appendRuns(head []byte, runs []run) []byte {
	raw := slices.Clone(head)
	at := int64(0)
	for _, r := range runs {
		raw = binary.AppendUvarint(raw, uint64(r.first-at))
		raw = binary.AppendUvarint(raw, uint64(r.end-r.first))
		at = r.end
	}
	return raw
}

// DecodeProgress reads what Encode wrote. It reports false for anything else,
// which means that nothing is remembered.
func DecodeProgress(text string) (Progress, bool) {
	coded, ok := strings.CutPrefix(text, progressMagic)
	raw, err := base64.RawURLEncoding.DecodeString(coded)
	const fixed = 1 + 16 + 8
	if !ok || err != nil || len(raw) < fixed+2+checkSize {
		return Progress{}, false
	}
	raw, sum := raw[:len(raw)-checkSize], raw[len(raw)-checkSize:]
	if crc(raw) != binary.BigEndian.Uint32(sum) || State(raw[0]) > Stopped {
		return Progress{}, false
	}
	p := Progress{State: State(raw[0]), Redrive: [16]byte(raw[1:17]), Selection: [8]byte(raw[17:25])}
	rest := raw[fixed:]
	if p.Began, rest, ok = takeOffset(rest, 0); !ok {
		return Progress{}, false
	}
	if p.End, rest, ok = takeOffset(rest, 0); !ok {
		return Progress{}, false
	}
	for at := int64(0); len(rest) > 0; {
		var r run
		if r.first, rest, ok = takeOffset(rest, at); !ok {
			return Progress{}, false
		}
		if r.end, rest, ok = takeOffset(rest, r.first); !ok || r.end == r.first {
			return Progress{}, false
		}
		if n := len(p.Sent.runs); n > 0 && p.Sent.runs[n-1].end == r.first {
			return Progress{}, false // would have been one run
		}
		p.Sent.runs = append(p.Sent.runs, r)
		at = r.end
	}
	return p, true
}

// takeOffset reads an offset that is told as the distance from another one.
func takeOffset(raw []byte, from int64) (offset int64, rest []byte, ok bool) {
	n, size := binary.Uvarint(raw)
	if size <= 0 || n > uint64(math.MaxInt64-from) {
		return 0, nil, false
	}
	return from + int64(n), raw[size:], true
}

func crc(raw []byte) uint32 { return crc32.Checksum(raw, crc32.MakeTable(crc32.Castagnoli)) }
