package slipway

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// SendAt is [Producer.Send] at a time: the value is delivered then, or later if
// the cluster is away then, and never before. SendAt returns once the value is on
// disk in the service's spill directory (SPILL_PATH) as the contract's spill
// says; the receipt has no place: Partition and Offset are -1. What was accepted
// survives the process, and is delivered by the next one that has the
// directory, each value at least once. What is due at the same time goes in the
// order it was accepted.
//
// It is [Producer.Send] with [WithDueTime]. Without a spill directory it is a
// diagnostic, SLP-PRD-030. With via: outbox the outbox keeps the time: use
// outbox.Send with WithDueTime.
func (p *Producer[T]) SendAt(ctx context.Context, at time.Time, value *T, opts ...SendOption) (Receipt, error) {
	return p.p.send(ctx, value, append(slices.Clip(opts), WithDueTime(at)))
}

// WithDueTime has a record delivered at a time and never before it, see
// [Producer.SendAt]. A time that has passed is now. With via: outbox the record
// waits in the outbox's table.
func WithDueTime(t time.Time) SendOption { return sendOption(func(o *sendOptions) { o.due = t }) }

// later reports whether a value is to wait.
func (o *sendOptions) later() bool { return !o.due.IsZero() && time.Now().Before(o.due) }

// schedule puts a record on disk until its time.
func (p *producer) schedule(rec *kgo.Record, due time.Time, done func(Receipt, error)) {
	tell := func(err error) {
		if err != nil {
			err = fmt.Errorf("schedule for %s: %w", p.topic, err)
		}
		done(p.nowhere(), err)
	}
	if p.via != contract.Direct {
		tell(diag.New(diag.ProducerDueVia, "%s is via: %s", p.topic, p.via))
		return
	}
	if err := p.pipe.admissible(rec); err != nil {
		tell(p.link.sendFault(err))
		return
	}
	p.pipe.timetable.add(rec, due, tell)
}

// dueKey is where a record's context holds its due time.
type dueKey struct{}

// withDue notes in a record when it is due.
func withDue(rec *kgo.Record, due time.Time) {
	ctx := rec.Context
	if ctx == nil {
		ctx = context.Background()
	}
	rec.Context = context.WithValue(ctx, dueKey{}, due)
}

// DueTime is when a record of [Producer.Record] is to be delivered, zero for at
// once. It is for what carries complete records, such as an outbox.
func DueTime(rec *kgo.Record) time.Time {
	if rec.Context == nil {
		return time.Time{}
	}
	due, _ := rec.Context.Value(dueKey{}).(time.Time)
	return due
}
