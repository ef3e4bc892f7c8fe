package slipway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/record"
)

// produceAll writes the effects of a settlement and waits for all of them.
// Dead letters, and what was refused for its size, go one at a time.
func (s *session) produceAll(ctx context.Context, b *settlement) error {
	var together []*kgo.Record
	var of []*effect
	for _, e := range b.effects {
		if e.dead || e.alone {
			continue
		}
		for _, rec := range e.records {
			together, of = append(together, again(rec)), append(of, e)
		}
	}
	if err := s.produce(ctx, together, of); err != nil {
		return err
	}
	for _, e := range b.effects {
		if !e.dead && !e.alone {
			continue
		}
		for _, rec := range e.records {
			if err := s.produce(ctx, []*kgo.Record{again(rec)}, []*effect{e}); err != nil {
				return err
			}
		}
	}
	return nil
}

// again copies a record, because the client writes into what it produces.
func again(rec *kgo.Record) *kgo.Record {
	return &kgo.Record{Topic: rec.Topic, Key: rec.Key, Value: rec.Value, Headers: rec.Headers, Timestamp: rec.Timestamp}
}

// produce writes records and waits for their acknowledgements, but not beyond
// ctx.
func (s *session) produce(ctx context.Context, records []*kgo.Record, of []*effect) error {
	if len(records) == 0 {
		return nil
	}
	done := make(chan kgo.ProduceResults, 1)
	client := s.client
	go func() { done <- client.ProduceSync(ctx, records...) }()
	var results kgo.ProduceResults
	select {
	case results = <-done:
	case <-ctx.Done():
		return fmt.Errorf("produce: %w", context.Cause(ctx))
	}
	at := make(map[*kgo.Record]*effect, len(records))
	for i, e := range of {
		at[records[i]] = e
	}
	refused := &refusals{}
	for _, r := range results {
		if r.Err == nil {
			continue
		}
		if !s.refused(at[r.Record], r) {
			return fmt.Errorf("produce to %s: %w", r.Record.Topic, r.Err)
		}
		err := s.consumer.link.named(r.Err, toWrite(r.Record.Topic))
		refused.errs = append(refused.errs, fmt.Errorf("produce to %s: %w", r.Record.Topic, err))
	}
	if len(refused.errs) > 0 {
		return refused
	}
	return nil
}

// refusals are records that their topics do not take.
type refusals struct{ errs []error }

func (r *refusals) Error() string   { return errors.Join(r.errs...).Error() }
func (r *refusals) Unwrap() []error { return r.errs }

// refused acts on a record that its topic does not take. What a handler sent
// and is too large, or invalid, dead-letters the record that it was sent for.
// What has no topic, and a dead letter that cannot be written, holds up its
// partition and no other. It reports false for an error that is none of the
// record's.
func (s *session) refused(e *effect, r kgo.ProduceResult) bool {
	answer, ok := errors.AsType[*kerr.Error](r.Err)
	if !ok || e == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := e.work.partition
	switch answer {
	case kerr.MessageTooLarge, kerr.RecordListTooLarge, kerr.InvalidRecord, kerr.InvalidTimestamp:
		if !e.dead && !e.alone {
			e.alone = true // another record of its batch may have been the cause
			return true
		}
	case kerr.TopicAuthorizationFailed, kerr.UnknownTopicOrPartition, kerr.UnknownTopicID, kerr.InvalidTopicException, kerr.PolicyViolation:
		s.hold(p, r)
		return true
	default:
		return false
	}
	if e.dead || p.entry.dead == "" {
		s.hold(p, r)
		return true
	}
	t := e.work.troubled()
	t.verdict, t.reason = fmt.Errorf("effect on %s: %w", r.Record.Topic, r.Err), record.Rejected
	s.held -= e.size()
	settleSpans(e.records, "dropped")
	e.records, e.dead = []*kgo.Record{s.consumer.deadLetter(&e.work)}, true
	s.held += e.size()
	s.consumer.logOf(&e.work).Error("effect refused, record dead-lettered", "code", diag.TransactionRefused, "to", p.entry.dead, "error", t.verdict)
	return true
}

// hold settles nothing of a partition for a while. The lock is held.
func (s *session) hold(p *partition, r kgo.ProduceResult) {
	if time.Now().Before(p.ledger.until) {
		return
	}
	wait := s.consumer.app.wait(min(time.Second<<min(p.ledger.refused, 10), maxHurdleWait), r.Err)
	p.ledger.refused++
	p.ledger.until = time.Now().Add(wait)
	silent := s.consumer.silent(p.unsettled(), r.Err)
	s.consumer.tell(p.unsettled(), r.Err.Error())
	if silent {
		return
	}
	s.consumer.link.log.Error("effects cannot be written, partition is not committed", "code", diag.TransactionRefused,
		"group", s.consumer.group, "topic", p.topic, "partition", p.id, "to", r.Record.Topic, "wait", wait, "error", r.Err)
}
