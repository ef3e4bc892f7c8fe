package spill

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A Record is what is kept of a Kafka record. Its partition is not: the
// partitioner chooses it anew, from the same key. A nil key or value is kept
// apart from an empty one.
type Record struct {
	Topic   string
	Key     []byte
	Value   []byte
	Headers []kgo.RecordHeader
	Time    time.Time // the record's timestamp; zero is left to the client
	Due     time.Time // not to be written to Kafka before; zero for at once
}

// An Item is a record as the queue gives it back.
type Item struct {
	Record
	At    time.Time // when it was appended
	Place Place
}

// A Place is where in the queue an item is.
type Place struct {
	segment uint64
	ordinal uint32
	offset  int64
}

// Compare orders places as the queue orders what is in them.
func (p Place) Compare(o Place) int {
	return cmp.Or(cmp.Compare(p.segment, o.segment), cmp.Compare(p.ordinal, o.ordinal))
}

// What a body begins with: three times and which of key and value are nil.
const bodyHead = 3*8 + 1

const (
	hasKey = 1 << iota
	hasValue
)

var errBody = errors.New("frame does not hold a record")

// appendBody writes a record as the body of a frame.
func appendBody(b []byte, r *Record, at time.Time) []byte {
	b = binary.LittleEndian.AppendUint64(b, stamp(at))
	b = binary.LittleEndian.AppendUint64(b, stamp(r.Due))
	b = binary.LittleEndian.AppendUint64(b, stamp(r.Time))
	var has byte
	if r.Key != nil {
		has |= hasKey
	}
	if r.Value != nil {
		has |= hasValue
	}
	b = append(b, has)
	b = append(binary.AppendUvarint(b, uint64(len(r.Topic))), r.Topic...)
	b = append(binary.AppendUvarint(b, uint64(len(r.Key))), r.Key...)
	b = append(binary.AppendUvarint(b, uint64(len(r.Value))), r.Value...)
	for _, h := range r.Headers {
		b = append(binary.AppendUvarint(b, uint64(len(h.Key))), h.Key...)
		if h.Value == nil {
			b = append(b, 0)
			continue
		}
		b = append(binary.AppendUvarint(b, uint64(len(h.Value))+1), h.Value...)
	}
	return b
}

// parseBody reads a record. What it returns lies in b, which it may keep.
func parseBody(b []byte) (Item, error) {
	if len(b) < bodyHead {
		return Item{}, errBody
	}
	var it Item
	it.At = unstamp(binary.LittleEndian.Uint64(b))
	it.Due = unstamp(binary.LittleEndian.Uint64(b[8:]))
	it.Time = unstamp(binary.LittleEndian.Uint64(b[16:]))
	has := b[24]
	p := parser{rest: b[bodyHead:]}
	it.Topic = string(p.field())
	key, value := p.field(), p.field()
	if has&hasKey != 0 {
		it.Key = key
	}
	if has&hasValue != 0 {
		it.Value = value
	}
	for !p.failed && len(p.rest) > 0 {
		h := kgo.RecordHeader{Key: string(p.field())}
		h.Value = p.optional()
		it.Headers = append(it.Headers, h)
	}
	if p.failed || has&^(hasKey|hasValue) != 0 {
		return Item{}, errBody
	}
	return it, nil
}

// A parser takes fields off the front of a body.
type parser struct {
	rest   []byte
	failed bool
}

func (p *parser) field() []byte {
	n, w := binary.Uvarint(p.rest)
	if w <= 0 || n > uint64(len(p.rest)-w) {
		p.failed, p.rest = true, nil
		return nil
	}
	end := w + int(n)
	f := p.rest[w:end:end]
	p.rest = p.rest[end:]
	return f
}

// optional reads a field whose length is one too large, and zero for nil.
func (p *parser) optional() []byte {
	n, w := binary.Uvarint(p.rest)
	if w <= 0 || n > uint64(len(p.rest)-w)+1 {
		p.failed, p.rest = true, nil
		return nil
	}
	p.rest = p.rest[w:]
	if n == 0 {
		return nil
	}
	f := p.rest[: n-1 : n-1]
	p.rest = p.rest[n-1:]
	return f
}

// stamp is a time in nanoseconds since 1970; math.MinInt64 stands for none. A
// time that does not fit becomes the nearest that does.
func stamp(t time.Time) uint64 {
	switch {
	case t.IsZero():
		return 1 << 63
	case t.Before(earliest):
		t = earliest
	case t.After(latest):
		t = latest
	}
	return uint64(t.UnixNano())
}

func unstamp(n uint64) time.Time {
	if n == 1<<63 {
		return time.Time{}
	}
	return time.Unix(0, int64(n))
}

var (
	earliest = time.Unix(0, math.MinInt64+1)
	latest   = time.Unix(0, math.MaxInt64)
)
