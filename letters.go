package slipway

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	lettersEvery   = 30 * time.Second
	lettersTimeout = 10 * time.Second
)

// letters is what is known of a dead-letter topic; the zero letters know
// nothing.
type letters struct{ known atomic.Pointer[mailbox] }

// A mailbox is how many dead letters lie in a topic, and since when the oldest.
type mailbox struct {
	depth  int64
	oldest time.Time // zero for none
}

// get returns how many there are, -1 if nobody knows, and how old the oldest
// one is.
func (l *letters) get(now time.Time) (depth int64, age time.Duration) {
	m := l.known.Load()
	switch {
	case m == nil:
		return -1, -1
	case m.oldest.IsZero():
		return m.depth, 0
	default:
		return m.depth, max(0, now.Sub(m.oldest))
	}
}

// watchLetters looks into the dead-letter topics of a group now and then, until
// ctx ends. What cannot be asked for is not known: the runtime tells of a
// cluster that is away elsewhere.
func (c *consumer) watchLetters(ctx context.Context) error {
	for {
		for _, e := range c.entries {
			if e.dead == "" {
				continue
			}
			m, err := c.link.lookInto(ctx, e.dead)
			if err != nil {
				m = nil
			}
			e.letters.known.Store(m)
		}
		if !waitFor(ctx, lettersEvery) {
			return nil
		}
	}
}

// lookInto asks how many records a topic holds and how old the oldest is.
func (l *link) lookInto(ctx context.Context, topic string) (*mailbox, error) {
	ctx, cancel := context.WithTimeout(ctx, lettersTimeout)
	defer cancel()
	ids, err := l.partitionsOf(ctx, topic)
	if err != nil {
		return nil, err
	}
	m := new(mailbox)
	begin, err := l.listOffsets(ctx, topic, ids, atOldest)
	if err != nil {
		return nil, err
	}
	end, err := l.listOffsets(ctx, topic, ids, atEnd)
	if err != nil {
		return nil, err
	}
	for id := range end {
		m.depth += end[id].offset - begin[id].offset
	}
	if m.depth == 0 {
		return m, nil
	}
	first, err := l.listOffsets(ctx, topic, ids, 0) // the first record at or after 1970
	if err != nil {
		return nil, err
	}
	for id, at := range first {
		if begin[id].offset < end[id].offset && at.offset >= 0 && (m.oldest.IsZero() || at.time.Before(m.oldest)) {
			m.oldest = at.time
		}
	}
	return m, nil
}

// partitionsOf returns the partitions of a topic.
func (l *link) partitionsOf(ctx context.Context, topic string) ([]int32, error) {
	t := kmsg.NewMetadataRequestTopic()
	t.Topic = &topic
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(ctx, l.client)
	if err != nil {
		return nil, err
	}
	if len(resp.Topics) != 1 {
		return nil, errStranger
	}
	var ids []int32
	for _, p := range resp.Topics[0].Partitions {
		ids = append(ids, p.Partition)
	}
	return ids, kerr.ErrorForCode(resp.Topics[0].ErrorCode)
}

// A moment is a record's place and time.
type moment struct {
	offset int64 // -1 for none
	time   time.Time
}

// listOffsets asks for the offset of each partition at a time.
func (l *link) listOffsets(ctx context.Context, topic string, ids []int32, at int64) (map[int32]moment, error) {
	t := kmsg.NewListOffsetsRequestTopic()
	t.Topic = topic
	for _, id := range ids {
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Partition, p.Timestamp = id, at
		t.Partitions = append(t.Partitions, p)
	}
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID, req.IsolationLevel, req.Topics = -1, 1, []kmsg.ListOffsetsRequestTopic{t}
	resp, err := req.RequestWith(ctx, l.client)
	if err != nil {
		return nil, err
	}
	got := make(map[int32]moment, len(ids))
	for _, answer := range resp.Topics {
		for _, p := range answer.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return nil, err
			}
			if !slices.Contains(ids, p.Partition) {
				return nil, errStranger
			}
			got[p.Partition] = moment{p.Offset, time.UnixMilli(p.Timestamp)}
		}
	}
	if len(got) != len(ids) {
		return nil, errStranger
	}
	return got, nil
}
