package slipway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/contract"
)

// Partitions returns the partitions of the reader's topic, in order.
func (s *source) Partitions(ctx context.Context) ([]int32, error) {
	t, err := s.metadata(ctx)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", s.topic(), s.link.sendFault(err))
	}
	var ids []int32
	for _, p := range t.Partitions {
		ids = append(ids, p.Partition)
	}
	slices.Sort(ids)
	return ids, nil
}

// Bounds returns the first offset that a partition holds and the end, the
// offset that the next record will get. For a reader of committed records the
// end is where the first open transaction begins.
func (s *source) Bounds(ctx context.Context, partition int32) (oldest, end int64, err error) {
	oldest, end, err = s.bounds(ctx, partition)
	if err != nil {
		return 0, 0, s.fault(partition, err)
	}
	return oldest, end, nil
}

func (s *source) bounds(ctx context.Context, partition int32) (oldest, end int64, err error) {
	if oldest, err = s.lookUp(ctx, partition, atOldest); err != nil {
		return 0, 0, err
	}
	end, err = s.lookUp(ctx, partition, atEnd)
	return oldest, end, err
}

// begin returns where to begin and the partition's end.
func (s *source) begin(ctx context.Context, partition int32, from Start) (begin, end int64, err error) {
	oldest, end, err := s.bounds(ctx, partition)
	if err != nil {
		return 0, 0, err
	}
	switch from.kind {
	case fromNewest:
		return end, end, nil
	case fromTime:
		begin, err = s.lookUp(ctx, partition, from.time.UnixMilli())
		if err == nil && begin < 0 {
			begin = end // nothing was written since
		}
		return begin, end, err
	case fromOffset:
		begin, err = s.within(from.offset, oldest, end)
		return begin, end, err
	default:
		return oldest, end, nil
	}
}

// within applies the contract's gap policy to an offset.
func (s *source) within(offset, oldest, end int64) (int64, error) {
	switch {
	case offset >= oldest && offset <= end:
		return offset, nil
	case offset >= 0 && offset < oldest && s.consume.Gap == contract.GapEarliest:
		return oldest, nil
	case offset >= 0 && offset < oldest && s.consume.Gap == contract.GapLatest:
		return end, nil
	default:
		return 0, fmt.Errorf("%w: %d; it holds %d to %d", ErrOffsetGone, offset, oldest, end-1)
	}
}

var errStranger = errors.New("broker answered for another partition")

// What ListOffsets takes for a time.
const (
	atEnd    = -1
	atOldest = -2
)

// lookUp asks for the first offset written at a time in milliseconds or later,
// -1 for none.
func (s *source) lookUp(ctx context.Context, partition int32, at int64) (int64, error) {
	if s.link.client == nil {
		return 0, ErrNotRunning
	}
	p := kmsg.NewListOffsetsRequestTopicPartition()
	p.Partition, p.Timestamp = partition, at
	t := kmsg.NewListOffsetsRequestTopic()
	t.Topic, t.Partitions = s.topic(), []kmsg.ListOffsetsRequestTopicPartition{p}
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID, req.IsolationLevel, req.Topics = -1, s.isolationLevel(), []kmsg.ListOffsetsRequestTopic{t}
	resp, err := req.RequestWith(ctx, s.link.client)
	if err != nil {
		return 0, err
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return 0, errStranger
	}
	answer := resp.Topics[0].Partitions[0]
	return answer.Offset, kerr.ErrorForCode(answer.ErrorCode)
}

func (s *source) isolationLevel() int8 {
	if s.consume.Isolation == contract.Uncommitted {
		return 0
	}
	return 1
}

func (s *source) metadata(ctx context.Context) (kmsg.MetadataResponseTopic, error) {
	if s.link.client == nil {
		return kmsg.MetadataResponseTopic{}, ErrNotRunning
	}
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = new(s.topic())
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = append(req.Topics, topic)
	resp, err := req.RequestWith(ctx, s.link.client)
	if err != nil {
		return kmsg.MetadataResponseTopic{}, err
	}
	return resp.Topics[0], kerr.ErrorForCode(resp.Topics[0].ErrorCode)
}

// peek looks whether anything to be read follows an offset, and returns the
// offset behind what it has looked at. The client's own position cannot be
// asked for.
func (s *source) peek(ctx context.Context, client *kgo.Client, partition int32, offset int64) (next int64, empty bool, err error) {
	answer, err := s.fetchOnce(ctx, client, partition, offset)
	switch {
	case err != nil || answer == nil:
		return offset, false, err
	case len(answer.RecordBatches) == 0 && s.isolationLevel() == 1:
		return answer.LastStableOffset, true, nil
	case len(answer.RecordBatches) == 0:
		return answer.HighWatermark, true, nil
	}
	got, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
		KeepControlRecords: true, Offset: offset, IsolationLevel: isolation(s.consume), Topic: s.topic(), Partition: partition,
	}, answer, kgo.DefaultDecompressor(), nil)
	return next, len(got.Records) == 0 && got.Err == nil, nil
}

const peekBytes = 64 << 10 // a batch that is larger comes whole

// fetchOnce asks a partition's leader for what follows an offset. While there
// is no leader it returns nil, and the client waits for one.
func (s *source) fetchOnce(ctx context.Context, client *kgo.Client, partition int32, offset int64) (*kmsg.FetchResponseTopicPartition, error) {
	t, err := s.metadata(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(t.Partitions, func(p kmsg.MetadataResponseTopicPartition) bool { return p.Partition == partition })
	if i < 0 || t.Partitions[i].Leader < 0 {
		return nil, nil
	}
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition, p.FetchOffset, p.PartitionMaxBytes = partition, offset, peekBytes
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic, topic.TopicID, topic.Partitions = s.topic(), t.TopicID, []kmsg.FetchRequestTopicPartition{p}
	req := kmsg.NewPtrFetchRequest()
	req.MaxBytes, req.IsolationLevel, req.Topics = peekBytes, s.isolationLevel(), []kmsg.FetchRequestTopic{topic}
	resp, err := client.Broker(int(t.Partitions[i].Leader)).Request(ctx, req)
	if err != nil {
		return nil, err
	}
	fetched, ok := resp.(*kmsg.FetchResponse)
	if !ok || len(fetched.Topics) != 1 || len(fetched.Topics[0].Partitions) != 1 {
		return nil, errStranger
	}
	answer := &fetched.Topics[0].Partitions[0]
	return answer, cmp.Or(kerr.ErrorForCode(fetched.ErrorCode), kerr.ErrorForCode(answer.ErrorCode))
}

// outOfRange reports whether an offset was deleted under a reader.
func outOfRange(err error) bool {
	_, loss := errors.AsType[*kgo.ErrDataLoss](err)
	return loss || errors.Is(err, kerr.OffsetOutOfRange)
}
