package retrylog

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const reachBytes = 1 << 20 // of one look

// Reach returns how far a reader comes who stands at an offset of a partition,
// without meeting a record: to the first one that is there, or to where he has
// to wait for more. What lies between was compacted, deleted, aborted, or is a
// transaction's mark, of which clients tell nobody. The topic may be any one
// that may be read.
func (l *Log) Reach(ctx context.Context, topic string, partition int32, from int64, isolation kgo.IsolationLevel) (int64, error) {
	at := from
	err := l.insist(ctx, func(age time.Duration) error {
		t, err := l.describe(ctx, topic, age)
		if err != nil {
			return err
		}
		for met := false; err == nil && !met && ctx.Err() == nil; {
			at, met, err = l.step(ctx, t, partition, at, isolation)
		}
		return err
	})
	if err != nil {
		return from, fmt.Errorf("look ahead in %s/%d from offset %d: %w", topic, partition, from, err)
	}
	return at, nil
}

// step goes from an offset to the next record, or as far as one look tells. It
// reports whether that is the end of the way.
func (l *Log) step(ctx context.Context, t description, partition int32, from int64, isolation kgo.IsolationLevel) (to int64, met bool, err error) {
	rp, err := l.ask(ctx, t, partition, from, isolation)
	if err != nil {
		return from, false, err
	}
	if rp == nil { // below the start of the log: everything was deleted
		b, err := l.Bounds(ctx, *t.Topic, partition)
		return max(from, b[partition].Start), from >= b[partition].Start, err
	}
	end := rp.HighWatermark
	if isolation == kgo.ReadCommitted() {
		end = rp.LastStableOffset
	}
	if len(rp.RecordBatches) == 0 {
		return max(from, end), true, nil
	}
	to, met = between(rp, *t.Topic, from, isolation)
	return to, met || to <= from || to >= end, nil
}

// ask fetches from an offset; nil if the log does not reach so far back.
func (l *Log) ask(ctx context.Context, t description, partition int32, from int64, isolation kgo.IsolationLevel) (*kmsg.FetchResponseTopicPartition, error) {
	leader, err := t.leader(partition)
	if err != nil {
		return nil, err
	}
	req := fetchOf(t, partition, from, reachBytes)
	if isolation == kgo.ReadCommitted() {
		req.IsolationLevel = 1
	}
	rp, err := l.answer(ctx, leader, req)
	if err != nil {
		return nil, err
	}
	err = kerr.ErrorForCode(rp.ErrorCode)
	if errors.Is(err, kerr.OffsetOutOfRange) {
		return nil, nil
	}
	return rp, err
}

// fetchOf is a request for what a partition holds from an offset on, that is
// answered at once.
func fetchOf(t description, partition int32, from int64, bytes int32) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.MaxBytes = math.MaxInt32
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic, topic.TopicID = *t.Topic, t.TopicID // brokers from 3.1 on go by the id
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition, p.FetchOffset, p.PartitionMaxBytes = partition, from, bytes
	topic.Partitions = append(topic.Partitions, p)
	req.Topics = append(req.Topics, topic)
	return req
}

// answer is what a broker says of the one partition of a fetch.
func (l *Log) answer(ctx context.Context, leader int32, req *kmsg.FetchRequest) (*kmsg.FetchResponseTopicPartition, error) {
	got, err := l.client.Broker(int(leader)).Request(ctx, req)
	if err != nil {
		return nil, err
	}
	resp := got.(*kmsg.FetchResponse)
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return nil, err
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return nil, errors.New("the broker answered for other partitions")
	}
	return &resp.Topics[0].Partitions[0], nil
}
