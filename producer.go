package slipway

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
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
	if produce := app.contract.Produces[topic]; produce == nil {
		app.faults.Add(diag.New(diag.RuntimeNotProduced, "code produces %q, which the contract of %s does not", topic, app.contract.Name).
			WithFix("add %q to produces in slipway.yaml, or remove the producer; the contract produces %s", topic, list(app.contract.Produces)))
	} else {
		p.link = app.linkOf(produce.Cluster)
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

// Topic is the topic's name in the contract.
func (p *Producer[T]) Topic() string { return p.p.topic }

// Send writes a value and returns once all in-sync replicas have it. The
// record's key is the field that the contract names; its headers are
// CloudEvents attributes, with a random id unless [WithID] gives one, and the
// trace context of ctx.
//
// What can be retried is, until the contract's timeout is over. An error that is
// [ErrUnacknowledged] means that the value may or may not have been written:
// ctx ended while it was on its way, or the timeout was over and nobody knows;
// sending it again with the same id lets readers tell. With every other error
// the cluster does not have the value: [NotAuthorizedError] at once where the
// service lacks the right, [ErrTooLarge], [ErrNoValue], [ErrDeliveryTimeout],
// and what the contract's away says while the cluster is away: [ErrBufferFull],
// [ErrAway], [ErrDropped]. docs/producing.md has them all in one table.
//
// With via: transaction in the contract, Send is for handlers: it returns at
// once, and the record is written when the handler has returned nil, in one
// transaction with the offset of the message. A failed attempt sends nothing.
// The receipt then has no place: Partition and Offset are -1. Elsewhere it is
// [ErrNoTransaction]. With via: outbox it is [ErrOutbox].
func (p *Producer[T]) Send(ctx context.Context, value *T, opts ...SendOption) (Receipt, error) {
	return p.p.send(ctx, value, opts)
}

// SendAsync is [Producer.Send] without the wait: done is called exactly once
// with the outcome. The value may be changed as soon as SendAsync has returned.
//
// What is refused at once is told before SendAsync returns. Everything else is
// told by a goroutine of the client: acknowledgements of one key in the order
// of the calls, one done after the other, and under no lock. So done must not
// block, and it must not wait for what another send has yet to be told.
//
// ctx bounds what SendAsync itself waits for, which is room in the buffer where
// the contract says away: block. Once the value is in the buffer ctx is
// irrelevant: the contract's timeout bounds the rest, so that done is called
// then at the latest.
func (p *Producer[T]) SendAsync(ctx context.Context, value *T, done func(Receipt, error), opts ...SendOption) {
	p.p.sendAsync(ctx, value, done, opts)
}

// Record returns the record that Send would write, complete but for its
// timestamp: topic on the cluster, key, framed value, headers. It is for what
// carries records to the cluster by another way, such as an outbox, and works
// for topics with via: outbox. [App.Publish] writes it.
func (p *Producer[T]) Record(ctx context.Context, value *T, opts ...SendOption) (*kgo.Record, error) {
	if p.p.link.client == nil {
		return nil, fmt.Errorf("make record for %s: %w", p.p.topic, ErrNotRunning)
	}
	var o sendOptions
	for _, opt := range opts {
		opt.apply(&o)
	}
	rec := new(kgo.Record)
	if err := p.p.fill(ctx, rec, nil, value, &o); err != nil {
		return nil, fmt.Errorf("make record for %s: %w", p.p.topic, err)
	}
	return rec, nil
}

// Tombstone returns the record that Delete would write, see [Producer.Record].
func (p *Producer[T]) Tombstone(ctx context.Context, key string, opts ...SendOption) (*kgo.Record, error) {
	var o sendOptions
	for _, opt := range opts {
		opt.apply(&o)
	}
	rec := new(kgo.Record)
	if err := p.p.tombstone(ctx, rec, nil, key, &o); err != nil {
		return nil, fmt.Errorf("make tombstone for %s: %w", p.p.topic, err)
	}
	return rec, nil
}

// Delete writes a tombstone: a record with the key and no value, which deletes
// the key from a compacted topic. Readers get it as a message with Tombstone
// set. The key is given as text, a number in decimal, and becomes what the
// contract's key format says. Any other topic than a compacted one of this
// service with a key is an error (SLP-PRD-003).
func (p *Producer[T]) Delete(ctx context.Context, key string, opts ...SendOption) (Receipt, error) {
	return p.p.delete(ctx, key, opts)
}

// A SendOption varies one send.
type SendOption interface{ apply(*sendOptions) }

type sendOptions struct {
	id      string
	time    time.Time
	headers []kgo.RecordHeader
	due     time.Time // not to be delivered before
	key     []byte    // of a value without a schema
	sends   *sends    // of the message it is sent for
}

type sendOption func(*sendOptions)

func (f sendOption) apply(o *sendOptions) { f(o) }

// WithID sets the event's id, so that a repeated send is recognised.
func WithID(id string) SendOption { return sendOption(func(o *sendOptions) { o.id = id }) }

// WithTime sets when the event happened. It defaults to the time of sending.
func WithTime(t time.Time) SendOption { return sendOption(func(o *sendOptions) { o.time = t }) }

// WithKey sets the record's key, where the topic has no schema and its values
// are bytes. Elsewhere the contract says which field is the key, and WithKey is
// [ErrKeyed].
func WithKey(key []byte) SendOption { return sendOption(func(o *sendOptions) { o.key = key }) }

// WithHeader adds a header. One that Slipway writes itself, such as ce_type or
// traceparent, takes its place.
func WithHeader(key, value string) SendOption {
	return sendOption(func(o *sendOptions) {
		o.headers = append(o.headers, kgo.RecordHeader{Key: key, Value: []byte(value)})
	})
}

// producer is a Producer with its type erased.
type producer struct {
	app   *App
	link  *link
	topic string // as the contract names it
	typ   reflect.Type

	physical string // with the environment's prefix
	key      contract.Key
	max      int
	binding  schema.Binding // nil for opaque bytes
	frame    frame
	mime     string

	via              contract.Via
	pipe             *pipe     // nil with via: transaction
	sends, schedules operation // that spans are of
	weigh            weigher   // never nil
	source           []byte    // headers that are the same for every record
	event            []byte
}

// settle looks up what every send needs.
func (p *producer) settle() {
	p.via = p.app.contract.Produces[p.topic].Via
	p.pipe = p.app.pipes[p.physical]
	p.sends, p.schedules = p.link.sends(p.physical), p.link.schedules(p.physical)
	p.source, p.event = []byte("/"+p.app.contract.Identity()), []byte(p.topic)
	if p.weigh = weigherOf(p.typ); p.weigh == nil {
		p.weigh = func(reflect.Value, int) int { return 0 }
	}
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
