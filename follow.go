package slipway

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// ErrOffsetGone reports that a partition does not hold the offset that a
// [Reader] was to begin at, or had come to: retention deleted it, or it was
// never written. Ask [Reader.Bounds] what is there.
var ErrOffsetGone = errors.New("offset is not in the partition")

// A Start says where a [Reader] begins.
type Start struct {
	kind   startKind
	offset int64
	time   time.Time
}

type startKind uint8

const (
	fromOldest startKind = iota
	fromNewest
	fromOffset
	fromTime
)

// Oldest begins at the first record that the partition still holds. It is the
// zero Start.
func Oldest() Start { return Start{} }

// Newest begins behind the last record: only what is written from now on is
// read.
func Newest() Start { return Start{kind: fromNewest} }

// At begins at an offset. Where the partition does not hold it any more, the
// contract's gap policy decides.
func At(offset int64) Start { return Start{kind: fromOffset, offset: offset} }

// Since begins at the first record that was written at a time or later, by the
// topic's clock; behind the last record if there is none.
func Since(t time.Time) Start { return Start{kind: fromTime, time: t} }

// A ReadOption varies one call of [Reader.Read].
type ReadOption interface{ apply(*readOptions) }

type readOptions struct{ untilEnd bool }

type readOption func(*readOptions)

func (f readOption) apply(o *readOptions) { f(o) }

// UntilEnd stops reading at the end that the partition had when reading began,
// instead of waiting for more.
func UntilEnd() ReadOption { return readOption(func(o *readOptions) { o.untilEnd = true }) }

// A Reader reads partitions of a consumed topic without a consumer group: it
// chooses where to begin, commits nothing, and disturbs no group. It is what a
// handler is not: for caches, for looking something up, for reading again.
// It is safe for concurrent use, and each call of [Reader.Read] is a reading of
// its own.
type Reader[T any] struct{ *source }

// NewReader makes a reader of an entry of the contract's consumes block. An
// entry that says as: table has readers and no handler; one that says
// as: stream may have both. Call it before [App.Run], which checks T against
// the entry's schema as it does for [Handle].
func NewReader[T any](app *App, entry string) *Reader[T] {
	s := &source{app: app, name: entry, typ: reflect.TypeFor[T](), consume: app.contract.Consumes[entry]}
	if s.consume == nil {
		app.faults.Add(diag.New(diag.RuntimeNotConsumed, "code reads %q, which the contract of %s does not consume", entry, app.contract.Name).
			WithFix("add %q to consumes in slipway.yaml, or remove the reader; the contract consumes %s", entry, list(app.contract.Consumes)))
	} else {
		s.link = app.linkOf(s.consume.Cluster)
		app.OnStart("read "+entry, s.bind)
	}
	return &Reader[T]{s}
}

// Read returns the records of a partition, one after the other, in order. At
// the end it waits for more. It ends quietly when ctx ends, and when the caller
// leaves the loop.
//
// Every error is handed to the caller and none ends the service:
//
//	for m, err := range orders.Read(ctx, 0, slipway.Oldest()) {
//		if err != nil {
//			return err // or go on
//		}
//		…
//	}
//
// An error beside a message concerns that message alone, which cannot be
// decoded; its Record holds what was written. An error without one concerns the
// partition. A caller that goes on after an error goes on behind what could not
// be decoded, or waits until the cluster, the right or the schema registry is
// there again: nothing is passed over meanwhile. [ErrOffsetGone] and a batch
// too large to be unpacked are the last things that Read returns.
func (r *Reader[T]) Read(ctx context.Context, partition int32, from Start, opts ...ReadOption) iter.Seq2[*Message[T], error] {
	return func(yield func(*Message[T], error) bool) {
		var o readOptions
		for _, opt := range opts {
			opt.apply(&o)
		}
		f := &follower{source: r.source, partition: partition}
		f.yield = func(rec *kgo.Record, err error) bool {
			if rec == nil {
				return yield(nil, err)
			}
			m := &Message[T]{Record: rec, Attempt: 1, Tombstone: rec.Value == nil}
			if err := f.decode(ctx, rec, &m.Value); err != nil {
				return !errors.Is(err, errLeft) && yield(m, err)
			}
			return ctx.Err() == nil && yield(m, nil)
		}
		f.run(ctx, from, o)
	}
}

// source is what readers of all types share.
type source struct {
	app     *App
	link    *link
	name    string
	typ     reflect.Type
	consume *contract.Consume
	values  *reader // from App.Run on
}

// bind checks the reader's type against the schema.
func (s *source) bind(ctx context.Context) error {
	values, err := s.link.newReader(ctx, s.name, s.consume, s.typ)
	if err != nil {
		return err
	}
	s.values = values
	return nil
}

func (s *source) topic() string { return s.link.physical(s.consume.Topic) }

// fault says what an error means and where it happened.
func (s *source) fault(partition int32, err error) error {
	return fmt.Errorf("read %s/%d: %w", s.topic(), partition, s.link.sendFault(s.link.named(err, toRead(s.topic()))))
}
