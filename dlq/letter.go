package dlq

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/record"
)

// The bounds of what is taken from a letter's headers.
const (
	MaxCount   = 1_000_000 // of attempts and redrives
	MaxHeaders = 64        // original headers that a letter lists
	maxText    = 4 << 10   // bytes of a header's text
	maxStack   = 16 << 10
	maxName    = 255 // bytes of a topic, group or class
)

// The reasons that Slipway gives. Other tools' letters have none.
const (
	Exhausted   = record.Exhausted   // the last attempt failed
	Parked      = record.Parked      // the key waits for an operator
	Rejected    = record.Rejected    // the handler said that it will never work
	Undecodable = record.Undecodable // the value does not fit its schema
)

// Unknown is the partition or offset of an origin that no header names.
const Unknown = -1

// A Ref is the place of a letter: a partition and offset of a dead-letter
// topic.
type Ref struct {
	Topic     string
	Partition int32
	Offset    int64
}

// ParseRef reads what [Ref.String] writes: topic/partition/offset.
func ParseRef(text string) (Ref, error) {
	topic, rest, _ := strings.Cut(text, "/")
	p, o, ok := strings.Cut(rest, "/")
	partition, err := strconv.ParseInt(p, 10, 32)
	offset, err2 := strconv.ParseInt(o, 10, 64)
	if !ok || topic == "" || err != nil || err2 != nil || partition < 0 || offset < 0 {
		return Ref{}, diag.New(diag.DLQReference, "%q is not the place of a letter", text)
	}
	return Ref{topic, int32(partition), offset}, nil
}

// String writes the place as topic/partition/offset.
func (r Ref) String() string { return fmt.Sprintf("%s/%d/%d", r.Topic, r.Partition, r.Offset) }

// A Letter is what a dead letter says of itself. Its texts are valid UTF-8 and
// bounded, but as the writer chose them: escape them before a terminal sees
// them (diag.Escape).
type Letter struct {
	Ref
	Time time.Time // when the letter was written

	// Dialect is whose headers the evidence was read from.
	Dialect Dialect

	// Origin is the record that died, as far as the headers tell.
	Origin Origin

	Reason   string // why it is here; empty where the dialect has no such word
	Class    string // the kind of error, such as a Go type or a Java class
	Error    string
	Stack    string
	Attempts int // how often it was handled; 0 means not told
	Redrives int // how often it was sent back already

	First time.Time // when it failed first; zero means not told
	Last  time.Time // when it failed last; the letter's own time if not told

	Key       []byte // nil for a record without a key
	ValueSize int
	Tombstone bool // the record has no value

	// Headers are those of the original record, without the evidence, and at
	// most [MaxHeaders]; Omitted is how many more there are.
	Headers []Header
	Omitted int

	// Faults are what the evidence says and cannot be, a line each.
	Faults []string

	// Record is the letter as it was read.
	Record *kgo.Record
}

// An Origin is where a record was when it died.
type Origin struct {
	Topic     string    // empty if not told
	Partition int32     // [Unknown] if not told
	Offset    int64     // [Unknown] if not told
	Group     string    // the group that gave up; empty if not told
	Time      time.Time // the original record's timestamp; zero if not told
	Life      string    // the topic's id, or that of a redrive; empty if not told
	Epoch     int32     // the leader epoch; [Unknown] if not told
}

// A Header is one header of the original record.
type Header struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Parked reports whether the letter says that its key waits for an operator.
func (l *Letter) Parked() bool { return l.Reason == Parked }

// KeyText is the key for people: the text if it is one, else 0x and hex.
func (l *Letter) KeyText() string { return readable(l.Key, maxName) }

// Read reads a record of a dead-letter topic. It never fails: what cannot be
// read is left out, and told in Faults if a redrive needs it.
func Read(r *kgo.Record) *Letter {
	l := &Letter{
		Ref:       Ref{r.Topic, r.Partition, r.Offset},
		Time:      bounded(r.Timestamp),
		Origin:    Origin{Partition: Unknown, Offset: Unknown, Epoch: Unknown},
		Key:       r.Key,
		ValueSize: len(r.Value),
		Tombstone: r.Value == nil,
		Record:    r,
	}
	e := evidence{r.Headers, l}
	l.Dialect = e.dialect()
	if read, ok := dialects[l.Dialect]; ok {
		read(e)
	}
	l.Headers, l.Omitted = l.Dialect.original(r.Headers, MaxHeaders)
	if l.Last.IsZero() {
		l.Last = l.Time
	}
	return l
}

// original lists the headers that the record had before it died, at most limit
// of them, and says how many more there are.
func (d Dialect) original(headers []kgo.RecordHeader, limit int) (kept []Header, omitted int) {
	for _, h := range headers {
		switch {
		case d.wrote(h.Key):
		case len(kept) == limit:
			omitted++
		default:
			kept = append(kept, Header{clean([]byte(h.Key), maxName), readable(h.Value, maxText)})
		}
	}
	return kept, omitted
}
