package slipway

import (
	"context"
	"errors"
	"reflect"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/trace"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/record"
	"github.com/slipway-go/slipway/schema"
)

// A Delivery says which message a handler's context belongs to. It is for what
// keeps the ids of handled messages, as package outbox does; a handler has its
// [Message].
type Delivery struct {
	Entry string // of the contract's consumes block
	Group string // the consumer group
	Topic string // as the cluster names it

	Partition int32
	Offset    int64 // in Topic, also where the message comes from the retry topic

	// ID is what the message is known by when it comes again: what the
	// contract's dedup.by names; else its CloudEvents source and id; else, for
	// a message that has neither, its topic, partition and offset. It is the
	// same for every attempt, and for a dead letter that is redriven.
	ID string

	// Keep is how long the id is to be remembered: the contract's dedup.ttl,
	// without which it is [contract.DedupTTL].
	Keep time.Duration

	Attempt int // as [Message] has it

	// Ordered reports whether the messages behind this one in a batch have to
	// wait for it when it is tried again.
	Ordered bool

	rec  *kgo.Record // of the message
	kept *atomic.Bool
}

// Key is the message's key; nil for none, and for a delivery that a test has
// made. The caller must not change it.
func (d Delivery) Key() []byte {
	if d.rec == nil {
		return nil
	}
	return d.rec.Key
}

// DeliveryFrom returns the delivery that a handler's context belongs to. The
// context of a batch belongs to none: [Message.Context] says which message of
// the batch is meant.
func DeliveryFrom(ctx context.Context) (Delivery, bool) {
	d, ok := ctx.Value(deliveryKey{}).(deliverer)
	if !ok {
		return Delivery{}, false
	}
	return d.delivery(), true
}

// WithDelivery returns ctx as that of a delivery, as the runtime gives it to
// handlers. It is for tests of handlers, and for what else comes again with an
// id: an HTTP request with an Idempotency-Key goes through outbox.Do as a
// message does, with an Entry of its own.
func WithDelivery(ctx context.Context, d Delivery) context.Context {
	return context.WithValue(ctx, deliveryKey{}, d)
}

func (d Delivery) delivery() Delivery { return d }

// Deduplicated says that something keeps the id of this message, and that it
// would not have been handled again. The runtime misses that of an entry with
// dedup in the contract, once its handler has returned nil, and says so.
func (d Delivery) Deduplicated() {
	if d.kept != nil {
		d.kept.Store(true)
	}
}

// Context returns ctx as that of one message of a batch: what is sent with it
// belongs to the message's trace, unless the handler has begun a span of its own.
// A handler of single messages does not need it: its context is that of its
// message already.
func (m *Message[T]) Context(ctx context.Context) context.Context {
	if m.parcel == nil {
		return ctx
	}
	return m.parcel.traced(context.WithValue(ctx, deliveryKey{}, m.parcel))
}

// deliveryKey finds a delivery in a handler's context.
type deliveryKey struct{}

type deliverer interface{ delivery() Delivery }

// parcel is one message of a batch; an attempt at a single one holds the same.
type parcel struct {
	entry *entry
	rec   *kgo.Record
	fails int
	id    string // of an entry that knows its messages by a field
	kept  atomic.Bool
	span  trace.Span // the batch's; nil where there are no traces
}

func (h *parcel) begin(w *work, value any) {
	e := w.partition.entry
	h.entry, h.rec, h.fails = e, w.rec, w.failed()
	if e.Dedup != nil && e.Dedup.Field() != "" && w.rec.Value != nil {
		h.id = e.known(value)
	}
}

func (h *parcel) delivery() Delivery { return h.entry.delivered(h.rec, h.fails, h.id, &h.kept) }

func (a *attempt) delivery() Delivery {
	return a.partition.entry.delivered(a.rec, a.fails, a.id, &a.kept)
}

func (e *entry) delivered(rec *kgo.Record, fails int, id string, kept *atomic.Bool) Delivery {
	d := Delivery{
		Entry: e.Name, Group: e.group, Topic: rec.Topic, Partition: rec.Partition, Offset: rec.Offset,
		ID: id, Keep: contract.DedupTTL, Attempt: fails + 1, Ordered: e.Order != contract.Unordered, rec: rec, kept: kept,
	}
	if e.Dedup != nil {
		d.Keep = e.Dedup.TTL
	}
	if d.ID == "" {
		d.ID = e.identify(rec)
	}
	return d
}

// identify is what a record is known by without looking into its value.
func (e *entry) identify(rec *kgo.Record) string {
	if e.Dedup != nil {
		if name := e.Dedup.Header(); name != "" {
			if id, ok := record.Get(rec.Headers, name); ok && id != "" {
				return id
			}
		}
		return place(rec)
	}
	source, _ := record.Get(rec.Headers, record.EventSource)
	if id, ok := record.Get(rec.Headers, record.EventID); ok && id != "" && source != "" {
		return source + " " + id
	}
	return place(rec)
}

// place identifies a record that carries no id.
func place(rec *kgo.Record) string {
	return rec.Topic + "/" + strconv.Itoa(int(rec.Partition)) + "/" + strconv.FormatInt(rec.Offset, 10)
}

// known is the id of a value, of an entry that knows its messages by a field;
// "" for one whose field is empty.
func (e *entry) known(value any) string {
	if e.reader.binding == nil {
		return ""
	}
	id, err := e.reader.binding.Key(value, e.Dedup.Field())
	if err != nil {
		return ""
	}
	return string(id)
}

// Deduplicates says that this program keeps the ids of handled messages, as
// package outbox does. Dedup in a contract is refused where nothing does.
func (a *App) Deduplicates() { a.inbox = true }

// undeduplicated refuses a promise of the contract that nothing would keep.
func (a *App) undeduplicated(name string, c *contract.Consume) diag.List {
	switch h := a.handlers[name]; {
	case c.Dedup == nil:
		return nil
	case c.Dedup.Field() != "" && h != nil && h.typ == reflect.TypeFor[[]byte]():
		return diag.List{diag.New(diag.InboxField, "consumes/%s/dedup: the handler's values are bytes, which have no field %s", name, c.Dedup.Field()).
			At(a.contract.Position("consumes/" + name + "/dedup"))}
	case a.inbox:
		return nil
	}
	return diag.List{diag.New(diag.InboxMissing, "consumes/%s has dedup, and the program keeps no ids of handled messages", name).
		At(a.contract.Position("consumes/" + name + "/dedup"))}
}

// checkDedup tries the field that records are known by on an empty value, so
// that one that is not there is told at start and not forgotten in silence.
func (a *App) checkDedup(name string, c *contract.Consume, typ reflect.Type, r *reader) error {
	if c.Dedup == nil || c.Dedup.Field() == "" || r.binding == nil {
		return nil
	}
	_, err := r.binding.Key(reflect.New(typ).Interface(), c.Dedup.Field())
	if err == nil || errors.Is(err, schema.ErrNilKey) {
		return nil
	}
	return diag.New(diag.InboxField, "consumes/%s/dedup: %v", name, err).At(a.contract.Position("consumes/" + name + "/dedup"))
}

// unkept tells, once, that a handler has finished a message of an entry with
// dedup without anything keeping the message's id.
func (c *consumer) unkept(e *entry) {
	e.unkept.Do(func() {
		c.link.log.Error("handler finished a message and nothing keeps its id", "code", diag.InboxBypassed, "group", e.group, "entry", e.Name, "topic", e.Topic)
	})
}
