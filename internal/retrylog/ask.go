package retrylog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	metadataAge = time.Minute // how old what is known of a topic may be, until it proves wrong
	firstPause  = 50 * time.Millisecond
	longPause   = 2 * time.Second

	earliest, latest = -2, -1 // timestamps with a meaning, in ListOffsets
)

// Bounds are where a partition's log starts and ends. End is the offset that
// the next record gets.
type Bounds struct{ Start, End int64 }

// A Commit is what a group committed for a partition.
type Commit struct {
	Offset   int64
	Epoch    int32 // -1 if unknown
	Metadata string
}

// Bounds returns where the logs of a topic's partitions start and end; without
// partitions, of all.
func (l *Log) Bounds(ctx context.Context, topic string, partitions ...int32) (map[int32]Bounds, error) {
	all := make(map[int32]Bounds)
	err := l.insist(ctx, func(age time.Duration) error {
		wanted := partitions
		if len(wanted) == 0 {
			t, err := l.describe(ctx, topic, age)
			if err != nil {
				return err
			}
			wanted = t.partitions()
		}
		starts, err := l.offsetsAt(ctx, topic, wanted, earliest)
		if err != nil {
			return err
		}
		ends, err := l.offsetsAt(ctx, topic, wanted, latest)
		for _, p := range wanted {
			all[p] = Bounds{starts[p], ends[p]}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ask for bounds of %s: %w", topic, err)
	}
	return all, nil
}

func (l *Log) offsetsAt(ctx context.Context, topic string, partitions []int32, timestamp int64) (map[int32]int64, error) {
	req := kmsg.NewPtrListOffsetsRequest()
	t := kmsg.NewListOffsetsRequestTopic()
	t.Topic = topic
	for _, id := range partitions {
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Partition, p.Timestamp = id, timestamp
		t.Partitions = append(t.Partitions, p)
	}
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(ctx, l.client)
	if err != nil {
		return nil, err
	}
	offsets := make(map[int32]int64)
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return nil, fmt.Errorf("partition %d: %w", p.Partition, err)
			}
			offsets[p.Partition] = p.Offset
		}
	}
	return offsets, answered(offsets, partitions)
}

// answered checks that nothing asked for was passed over.
func answered[V any](answers map[int32]V, partitions []int32) error {
	for _, p := range partitions {
		if _, ok := answers[p]; !ok {
			return fmt.Errorf("partition %d: the cluster gave no answer", p)
		}
	}
	return nil
}

// Offsets returns what a group committed for some topics. Partitions without a
// commit are missing. It waits for transactions that would change the offsets.
func (l *Log) Offsets(ctx context.Context, group string, topics ...string) (map[string]map[int32]Commit, error) {
	var all map[string]map[int32]Commit
	err := l.insist(ctx, func(time.Duration) error {
		req := kmsg.NewPtrOffsetFetchRequest()
		req.RequireStable = true
		g := kmsg.NewOffsetFetchRequestGroup()
		g.Group = group
		names := make(map[[16]byte]string)
		for _, topic := range topics {
			t, err := l.describe(ctx, topic, time.Nanosecond) // a partition may just have been added
			if err != nil {
				return fmt.Errorf("topic %s: %w", topic, err)
			}
			ask := kmsg.NewOffsetFetchRequestGroupTopic()
			ask.Topic, ask.TopicID, ask.Partitions = topic, t.TopicID, t.partitions()
			g.Topics = append(g.Topics, ask)
			names[t.TopicID] = topic
		}
		req.Groups = append(req.Groups, g)
		resp, err := req.RequestWith(ctx, l.client)
		if err == nil {
			all, err = commits(resp, names)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ask for offsets of group %s: %w", group, err)
	}
	return all, nil
}

// commits reads an answer; newer brokers name topics by their ids.
func commits(resp *kmsg.OffsetFetchResponse, names map[[16]byte]string) (map[string]map[int32]Commit, error) {
	all := make(map[string]map[int32]Commit)
	for _, g := range resp.Groups {
		err := kerr.ErrorForCode(g.ErrorCode)
		if errors.Is(err, kerr.GroupIDNotFound) {
			continue // it has not committed anything yet
		}
		if err != nil {
			return nil, err
		}
		for _, t := range g.Topics {
			name := t.Topic
			if name == "" {
				name = names[t.TopicID]
			}
			for _, p := range t.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					return nil, fmt.Errorf("partition %s/%d: %w", name, p.Partition, err)
				}
				if p.Offset < 0 {
					continue
				}
				if all[name] == nil {
					all[name] = make(map[int32]Commit)
				}
				c := Commit{Offset: p.Offset, Epoch: p.LeaderEpoch}
				if p.Metadata != nil {
					c.Metadata = *p.Metadata
				}
				all[name][p.Partition] = c
			}
		}
	}
	return all, nil
}

