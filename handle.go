package slipway

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"sync"
	"time"
	"unsafe"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/trace"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/protect"
	"github.com/slipway-go/slipway/internal/record"
)

// Handle registers fn for an entry of the contract's consumes block. The entry
// is named after its topic unless the contract names it otherwise.
//
// What fn returns decides what becomes of the record: nil finishes it, an
// error tries it again after the contract's delays, and the other outcomes are
// [RetryAfter], [Reject], [Skip], [Park] and [Trip]. The context ends with the
// contract's timeout, at shutdown, or when the partition is taken away;
// context.Cause tells which. fn runs concurrently for different keys.
//
// T is a struct that can hold the entry's schema, or []byte for a topic
// without one. Where it cannot, [App.Run] fails and says which fields.
func Handle[T any](app *App, entry string, fn func(ctx context.Context, m *Message[T]) error) {
	var deliveries slabs[T]
	app.register(entry, &handler{
		typ: reflect.TypeFor[T](),
		one: func(c call, w work) (err error) {
			d := deliveries.next()
			d.begin(&c, &w)
			if c.sends != nil { // seldom, and a pointer that is written costs the collector
				d.sends, d.msg.sends = c.sends, c.sends
			}
			defer d.end()
			if err := d.msg.read(&c, w); err != nil {
				return err
			}
			dedup := w.partition.entry.Dedup
			if dedup != nil && dedup.Field() != "" && !d.msg.Tombstone {
				d.id = w.partition.entry.known(&d.msg.Value)
			}
			d.run(func() { err = fn(&d.attempt, &d.msg) })
			if err == nil && dedup != nil && !d.kept.Load() {
				c.consumer.unkept(w.partition.entry)
			}
			return err
		},
	})
}

// HandleBatch registers fn for an entry of the contract's consumes block, like
// [Handle], for batches: consecutive records of one key (order: key), of one
// partition (order: partition), or of no order at all, at most as many as the
// contract's batch says, as soon as there are any. The timeout is the batch's.
//
// fn returns an outcome for each message, in the order of the batch; nil alone
// finishes all of them. Where an order is kept, what lies behind the first
// message that has to be tried again does not count: it is handled again
// behind that message. A panic, and an answer of the wrong length, fail every
// message of the batch.
func HandleBatch[T any](app *App, entry string, fn func(ctx context.Context, batch []*Message[T]) []error) {
	app.register(entry, &handler{
		typ: reflect.TypeFor[T](),
		many: func(c call, batch []work, outcomes []error) error {
			a := new(attempt)
			a.begin(&c, &batch[0])
			a.many = true
			defer a.end()
			messages := make([]Message[T], len(batch))
			good := make([]*Message[T], 0, len(batch))
			place := make([]int, 0, len(batch))
			each := make([]parcel, len(batch))
			for i, w := range batch {
				messages[i].sends = c.consumer.newSends()
				messages[i].parcel = &each[i]
				if outcomes[i] = messages[i].read(&c, w); outcomes[i] == nil {
					each[i].begin(&w, &messages[i].Value)
					each[i].span = c.span
					good, place = append(good, &messages[i]), append(place, i)
				}
			}
			if len(good) == 0 {
				return nil
			}
			var got []error
			a.run(func() { got = fn(a, good) })
			if got != nil && len(got) != len(good) {
				return fmt.Errorf("batch handler answered %d of %d messages", len(got), len(good))
			}
			for i, err := range got {
				outcomes[place[i]] = err
			}
			for i := range batch {
				batch[i].keep(messages[i].sends, outcomes[i])
				if e := batch[i].partition.entry; outcomes[i] == nil && e.Dedup != nil && !each[i].kept.Load() {
					c.consumer.unkept(e)
				}
			}
			return nil
		},
	})
}

// handler is a registered function with its type erased. Exactly one of the
// two is set.
type handler struct {
	typ  reflect.Type
	one  func(call, work) error
	many func(c call, batch []work, outcomes []error) error
}

