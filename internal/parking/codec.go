package parking

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"
)

// ErrNotEntry reports that a record carries no entry at all: something else
// wrote it. Any other error of [Decode] is about an entry, and what it stands
// for may be a record that nobody else has: never pass over it silently.
var ErrNotEntry = errors.New("record has no header " + entryHeader)

// The headers, in the order in which they follow the source record's own. Only
// the first is read back, the others are for people.
const (
	entryHeader    = "slipway-retry"
	kindHeader     = "slipway-kind"     // copy, mark, fence, hold, release, skip, park or inject
	attemptsHeader = "slipway-attempts" // if any failed
	dueHeader      = "slipway-due"      // RFC 3339, if it is to wait
)

// Encode returns the record of the retry topic that says what the entry says.
// Topic and partition are for the caller to set. Payload is the source record
// whose bytes a copy or an injection carries; it is not changed, and shares its
// bytes with the result. Without one the record has neither key nor value.
//
// The source record's headers stay in front, untouched, whatever their names:
// the last header named slipway-retry is ours, and everything before it is the
// source record's. So hand over what [Original] returned, never a record of the
// retry topic, or the headers of each round stay.
//
// Numbers are put where Decode takes them from: no more than a million attempts
// and redrives, due in the years 1970 to 9999, epoch and since no lower than -1.
// An entry of no known kind or operation, or at a negative offset, is a fault of
// the caller; Encode panics.
func Encode(e Entry, payload *kgo.Record) *kgo.Record {
	name := nameInHeader(e)
	rec := &kgo.Record{}
	if payload != nil {
		rec.Key, rec.Value = payload.Key, payload.Value
		rec.Headers = make([]kgo.RecordHeader, len(payload.Headers), len(payload.Headers)+4)
		copy(rec.Headers, payload.Headers)
	}
	// One piece of memory holds the values of all our headers.
	buf := appendEntry(make([]byte, 0, 128+len(e.Ticket.Life)+len(e.Key)), e, rec.Key)
	start := 0
	add := func(header string) {
		rec.Headers = append(rec.Headers, kgo.RecordHeader{Key: header, Value: buf[start:len(buf):len(buf)]})
		start = len(buf)
	}
	add(entryHeader)
	buf = append(buf, name...)
	add(kindHeader)
	if e.Attempts > 0 {
		buf = strconv.AppendInt(buf, int64(min(e.Attempts, maxCount)), 10)
		add(attemptsHeader)
	}
	if !e.Due.IsZero() {
		buf = within(e.Due, firstDue, lastDue).UTC().AppendFormat(buf, "2006-01-02T15:04:05.000Z")
		add(dueHeader)
	}
	return rec
}

// Decode returns what a record of the retry topic says. It reads the last
// header named slipway-retry and no other. A checksum that does not match, a
// version, kind, operation or flag that this build does not know, a number out
// of bounds, too few bytes or too many are errors that say so.
//
// Whoever may write the topic can make an entry that passes: the checksum finds
// damage, not malice. The entry's key shares its bytes with the record.
func Decode(rec *kgo.Record) (Entry, error) {
	at := entryAt(rec.Headers)
	if at < 0 {
		return Entry{}, ErrNotEntry
	}
	e, err := decodeEntry(rec.Headers[at].Value, rec.Key)
	if err != nil {
		return Entry{}, fmt.Errorf("decode header %s: %w", entryHeader, err)
	}
	return e, nil
}

// Original returns the source record that a copy or an injection carries, as it
// was read from this topic and partition: key, value and headers are the same
// to the byte, nil or empty as they were. Headers from ours on are left out, so
// what was added on the way, by a hook that traces for instance, is too. It
// shares its bytes with rec.
func Original(rec *kgo.Record, e Entry, topic string, partition int32) *kgo.Record {
	headers := rec.Headers
	if at := entryAt(headers); at > 0 {
		headers = headers[:at:at]
	} else if at == 0 {
		headers = nil
	}
	return &kgo.Record{
		Key: rec.Key, Value: rec.Value, Headers: headers, Timestamp: e.Time,
		Topic: topic, Partition: partition, Offset: e.Ticket.Offset, LeaderEpoch: e.Ticket.Epoch,
	}
}

// entryAt returns where our headers begin, -1 if there are none.
func entryAt(headers []kgo.RecordHeader) int {
	for i, h := range slices.Backward(headers) {
		if h.Key == entryHeader {
			return i
		}
	}
	return -1
}

var (
	kindNames = [...]string{Copy: "copy", Mark: "mark", Fence: "fence", Hold: "hold", Command: "command"}
	opNames   = [...]string{Release: "release", Skip: "skip", Park: "park", Inject: "inject"}
)

// nameInHeader returns what people call the entry's kind.
func nameInHeader(e Entry) string {
	if e.Ticket.Offset < 0 || checkKind(e.Kind, e.Op) != nil {
		panic(fmt.Sprintf("parking: entry cannot be encoded: kind %d, operation %d, offset %d", e.Kind, e.Op, e.Ticket.Offset))
	}
	if e.Kind == Command {
		return opNames[e.Op]
	}
	return kindNames[e.Kind]
}

func checkKind(k Kind, o Op) error {
	switch {
	case k == 0 || int(k) >= len(kindNames):
		return fmt.Errorf("kind %d is unknown", k)
	case k != Command && o != 0:
		return fmt.Errorf("a %s has operation %d, want none", kindNames[k], o)
	case k == Command && (o == 0 || int(o) >= len(opNames)):
		return fmt.Errorf("operation %d is unknown", o)
	}
	return nil
}
