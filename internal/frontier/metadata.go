package frontier

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"math"
	"strings"
)

const (
	// MaxMetadata is the longest text that Encode makes unless told otherwise.
	// Brokers take 4,096 bytes (offset.metadata.max.bytes).
	MaxMetadata = 3 << 10

	magic   = "SW1" // what text of ours begins with, and its version
	hasMap  = 1 << 0
	sumSize = 4
)

// Metadata is what is kept in the metadata of a committed offset. As text it is
// "SW1" and, in base64url, flags, fence and, if anything is finished ahead, the
// committed offset, the epoch and the lengths of the runs, pending and done in
// turn; then a CRC-32C of all that.
type Metadata struct {
	// Fence is raised by each new owner of the partition.
	Fence uint64

	// Ahead is what is finished beyond the committed offset.
	Ahead Ranges
}

// Encode returns the metadata as text of at most limit bytes, and how many
// finished offsets found no room: the farthest ones, which a restart would
// repeat. The fence is always kept, which takes up to 23 bytes. A limit of 0
// means [MaxMetadata].
func (m Metadata) Encode(limit int) (text string, dropped int) {
	limit = base64.RawURLEncoding.DecodedLen(cmp.Or(limit, MaxMetadata)-len(magic)) - sumSize
	raw := binary.AppendUvarint([]byte{0}, m.Fence)
	if len(m.Ahead.Spans) > 0 {
		raw, dropped = m.Ahead.encode(raw, limit)
	}
	raw = binary.BigEndian.AppendUint32(raw, checksum(raw))
	return magic + base64.RawURLEncoding.EncodeToString(raw), dropped
}

// encode appends as many spans as the limit has room for, or nothing.
func (r Ranges) encode(raw []byte, limit int) (_ []byte, dropped int) {
	head := len(raw)
	raw = binary.AppendUvarint(raw, uint64(r.At))
	raw = binary.AppendUvarint(raw, uint64(int64(r.Epoch)+1))
	w := bitWriter{buf: raw}
	at := r.At
	for i, s := range r.Spans {
		wait, done := uint64(s.First-at), uint64(s.End-s.First)
		if 8*len(w.buf)-w.free+gammaBits(wait)+gammaBits(done) > 8*limit {
			dropped = Ranges{Spans: r.Spans[i:]}.Len()
			if i == 0 {
				return raw[:head], dropped
			}
			break
		}
		w.gamma(wait)
		w.gamma(done)
		at = s.End
	}
	w.buf[0] |= hasMap
	return w.buf, dropped
}

// Decode reads what Encode wrote for a commit of this offset. It reports false
// for anything else: the metadata of other tools, of a later version, or
// damaged. A map that was made for another offset is left out, because whoever
// moved the offset wants the records behind it handled.
func Decode(text string, committed int64) (Metadata, bool) {
	coded, ok := strings.CutPrefix(text, magic)
	if !ok {
		return Metadata{}, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(coded)
	if err != nil || len(raw) < 2+sumSize {
		return Metadata{}, false
	}
	raw, sum := raw[:len(raw)-sumSize], raw[len(raw)-sumSize:]
	if checksum(raw) != binary.BigEndian.Uint32(sum) || raw[0]&^hasMap != 0 {
		return Metadata{}, false
	}
	fence, n := binary.Uvarint(raw[1:])
	if n <= 0 {
		return Metadata{}, false
	}
	m, rest := Metadata{Fence: fence}, raw[1+n:]
	if raw[0] == 0 {
		return m, len(rest) == 0
	}
	ahead, ok := decodeRanges(rest)
	if !ok {
		return Metadata{}, false
	}
	if ahead.At == committed {
		m.Ahead = ahead
	}
	return m, true
}

func decodeRanges(raw []byte) (r Ranges, ok bool) {
	at, n := binary.Uvarint(raw)
	if n <= 0 || at > math.MaxInt64 {
		return r, false
	}
	epoch, k := binary.Uvarint(raw[n:])
	if k <= 0 || epoch > math.MaxInt32+1 {
		return r, false
	}
	r = Ranges{At: int64(at), Epoch: int32(int64(epoch) - 1)}
	for bits := (bitReader{buf: raw[n+k:]}); ; {
		wait, more := bits.gamma()
		if !more {
			return r, len(r.Spans) > 0
		}
		done, whole := bits.gamma()
		if !whole || wait > math.MaxInt64-at || done > math.MaxInt64-at-wait {
			return r, false
		}
		r.Spans = append(r.Spans, Span{First: int64(at + wait), End: int64(at + wait + done)})
		at += wait + done
	}
}

func checksum(raw []byte) uint32 { return crc32.Checksum(raw, crc32.MakeTable(crc32.Castagnoli)) }
