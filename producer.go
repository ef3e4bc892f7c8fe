package slipway

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/record"
	"github.com/slipway-go/slipway/schema"
)

// A Producer writes values of one type to one topic of the contract's produces
// block. It is safe for concurrent use, idempotent, and waits for all in-sync
// replicas.
type Producer[T any] struct{ p *producer }

// NewProducer returns the producer of a topic. It can be used once [App.Run]
// has started; T must be able to hold the topic's schema, or be []byte for a
// topic without one.
func NewProducer[T any](app *App, topic string) *Producer[T] {
	p := &producer{app: app, topic: topic, typ: reflect.TypeFor[T]()}
	if app.contract.Produces[topic] == nil {
		app.faults.Add(diag.New(diag.RuntimeNotProduced, "code produces %q, which the contract of %s does not", topic, app.contract.Name).
			WithFix("add %q to produces in slipway.yaml, or remove the producer; the contract produces %s", topic, list(app.contract.Produces)))
	} else {
		app.producers = append(app.producers, p)
	}
	return &Producer[T]{p}
}

// A Receipt says where a record was written.
type Receipt struct {
	Topic     string
	Partition int32
	Offset    int64
}

// Send writes a value and returns once all in-sync replicas have it. The
// record's key is the field that the contract names; its headers are
// CloudEvents attributes, with a random id unless [WithID] gives one.
//
// A right that the service lacks on the cluster is a [NotAuthorizedError], at
// once: the record was not written. It retries what can be retried until ctx
// ends. An error after that means
// that the record may or may not have been written: sending it again with the
// same id lets readers tell. [ErrTooLarge] and encoding errors mean that it was
// not written.
//
// With via: transaction in the contract, Send is for handlers: it returns at
// once, and the record is written when the handler has returned nil, in one
// transaction with the offset of the message. A failed attempt sends nothing.
// The receipt then has no place: Partition and Offset are -1. Elsewhere it is
// [ErrNoTransaction].
func (p *Producer[T]) Send(ctx context.Context, value *T, opts ...SendOption) (Receipt, error) {
	return p.p.send(ctx, value, opts)
}

// A SendOption varies one call of [Producer.Send].
type SendOption interface{ apply(*sendOptions) }

type sendOptions struct {
	id      string
	time    time.Time
	headers []kgo.RecordHeader
	sends   *sends // of the message it is sent for
}

type sendOption func(*sendOptions)

func (f sendOption) apply(o *sendOptions) { f(o) }

// WithID sets the event's id, so that a repeated send is recognised.
func WithID(id string) SendOption { return sendOption(func(o *sendOptions) { o.id = id }) }

// WithTime sets when the event happened. It defaults to the time of sending.
func WithTime(t time.Time) SendOption { return sendOption(func(o *sendOptions) { o.time = t }) }

// WithHeader adds a header.
func WithHeader(key, value string) SendOption {
	return sendOption(func(o *sendOptions) {
		o.headers = append(o.headers, kgo.RecordHeader{Key: key, Value: []byte(value)})
	})
}

// producer is a Producer with its type erased.
type producer struct {
	app   *App
	topic string // as the contract names it
	typ   reflect.Type

	physical string // with the environment's prefix
	key      contract.Key
	max      int
	binding  schema.Binding // nil for opaque bytes
	id       int
	mime     string
}

func (p *producer) send(ctx context.Context, value any, opts []SendOption) (Receipt, error) {
	if p.app.client == nil {
		return Receipt{}, fmt.Errorf("send to %s: %w", p.topic, ErrNotRunning)
	}
	var o sendOptions
	for _, opt := range opts {
		opt.apply(&o)
	}
	rec, err := p.record(value, o)
	if err != nil {
		return Receipt{}, fmt.Errorf("send to %s: %w", p.topic, err)
	}
	if p.app.contract.Produces[p.topic].Via == contract.Transaction {
		return p.sendLater(ctx, rec, o.sends)
	}
	rec, err = p.app.write(ctx, p.app.client, &p.app.denials.sends, rec)
	if err != nil {
		return Receipt{}, fmt.Errorf("send to %s: %w", p.topic, p.app.sendFault(err))
	}
	return Receipt{rec.Topic, rec.Partition, rec.Offset}, nil
}

