package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// surveyTopics asks for topics and the bounds of their partitions.
func (c *Cluster) surveyTopics(ctx context.Context, names []string, s *Survey) error {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID = -1
	for batch := range slices.Chunk(names, 10*MaxBatch) {
		metadata, err := c.metadata(ctx, batch)
		if err != nil {
			return c.diagnose(err)
		}
		for _, t := range metadata {
			switch err := kerr.ErrorForCode(t.ErrorCode); {
			case errors.Is(err, kerr.UnknownTopicOrPartition):
			case err != nil:
				s.Faults[*t.Topic] = c.diagnose(fmt.Errorf("topic %s: %w", *t.Topic, err))
			default:
				s.Topics[*t.Topic] = topicID(t)
				req.Topics = append(req.Topics, everyPartition(t))
			}
		}
	}
	fault := func(at Partition, err error) {
		if s.Faults[at.Topic] == nil {
			s.Faults[at.Topic] = c.diagnose(fmt.Errorf("offsets of %s: %w", at, err))
		}
	}
	ends := c.offsets(ctx, req, func(Partition) int64 { return -1 }, fault)
	starts := c.offsets(ctx, req, func(Partition) int64 { return -2 }, fault)
	for at, end := range ends {
		if start, ok := starts[at]; ok {
			s.Bounds[at] = Bounds{Start: start.Offset, End: max(end.Offset, start.Offset), EndEpoch: end.LeaderEpoch}
		}
	}
	return nil
}

func everyPartition(t kmsg.MetadataResponseTopic) kmsg.ListOffsetsRequestTopic {
	rt := kmsg.NewListOffsetsRequestTopic()
	rt.Topic = *t.Topic
	for _, p := range t.Partitions {
		rp := kmsg.NewListOffsetsRequestTopicPartition()
		rp.Partition = p.Partition
		rt.Partitions = append(rt.Partitions, rp)
	}
	return rt
}

// offsets asks the leaders of the partitions in a request for their offsets at a
// time, which is -1 for the end and -2 for the start.
func (c *Cluster) offsets(ctx context.Context, req *kmsg.ListOffsetsRequest, when func(Partition) int64, fault func(Partition, error)) map[Partition]kmsg.ListOffsetsResponseTopicPartition {
	if len(req.Topics) == 0 {
		return nil
	}
	for _, t := range req.Topics {
		for i := range t.Partitions {
			t.Partitions[i].Timestamp = when(Partition{t.Topic, t.Partitions[i].Partition})
		}
	}
	found := map[Partition]kmsg.ListOffsetsResponseTopicPartition{}
	for _, shard := range c.client.RequestSharded(ctx, req) {
		if shard.Err != nil {
			for _, t := range shard.Req.(*kmsg.ListOffsetsRequest).Topics {
				fault(Partition{t.Topic, t.Partitions[0].Partition}, shard.Err)
			}
			continue
		}
		for _, t := range shard.Resp.(*kmsg.ListOffsetsResponse).Topics {
			for _, p := range t.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					fault(Partition{t.Topic, p.Partition}, err)
					continue
				}
				found[Partition{t.Topic, p.Partition}] = p
			}
		}
	}
	return found
}
