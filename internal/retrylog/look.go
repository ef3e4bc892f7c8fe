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

// ErrNoRecord reports that the log holds no record at an offset: it was
// deleted, or never written.
var ErrNoRecord = errors.New("no record at this offset")

// At returns one record. It asks the partition's leader for the one batch that
// the record lies in, and goes on asking until ctx ends while there is none.
// What follows in the batch is handed to near, unless that is nil: it was read
// and decompressed anyway.
func (l *Log) At(ctx context.Context, topic string, partition int32, offset int64, near func(*kgo.Record)) (*kgo.Record, error) {
	var batch []*kgo.Record
	err := l.insist(ctx, func(age time.Duration) error {
		t, err := l.describe(ctx, topic, age)
		if err != nil {
			return err
		}
		leader, err := t.leader(partition)
		if err != nil {
			return err
		}
		batch, err = l.fetch(ctx, leader, t, partition, offset)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read %s/%d at offset %d: %w", topic, partition, offset, err)
	}
	if near != nil {
		for _, rec := range batch[1:] {
			near(rec)
		}
	}
	return batch[0], nil
}

func (l *Log) fetch(ctx context.Context, leader int32, t description, partition int32, offset int64) ([]*kgo.Record, error) {
	rp, err := l.answer(ctx, leader, fetchOf(t, partition, offset, 1)) // the first batch comes whole, however large
	if err != nil {
		return nil, err
	}
	return recordOf(rp, *t.Topic, offset)
}

// recordOf finds the record in its batch, and returns the batch from there on.
// Decompressing is not bounded here: who asks for an offset has seen the record
// when the partition was read, which is bounded.
func recordOf(rp *kmsg.FetchResponseTopicPartition, topic string, offset int64) ([]*kgo.Record, error) {
	err := kerr.ErrorForCode(rp.ErrorCode)
	if errors.Is(err, kerr.OffsetOutOfRange) {
		return nil, ErrNoRecord
	}
	if err != nil {
		return nil, err
	}
	got, _ := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
		Offset: offset, Topic: topic, Partition: rp.Partition,
	}, rp, kgo.DefaultDecompressor(), nil)
	switch {
	case len(got.Records) > 0 && got.Records[0].Offset == offset:
		return got.Records, nil
	case got.Err != nil:
		return nil, got.Err
	default:
		return nil, ErrNoRecord
	}
}
