package slipway

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// A parted is what one send allocates: record, its place in the buffer and its
// headers, in one piece.
type parted struct {
	sending
	rec     kgo.Record
	headers [8]kgo.RecordHeader
}

// sent is the outcome of a send.
type sent struct {
	receipt Receipt
	err     error
}

// send is [Producer.Send] without its type.
func (p *producer) send(ctx context.Context, value any, opts []SendOption) (Receipt, error) {
	return p.wait(ctx, func(done func(Receipt, error)) { p.sendAsync(ctx, value, done, opts) })
}

// wait waits for the outcome of what start begins, no longer than ctx.
func (p *producer) wait(ctx context.Context, start func(func(Receipt, error))) (Receipt, error) {
	out := make(chan sent, 1)
	start(func(r Receipt, err error) { out <- sent{r, err} })
	select {
	case s := <-out:
		return s.receipt, s.err
	case <-ctx.Done():
	}
	select { // what has come through just now counts
	case s := <-out:
		return s.receipt, s.err
	default:
		return p.nowhere(), fmt.Errorf("send to %s: %w: %w", p.topic, ErrUnacknowledged, context.Cause(ctx))
	}
}

// nowhere is the receipt of what has no place.
func (p *producer) nowhere() Receipt { return Receipt{Topic: p.physical, Partition: -1, Offset: -1} }

// sendAsync is [Producer.SendAsync] without its type.
func (p *producer) sendAsync(ctx context.Context, value any, done func(Receipt, error), opts []SendOption) {
	if p.link.client == nil {
		done(Receipt{}, fmt.Errorf("send to %s: %w", p.topic, ErrNotRunning))
		return
	}
	var o sendOptions
	for _, opt := range opts {
		opt.apply(&o)
	}
	s := new(parted)
	ctx, s.span = p.trace(ctx, &o)
	if err := p.fill(ctx, &s.rec, s.headers[:0], value, &o); err != nil {
		endSend(s.span, nil, err)
		done(p.nowhere(), fmt.Errorf("send to %s: %w", p.topic, err))
		return
	}
	p.deliver(ctx, s, &o, done)
}

// deliver gives a record to what the contract says it goes by.
func (p *producer) deliver(ctx context.Context, s *parted, o *sendOptions, done func(Receipt, error)) {
	if o.later() && p.via != contract.Outbox {
		p.schedule(&s.rec, o.due, traceDone(s.span, "scheduled", done))
		return
	}
	switch p.via {
	case contract.Transaction:
		done(p.sendLater(ctx, s, o.sends))
	case contract.Outbox:
		endSend(s.span, nil, ErrOutbox)
		done(p.nowhere(), fmt.Errorf("send to %s: %w", p.topic, ErrOutbox))
	default:
		s.sending.rec, s.receipt = &s.rec, done
		p.pipe.send(ctx, &s.sending, true)
	}
}

// publish writes a complete record to a topic of the contract.
func (a *App) publish(ctx context.Context, rec *kgo.Record, done func(error)) {
	q := a.pipes[rec.Topic]
	if q == nil {
		done(diag.New(diag.RuntimeNotProduced, "publish to %s: the contract of %s produces %s, directly or through an outbox", rec.Topic, a.contract.Name, list(a.pipes)))
		return
	}
	q.put(ctx, rec, func(_ *kgo.Record, err error) {
		if err != nil {
			err = fmt.Errorf("publish to %s: %w", rec.Topic, q.link.sendFault(err))
		}
		done(err)
	})
}
