package slipway

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/propagation"

	"github.com/slipway-go/slipway/internal/record"
	"github.com/slipway-go/slipway/schema"
)

// fill encodes a value with its key and headers into a record: the attributes
// of CloudEvents in Kafka's binary mode, and the trace that ctx belongs to.
func (p *producer) fill(ctx context.Context, rec *kgo.Record, headers []kgo.RecordHeader, value any, o *sendOptions) error {
	payload, key, err := p.encode(value)
	if err != nil {
		return err
	}
	if o.key != nil {
		if p.binding != nil {
			return ErrKeyed
		}
		key = slices.Clone(o.key) // it stays the caller's
	}
	p.complete(ctx, rec, headers, payload, key, o)
	return nil
}

// complete makes a record of a value's bytes, nil for a tombstone.
func (p *producer) complete(ctx context.Context, rec *kgo.Record, headers []kgo.RecordHeader, payload, key []byte, o *sendOptions) {
	id, at := o.text()
	headers = append(headers,
		kgo.RecordHeader{Key: record.EventSpecVersion, Value: specVersion},
		kgo.RecordHeader{Key: record.EventID, Value: id},
		kgo.RecordHeader{Key: record.EventSource, Value: p.source},
		kgo.RecordHeader{Key: record.EventType, Value: p.event},
		kgo.RecordHeader{Key: record.EventTime, Value: at},
	)
	if payload != nil {
		headers = append(headers, kgo.RecordHeader{Key: record.ContentType, Value: []byte(p.mime)})
		if p.frame.header != nil {
			headers = append(headers, kgo.RecordHeader{Key: schema.ValueIDHeader, Value: p.frame.header})
		}
	}
	if !o.carries() {
		headers = inject(ctx, headers)
	}
	for _, h := range o.headers {
		headers = own(headers, h)
	}
	rec.Topic, rec.Key, rec.Value, rec.Headers = p.physical, key, payload, headers
	if !o.due.IsZero() {
		withDue(rec, o.due)
	}
}

var specVersion = []byte("1.0")

// own adds a header of the caller's, in place of one of the same name: an event
// has each attribute once.
func own(headers []kgo.RecordHeader, h kgo.RecordHeader) []kgo.RecordHeader {
	for i := range headers {
		if headers[i].Key == h.Key && ours(h.Key) {
			headers[i] = h
			return headers
		}
	}
	return append(headers, h)
}

// ours reports whether a header's name is one that Slipway writes.
func ours(name string) bool {
	return strings.HasPrefix(name, "ce_") || name == record.ContentType || name == schema.ValueIDHeader || name == traceParent || name == traceState
}

// text returns the event's id and time as bytes that share an allocation.
func (o *sendOptions) text() (id, at []byte) {
	b := make([]byte, 0, idSize+len(time.RFC3339Nano))
	if o.id != "" {
		b = append(b, o.id...)
	} else {
		b = appendID(b)
	}
	n := len(b)
	if o.time.IsZero() {
		o.time = time.Now()
	}
	b = o.time.UTC().AppendFormat(b, time.RFC3339Nano)
	return b[:n:n], b[n:]
}

// idSize characters of 32 kinds are 130 random bits, as rand.Text has them.
const (
	idSize     = 26
	idAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
)

func appendID(b []byte) []byte {
	var raw [idSize]byte
	_, _ = rand.Read(raw[:]) // it never fails
	for _, r := range raw {
		b = append(b, idAlphabet[r%32])
	}
	return b
}

// encode returns the bytes of a value and of its key. A value that is larger
// than the contract allows is refused before its bytes are made, as far as that
// can be told from its strings and byte slices.
func (p *producer) encode(value any) (payload, key []byte, err error) {
	v := reflect.ValueOf(value)
	if v.IsNil() {
		return nil, nil, ErrNoValue
	}
	if p.binding == nil {
		raw, ok := value.(*[]byte)
		if !ok || len(*raw) == 0 {
			return nil, nil, ErrNoValue
		}
		if err := p.bounded(len(*raw)); err != nil {
			return nil, nil, err
		}
		return slices.Clone(*raw), nil, nil // it stays the caller's
	}
	if err := p.bounded(p.weigh(v.Elem(), p.max)); err != nil {
		return nil, nil, err
	}
	if payload, err = p.frame.value(p.binding, value); err != nil {
		return nil, nil, err
	}
	if err := p.bounded(len(payload)); err != nil {
		return nil, nil, err
	}
	key, err = p.encodeKey(value)
	return payload, key, err
}

// bounded refuses a value whose size is above the contract's max.
func (p *producer) bounded(n int) error {
	if n <= p.max {
		return nil
	}
	return fmt.Errorf("%w: %d bytes or more, want at most %d", ErrTooLarge, n, p.max)
}

// The headers of W3C's trace context.
const (
	traceParent = "traceparent"
	traceState  = "tracestate"
)

// headerCarrier carries a trace context in headers.
type headerCarrier []kgo.RecordHeader

var _ propagation.TextMapCarrier = (*headerCarrier)(nil)

// Get implements [propagation.TextMapCarrier].
func (c *headerCarrier) Get(key string) string {
	v, _ := record.Get(*c, key)
	return v
}

// Set implements [propagation.TextMapCarrier].
func (c *headerCarrier) Set(key, value string) {
	*c = append(*c, kgo.RecordHeader{Key: key, Value: []byte(value)})
}

// Keys implements [propagation.TextMapCarrier].
func (c *headerCarrier) Keys() []string {
	keys := make([]string, len(*c))
	for i, h := range *c {
		keys[i] = h.Key
	}
	return keys
}

// sendFault adds the code of what the service's owner can mend; other errors
// stay as they are.
func (l *link) sendFault(err error) error {
	if errors.Is(err, kerr.MessageTooLarge) && !errors.Is(err, ErrTooLarge) {
		return fmt.Errorf("%w: %w", ErrTooLarge, err)
	}
	if _, answered := errors.AsType[*kerr.Error](err); !answered || errors.Is(err, ErrNotAuthorized) {
		return err
	}
	return errors.Join(err, l.diagnose(err))
}
