package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Options are what a client needs to reach the cluster in the same way.
func (c Config) Options() ([]kgo.Opt, error) {
	d := &dialer{cfg: c.withDefaults()}
	return d.options()
}

// A Log looks at the offsets of topics and moves them, through a client that
// belongs to the caller. Its errors are Kafka's own.
type Log struct{ admin *kadm.Client }

// NewLog returns a log behind a client.
func NewLog(client *kgo.Client) Log { return Log{kadm.NewClient(client)} }

// A Span is the offsets that a partition holds: from Start, before End.
type Span struct{ Start, End int64 }

// Partitions is how many partitions a topic has.
func (l Log) Partitions(ctx context.Context, topic string) (int, error) {
	topics, err := l.admin.ListTopics(ctx, topic)
	if err != nil {
		return 0, err
	}
	return len(topics[topic].Partitions), topics[topic].Err
}

// Spans returns what the partitions of a topic hold. The end is before the
// first open transaction, which is where readers of committed records stop.
func (l Log) Spans(ctx context.Context, topic string) (map[int32]Span, error) {
	starts, err := l.admin.ListStartOffsets(ctx, topic)
	if err == nil {
		err = starts.Error()
	}
	if err != nil {
		return nil, err
	}
	ends, err := l.admin.ListCommittedOffsets(ctx, topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, err
	}
	spans := map[int32]Span{}
	starts.Each(func(o kadm.ListedOffset) {
		end, _ := ends.Lookup(topic, o.Partition)
		spans[o.Partition] = Span{o.Offset, max(o.Offset, end.Offset)}
	})
	return spans, nil
}

// After returns the first offset of each partition that was written at a time
// or later; the end where there is none.
func (l Log) After(ctx context.Context, topic string, t time.Time) (map[int32]int64, error) {
	listed, err := l.admin.ListOffsetsAfterMilli(ctx, t.UnixMilli(), topic)
	if err == nil {
		err = listed.Error()
	}
	if err != nil {
		return nil, err
	}
	offsets := map[int32]int64{}
	listed.Each(func(o kadm.ListedOffset) { offsets[o.Partition] = o.Offset })
	return offsets, nil
}

// A Position is what a group committed for a partition.
type Position struct {
	Offset   int64
	Metadata string
}

// Committed returns what a group committed for a topic. A group that never
// committed has no positions.
func (l Log) Committed(ctx context.Context, group, topic string) (map[int32]Position, error) {
	fetched, err := l.admin.FetchOffsets(ctx, group)
	if errors.Is(err, kerr.GroupIDNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	positions := map[int32]Position{}
	for p, o := range fetched[topic] {
		if o.Err != nil {
			return nil, o.Err
		}
		positions[p] = Position{o.At, o.Metadata}
	}
	return positions, nil
}

// Commit commits positions for a group that has no members.
func (l Log) Commit(ctx context.Context, group, topic string, positions map[int32]Position) error {
	var offsets kadm.Offsets
	for p, at := range positions {
		offsets.Add(kadm.Offset{Topic: topic, Partition: p, At: at.Offset, LeaderEpoch: -1, Metadata: at.Metadata})
	}
	committed, err := l.admin.CommitOffsets(ctx, group, offsets)
	if err != nil {
		return err
	}
	return committed.Error()
}

// DeleteBelow deletes the records of a topic below an offset of each partition.
// It returns an error for each partition of which nothing was deleted.
func (l Log) DeleteBelow(ctx context.Context, topic string, below map[int32]int64) map[int32]error {
	var offsets kadm.Offsets
	for p, at := range below {
		offsets.Add(kadm.Offset{Topic: topic, Partition: p, At: at, LeaderEpoch: -1})
	}
	deleted, err := l.admin.DeleteRecords(ctx, offsets)
	errs := map[int32]error{}
	for p := range below {
		answer, ok := deleted.Lookup(topic, p)
		switch {
		case ok && answer.Err == nil:
		case ok:
			errs[p] = answer.Err
		case err != nil:
			errs[p] = err
		default:
			errs[p] = fmt.Errorf("the cluster gave no answer for partition %d", p)
		}
	}
	return errs
}