// DeleteBelow deletes the records of a partition below an offset. It is no
// error if they are gone already.
func (l *Log) DeleteBelow(ctx context.Context, topic string, partition int32, offset int64) error {
	err := l.insist(ctx, func(time.Duration) error {
		req := kmsg.NewPtrDeleteRecordsRequest()
		t := kmsg.NewDeleteRecordsRequestTopic()
		t.Topic = topic
		p := kmsg.NewDeleteRecordsRequestTopicPartition()
		p.Partition, p.Offset = partition, offset
		t.Partitions = append(t.Partitions, p)
		req.Topics = append(req.Topics, t)
		resp, err := req.RequestWith(ctx, l.client)
		if err != nil {
			return err
		}
		for _, t := range resp.Topics {
			for _, p := range t.Partitions {
				return kerr.ErrorForCode(p.ErrorCode)
			}
		}
		return errors.New("the cluster gave no answer")
	})
	if errors.Is(err, kerr.OffsetOutOfRange) && l.gone(ctx, topic, partition, offset) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("delete records of %s/%d below %d: %w", topic, partition, offset, err)
	}
	return nil
}

// gone reports whether nothing is left below an offset.
func (l *Log) gone(ctx context.Context, topic string, partition int32, offset int64) bool {
	b, err := l.Bounds(ctx, topic, partition)
	return err == nil && offset <= b[partition].Start
}

// description is a topic as the client knows it.
type description struct{ kmsg.MetadataResponseTopic }

func (d description) partitions() []int32 {
	ids := make([]int32, len(d.Partitions))
	for i, p := range d.Partitions {
		ids[i] = p.Partition
	}
	return ids
}

func (d description) leader(partition int32) (int32, error) {
	for _, p := range d.Partitions {
		if p.Partition == partition {
			return p.Leader, kerr.ErrorForCode(p.ErrorCode)
		}
	}
	return -1, kerr.UnknownTopicOrPartition
}

func (l *Log) describe(ctx context.Context, topic string, age time.Duration) (description, error) {
	req := kmsg.NewPtrMetadataRequest()
	t := kmsg.NewMetadataRequestTopic()
	t.Topic = &topic
	req.Topics = append(req.Topics, t)
	resp, err := l.client.RequestCachedMetadata(ctx, req, age)
	if err != nil {
		return description{}, err
	}
	if len(resp.Topics) != 1 {
		return description{}, kerr.UnknownTopicOrPartition
	}
	d := description{resp.Topics[0]}
	if err := kerr.ErrorForCode(d.ErrorCode); err != nil {
		return d, err
	}
	l.meet(topic, d.TopicID)
	return d, nil
}

// insist repeats what may come right by itself, a new leader above all, until
// ctx ends. What is tried is told how old its knowledge of topics may be: after
// the first failure, not at all.
func (l *Log) insist(ctx context.Context, try func(age time.Duration) error) error {
	var last error
	age, pause := metadataAge, firstPause
	for {
		err := try(age)
		switch {
		case err == nil:
			return nil
		case l.ctx.Err() != nil:
			return ErrClosed
		case ctx.Err() == nil && !passing(err):
			return err
		case ctx.Err() == nil:
			last = err
		}
		select {
		case <-time.After(pause):
		case <-l.ctx.Done():
		case <-ctx.Done():
			if last == nil {
				return context.Cause(ctx)
			}
			return fmt.Errorf("%w: %w", context.Cause(ctx), last)
		}
		age, pause = time.Nanosecond, min(2*pause, longPause)
	}
}

// passing reports whether an error may be over soon. One that is not a broker's
// answer is a connection's.
func passing(err error) bool {
	if _, answered := errors.AsType[*kerr.Error](err); answered {
		return kerr.IsRetriable(err)
	}
	return !errors.Is(err, kgo.ErrClientClosed) && !errors.Is(err, ErrNoRecord)
}