// produce writes a record and waits for its acknowledgement, but not beyond
// ctx: the client itself never gives up a record that may have been written.
func produce(ctx context.Context, client *kgo.Client, rec *kgo.Record) (*kgo.Record, error) {
	type result struct {
		rec *kgo.Record
		err error
	}
	done := make(chan result, 1)
	go func() {
		rec, err := client.ProduceSync(ctx, rec).First()
		done <- result{rec, err}
	}()
	select {
	case r := <-done:
		return r.rec, r.err
	case <-ctx.Done():
	}
	select { // what has come through just now counts
	case r := <-done:
		return r.rec, r.err
	default:
		return nil, context.Cause(ctx)
	}
}

// sendFault adds the code of what the service's owner can mend; other errors
// stay as they are.
func (a *App) sendFault(err error) error {
	if errors.Is(err, kerr.MessageTooLarge) {
		return fmt.Errorf("%w: %w", ErrTooLarge, err)
	}
	if _, answered := errors.AsType[*kerr.Error](err); !answered || errors.Is(err, ErrNotAuthorized) {
		return err
	}
	return errors.Join(err, a.diagnose(err))
}

// record encodes a value with its key and headers.
func (p *producer) record(value any, o sendOptions) (*kgo.Record, error) {
	payload, key, err := p.encode(value)
	if err != nil {
		return nil, err
	}
	if len(payload) > p.max {
		return nil, fmt.Errorf("%w: %d bytes, want at most %d", ErrTooLarge, len(payload), p.max)
	}
	if o.id == "" {
		o.id = rand.Text()
	}
	if o.time.IsZero() {
		o.time = time.Now()
	}
	headers := []kgo.RecordHeader{
		{Key: record.EventSpecVersion, Value: []byte("1.0")},
		{Key: record.EventID, Value: []byte(o.id)},
		{Key: record.EventSource, Value: []byte("/" + p.app.contract.Identity())},
		{Key: record.EventType, Value: []byte(p.topic)},
		{Key: record.EventTime, Value: []byte(o.time.UTC().Format(time.RFC3339Nano))},
		{Key: record.ContentType, Value: []byte(p.mime)},
	}
	return &kgo.Record{Topic: p.physical, Key: key, Value: payload, Headers: append(headers, o.headers...)}, nil
}

func (p *producer) encode(value any) (payload, key []byte, err error) {
	if p.binding == nil {
		raw, ok := value.(*[]byte)
		if !ok || raw == nil {
			return nil, nil, errors.New("value is nil")
		}
		return *raw, nil, nil
	}
	if reflect.ValueOf(value).IsNil() {
		return nil, nil, errors.New("value is nil")
	}
	payload, err = p.binding.Append(schema.AppendHeader(nil, p.id), value)
	if err != nil {
		return nil, nil, fmt.Errorf("encode value: %w", err)
	}
	if p.key.Field == "" {
		return payload, nil, nil
	}
	text, err := p.binding.Key(value, p.key.Field)
	if err != nil {
		return nil, nil, fmt.Errorf("read key: %w", err)
	}
	key, err = formatKey(text, p.key.Format)
	return payload, key, err
}

// formatKey turns a key's text into the bytes that the contract asks for.
func formatKey(text []byte, format contract.KeyFormat) ([]byte, error) {
	if format != contract.KeyInt64 {
		return text, nil
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("key %q is not an int64", text)
	}
	return binary.BigEndian.AppendUint64(nil, uint64(n)), nil
}

const defaultMaxValue = 1 << 20

func maxValue(p *contract.Produce) int { return int(cmp.Or(p.Max, defaultMaxValue)) }