// A call is one attempt at a record, or at a batch.
type call struct {
	consumer *consumer
	entry    *entry
	parent   context.Context
	began    time.Duration // by the entry's clock
	pass     protect.Pass
	gated    bool
	sends    *sends     // nil without a transaction
	span     trace.Span // nil where there are no traces
}

// delivery is what one call hands to a handler.
type delivery[T any] struct {
	attempt
	msg Message[T]
}

// slabs allocates deliveries, several at a time: a handler may keep its message
// for as long as it likes, so that none is used twice, and one by one they are
// the dearest part of a call. A message that is kept keeps its slab.
type slabs[T any] struct{ open sync.Pool }

const (
	slabSize  = 16
	slabBytes = 8 << 10
)

// next returns a new delivery.
func (s *slabs[T]) next() *delivery[T] {
	slab, _ := s.open.Get().(*[]delivery[T])
	if slab == nil {
		slab = new(make([]delivery[T], max(1, min(slabSize, slabBytes/int(unsafe.Sizeof(delivery[T]{}))))))
	}
	d := &(*slab)[0]
	if *slab = (*slab)[1:]; len(*slab) > 0 {
		s.open.Put(slab)
	}
	return d
}

// read fills a message from a record.
func (m *Message[T]) read(c *call, w work) error {
	rec := w.rec
	m.Record, m.Attempt, m.Tombstone = rec, w.failed()+1, rec.Value == nil
	if m.Tombstone {
		return nil
	}
	if err := c.entry.reader.decode(c.parent, rec, &m.Value); err != nil {
		return &undecodable{err}
	}
	return nil
}

func (a *App) register(entry string, h *handler) {
	switch _, twice := a.handlers[entry]; {
	case a.contract.Consumes[entry] == nil:
		a.faults.Add(diag.New(diag.RuntimeNotConsumed, "code handles %q, which the contract of %s does not consume", entry, a.contract.Name).
			WithFix("add %q to consumes in slipway.yaml, or remove the handler; the contract consumes %s", entry, list(a.contract.Consumes)))
	case twice:
		a.faults.Add(diag.New(diag.RuntimeHandledTwice, "code handles %q twice", entry))
	default:
		a.handlers[entry] = h
	}
}

// errGone is the failure of a handler that ended its goroutine
// (runtime.Goexit, as a test's FailNow does).
var errGone = errors.New("handler ended its goroutine")

// one calls the handler for a record and turns a panic into an error.
func (c call) one(w work) (err error) {
	err = errGone
	defer c.rescue(&err, w)
	return c.entry.handler.one(c, w)
}

// many calls the handler for a batch. The error is that of all of them.
func (c call) many(batch []work, outcomes []error) (err error) {
	err = errGone
	defer c.rescue(&err, batch...)
	return c.entry.handler.many(c, batch, outcomes)
}

// rescue turns a panic into an error. A goroutine that is ending cannot be
// kept: its records are not finished, and nothing that comes after them may be.
func (c call) rescue(err *error, records ...work) {
	v := recover()
	switch {
	case v != nil:
		*err = &panicked{value: fmt.Sprint(v), stack: record.Cut(string(debug.Stack()), record.MaxStack)}
	case *err == errGone: //nolint:errorlint // it is this very value or it is not
		c.end(1, errGone)
		c.abandon(&records[0])
		c.consumer.halt(records[0].partition, errGone)
		for _, w := range records {
			w.partition.giveBack(&w)
			c.consumer.closed(&w)
		}
	}
}

// undecodable is the failure of a value that is not what its schema says.
type undecodable struct{ err error }

func (u *undecodable) Error() string { return u.err.Error() }
func (u *undecodable) Unwrap() error { return u.err }

// panicked is the failure of a handler that panicked.
type panicked struct{ value, stack string }

func (p *panicked) Error() string { return "handler panicked: " + p.value }

// recordOf is a shorthand of tests and logs.
func recordOf(rec *kgo.Record) string {
	return fmt.Sprintf("%s/%d@%d", rec.Topic, rec.Partition, rec.Offset)
}
