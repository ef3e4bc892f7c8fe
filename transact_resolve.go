package slipway

import (
	"context"
	"errors"
	"fmt"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/retrylog"
)

// resolve finds out how the transaction ended that is in doubt. Taking its id
// anew ends it for good; the offsets that the group then has, asked for when
// they are stable, are the transaction's own or those before it.
func (s *session) resolve(ctx context.Context, m membership) error {
	b := s.doubt
	if b == nil {
		return nil
	}
	client, err := s.open()
	if err != nil {
		return err
	}
	if b.idle {
		err = s.initIdle(ctx)
	} else if _, _, err = client.ProducerID(ctx); err != nil {
		s.discard()
	}
	if err != nil {
		return fmt.Errorf("take transactional id anew: %w", err)
	}
	var topics []string
	for topic := range s.consumer.entries {
		topics = append(topics, topic)
	}
	commits, err := s.consumer.link.retries.Offsets(ctx, s.consumer.group, topics...)
	if err != nil {
		return err
	}
	s.doubt = nil
	committed := s.judge(b, commits)
	s.consumer.link.log.Warn("outcome of a transaction found out", "code", diag.TransactionFailed, "group", s.consumer.group,
		"transactional_id", s.id, "committed", committed, "generation", m.generation)
	if committed {
		s.settled(b)
	} else {
		s.consumer.meter.aborted.Add(1)
	}
	return nil
}

var errOverruled = errors.New("the group's offset was moved by somebody else")

// judge reports whether the transaction in doubt was committed.
func (s *session) judge(b *settlement, commits map[string]map[int32]retrylog.Commit) bool {
	var overruled []*partition
	committed, known := false, false
	for tp, m := range b.moved {
		got, ok := commits[tp.topic][tp.id]
		m.of.mu.Lock()
		before := m.of.committed
		m.of.mu.Unlock()
		switch {
		case ok && got.Offset == m.offset && got.Metadata == m.metadata:
			committed, known = true, true
		case !ok && before.offset < 0, ok && got.Offset == before.offset && got.Metadata == before.metadata:
			known = true
		default:
			overruled = append(overruled, m.of)
		}
	}
	if known {
		return committed
	}
	for _, p := range overruled {
		s.mu.Lock()
		gone := p.ledger.closed
		s.mu.Unlock()
		if !gone {
			s.forget([]*partition{p})
			s.consumer.halt(p, fmt.Errorf("%w: %w", diag.TransactionOverruled, errOverruled))
		}
	}
	return false
}
