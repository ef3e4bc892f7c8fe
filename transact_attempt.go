package slipway

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// A membership is who commits: the coordinator refuses offsets of a member or
// generation that is not the group's.
type membership struct {
	member     string
	instance   *string
	generation int32
}

func (s *session) membership() membership {
	var m membership
	m.member, m.generation = s.consumer.client.GroupMetadata()
	if s.consumer.first().Static {
		m.instance = new(s.consumer.link.instance())
	}
	return m
}

// A producerID is who writes a transaction.
type producerID struct {
	name  string // the transactional id, "" while it is not known
	id    int64
	epoch int16
}

// write writes a transaction.
func (s *session) write(ctx context.Context, m membership, b *settlement) error {
	switch {
	case len(b.moved) == 0:
		return nil
	case len(b.effects) == 0:
		return s.writeIdle(ctx, m, b)
	}
	client, err := s.open()
	if err != nil {
		return err
	}
	if err := client.BeginTransaction(); err != nil {
		s.discard()
		return fmt.Errorf("begin transaction: %w", err)
	}
	if err := s.produceAll(ctx, b); err != nil {
		return s.abort(ctx, err)
	}
	id, epoch, err := client.ProducerID(ctx)
	if err != nil {
		return s.abort(ctx, err)
	}
	if err := s.offsets(ctx, producerID{s.id, id, epoch}, m, b.moved); err != nil {
		return s.abort(ctx, err)
	}
	if err := client.EndTransaction(ctx, kgo.TryCommit); err != nil {
		s.doubt = b
		s.discard()
		return fmt.Errorf("commit transaction: %w", err)
	}
	s.settled(b)
	return nil
}

// open returns the client of the session's transactions.
func (s *session) open() (*kgo.Client, error) {
	if s.client != nil {
		return s.client, nil
	}
	l := s.consumer.link
	common, err := l.commonOptions()
	if err != nil {
		return nil, err
	}
	life, end := context.WithCancel(context.Background())
	client, err := kgo.NewClient(append(common,
		kgo.TransactionalID(s.id), kgo.TransactionTimeout(transactionTimeout),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchCompression(kgo.SnappyCompression(), kgo.NoCompression()),
		kgo.ProducerLinger(0),
		kgo.RecordPartitioner(l.partitioners()),
		kgo.ProducerBatchMaxBytesFn(s.batchBytes),
		kgo.MaxVersions(s.versions()),
		kgo.WithContext(life),
	)...)
	if err != nil {
		end()
		return nil, fmt.Errorf("make client of transactions: %w", err)
	}
	s.client, s.end = client, end
	s.take(s.id)
	return client, nil
}

// take counts a transactional id that was taken before: by this session, when it
// did not know any more what had become of a transaction.
func (s *session) take(id string) {
	if s.taken[id] {
		s.consumer.meter.renewals.Add(1)
	}
	s.taken[id] = true
}

// batchBytes lets a dead letter be as large as its topic takes; they are
// written one at a time.
func (s *session) batchBytes(topic string) int32 {
	for _, e := range s.consumer.entries {
		if e.dead == topic {
			return maxBatchBytes
		}
	}
	return s.consumer.link.batchBytes(topic)
}

// versions keeps the requests that the session makes by itself to what it
// knows: offsets by topic name, and on old clusters the protocol before
// KIP-890.
func (s *session) versions() *kversion.Versions {
	v := kversion.Stable()
	v.SetMaxKeyVersion(int16(kmsg.TxnOffsetCommit), 5)
	if !s.consumer.link.safeTransactions {
		v.SetMaxKeyVersion(int16(kmsg.TxnOffsetCommit), 4)
		v.SetMaxKeyVersion(int16(kmsg.EndTxn), 4)
	}
	return v
}

// discard gives up the client. The next one takes the transactional id anew,
// which aborts what this one has left open and refuses what it may still send.
func (s *session) discard() {
	s.idle = producerID{}
	if s.client == nil {
		return
	}
	s.end() // first: nothing that is buffered is worth waiting for
	s.client.Close()
	s.client = nil
}

// rebalancing are the answers of a group that has moved on. They say for sure
// that offsets were not taken, and leave the producer as it was.
var rebalancing = []error{
	kerr.IllegalGeneration, kerr.UnknownMemberID, kerr.StaleMemberEpoch, kerr.FencedInstanceID, kerr.RebalanceInProgress, kerr.GroupIDNotFound,
}

// abort ends a transaction that must not be committed. It returns why. After
// anything but a refusal that is certain, the transactional id is taken anew.
func (s *session) abort(ctx context.Context, why error) error {
	_, clean := errors.AsType[*refusals](why)
	for _, expected := range rebalancing {
		clean = clean || errors.Is(why, expected)
	}
	if clean {
		clean = s.client.AbortBufferedRecords(ctx) == nil && s.client.EndTransaction(ctx, kgo.TryAbort) == nil
	}
	if !clean {
		s.discard()
	}
	s.consumer.meter.aborted.Add(1)
	return why
}
