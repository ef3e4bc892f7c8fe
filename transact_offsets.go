package slipway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// offsets adds the offsets of a settlement to the transaction.
func (s *session) offsets(ctx context.Context, by producerID, m membership, moved progress) error {
	if !s.consumer.link.safeTransactions {
		if err := s.addOffsets(ctx, by); err != nil {
			return err
		}
	}
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch = by.name, by.id, by.epoch
	req.Group, req.MemberID, req.InstanceID, req.Generation = s.consumer.group, m.member, m.instance, m.generation
	byTopic := make(map[string]int)
	for tp, c := range moved {
		i, ok := byTopic[tp.topic]
		if !ok {
			i = len(req.Topics)
			byTopic[tp.topic] = i
			t := kmsg.NewTxnOffsetCommitRequestTopic()
			t.Topic = tp.topic
			req.Topics = append(req.Topics, t)
		}
		p := kmsg.NewTxnOffsetCommitRequestTopicPartition()
		p.Partition, p.Offset, p.LeaderEpoch, p.Metadata = tp.id, c.offset, c.epoch, new(c.metadata)
		req.Topics[i].Partitions = append(req.Topics[i].Partitions, p)
	}
	return patiently(ctx, "add offsets to transaction", func() error {
		resp, err := req.RequestWith(ctx, s.client)
		if err != nil {
			return err
		}
		for _, t := range resp.Topics {
			for _, p := range t.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// addOffsets tells the transaction that offsets will come, which later versions
// of the protocol do by themselves.
func (s *session) addOffsets(ctx context.Context, by producerID) error {
	req := kmsg.NewPtrAddOffsetsToTxnRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group = by.name, by.id, by.epoch, s.consumer.group
	return patiently(ctx, "announce offsets to transaction", func() error {
		resp, err := req.RequestWith(ctx, s.client)
		if err != nil {
			return err
		}
		return kerr.ErrorForCode(resp.ErrorCode)
	})
}

// patiently asks again while the transaction before is still being ended.
func patiently(ctx context.Context, what string, ask func() error) error {
	for {
		err := ask()
		if !errors.Is(err, kerr.ConcurrentTransactions) || !waitFor(ctx, 20*time.Millisecond) {
			if err != nil {
				return fmt.Errorf("%s: %w", what, err)
			}
			return nil
		}
	}
}

// writeIdle commits offsets of records that sent nothing. It is a transaction
// as well, because an offset commit on its own has no epoch: one that comes
// late could set the group back. It runs under an id of its own, because the
// client ends only transactions that it has produced in.
func (s *session) writeIdle(ctx context.Context, m membership, b *settlement) error {
	b.idle = true
	if err := s.initIdle(ctx); err != nil {
		return err
	}
	if err := s.offsets(ctx, s.idle, m, b.moved); err != nil {
		s.idle = producerID{} // taking the id anew aborts it
		s.consumer.meter.aborted.Add(1)
		return err
	}
	req := kmsg.NewPtrEndTxnRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Commit = s.idle.name, s.idle.id, s.idle.epoch, true
	err := patiently(ctx, "commit offsets", func() error {
		resp, err := req.RequestWith(ctx, s.client)
		if err != nil {
			return err
		}
		if resp.Version >= 5 && resp.ErrorCode == 0 {
			s.idle.id, s.idle.epoch = resp.ProducerID, resp.ProducerEpoch
		}
		return kerr.ErrorForCode(resp.ErrorCode)
	})
	if err != nil {
		s.idle, s.doubt = producerID{}, b
		return err
	}
	s.settled(b)
	return nil
}

// initIdle takes the second transactional id, unless it has been taken.
func (s *session) initIdle(ctx context.Context) error {
	if s.idle.name != "" {
		return nil
	}
	client, err := s.open()
	if err != nil {
		return err
	}
	name := s.id + "/offsets"
	req := kmsg.NewPtrInitProducerIDRequest()
	req.TransactionalID, req.TransactionTimeoutMillis = &name, int32(transactionTimeout.Milliseconds())
	return patiently(ctx, "take transactional id "+name, func() error {
		resp, err := req.RequestWith(ctx, client)
		if err != nil {
			return err
		}
		if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
			return err
		}
		s.idle = producerID{name, resp.ProducerID, resp.ProducerEpoch}
		s.take(name)
		return nil
	})
}
