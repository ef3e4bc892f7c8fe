package outbox

import (
	"encoding/binary"
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/internal/record"
)

// shards is how many parts the rows are in, by key. It is the same for all
// instances and for ever: a row keeps the shard it was written with.
const shards = 16

// A row is a record in the outbox.
type row struct {
	shard   int
	seq     int64
	turn    int64 // the key's; random for a row without a key
	id      string
	topic   string // on the cluster
	key     []byte // nil for none
	kind    string // the event's type
	value   []byte // nil for a tombstone
	headers []byte // see appendHeaders
	created int64  // microseconds since 1970
	due     int64  // the same; 0 for at once
}

func newRow(rec *kgo.Record, now time.Time) *row {
	r := &row{topic: rec.Topic, key: rec.Key, value: rec.Value, headers: appendHeaders(nil, rec.Headers), created: now.UnixMicro()}
	for _, h := range rec.Headers {
		switch h.Key {
		case record.EventID:
			r.id = string(h.Value)
		case record.EventType:
			r.kind = string(h.Value)
		}
	}
	r.turn = rand.Int64() //nolint:gosec // spreads rows, guards nothing
	if rec.Key != nil {
		r.turn = turnOf(rec.Topic, rec.Key)
	}
	r.shard = int(uint64(r.turn) % shards)
	if due := slipway.DueTime(rec); due.After(now) {
		r.due = due.UnixMicro()
		r.shard = asleep(r.shard)
	}
	return r
}

// asleep is the shard of rows that are not due yet: the mirror below zero of
// the one they come to, and its own inverse.
func asleep(shard int) int { return -1 - shard }

// turnOf is the number under which a topic's key is kept in order. It is part
// of the tables' format: all programs that write them compute the same.
func turnOf(topic string, key []byte) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(topic))
	_, _ = h.Write([]byte{0})
	_, _ = h.Write(key)
	return int64(h.Sum64())
}

// args are the arguments of insert.
func (r *row) args() []any {
	var lock, due any
	if r.key != nil {
		lock = r.turn
	}
	if r.due != 0 {
		due = r.due
	}
	return []any{lock, r.shard, r.turn, r.id, r.topic, null(r.key), r.kind, null(r.value), null(r.headers), r.created, due}
}

// null is b, or nothing: drivers disagree on what a nil slice is.
func null(b []byte) any {
	if b == nil {
		return nil
	}
	return b
}

// record is the row as it is published.
func (r *row) record() (*kgo.Record, error) {
	headers, err := parseHeaders(r.headers)
	if err != nil {
		return nil, err
	}
	return &kgo.Record{Topic: r.topic, Key: r.key, Value: r.value, Headers: headers}, nil
}

// size is what the row takes up in memory and in a request, about.
func (r *row) size() int { return len(r.key) + len(r.value) + len(r.headers) + 64 }

// appendHeaders encodes headers: each is its key and its value, both after
// their length as a varint; a value that is nil has the length of one that is
// empty plus one, so lengths of values count from 1.
func appendHeaders(b []byte, headers []kgo.RecordHeader) []byte {
	for _, h := range headers {
		b = binary.AppendUvarint(b, uint64(len(h.Key)))
		b = append(b, h.Key...)
		if h.Value == nil {
			b = append(b, 0)
			continue
		}
		b = binary.AppendUvarint(b, uint64(len(h.Value))+1)
		b = append(b, h.Value...)
	}
	return b
}

var errHeaders = errors.New("headers are damaged")

// parseHeaders is the inverse of appendHeaders. What it returns shares b.
func parseHeaders(b []byte) ([]kgo.RecordHeader, error) {
	var all []kgo.RecordHeader
	for len(b) > 0 {
		key, rest, ok := cut(b, 0)
		if !ok {
			return nil, errHeaders
		}
		value, rest, ok := cut(rest, 1)
		if !ok {
			return nil, errHeaders
		}
		all = append(all, kgo.RecordHeader{Key: string(key), Value: value})
		b = rest
	}
	return all, nil
}

// cut takes a length, which counts from base, and so many bytes; nil for a
// length below base.
func cut(b []byte, base uint64) (part, rest []byte, ok bool) {
	n, used := binary.Uvarint(b)
	if used <= 0 {
		return nil, nil, false
	}
	b = b[used:]
	if n < base {
		return nil, b, true
	}
	if n -= base; n > uint64(len(b)) {
		return nil, nil, false
	}
	return b[:n:n], b[n:], true
}
