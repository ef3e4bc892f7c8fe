package kafka

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// The topic settings that Slipway plans, in Kafka's words.
const (
	CleanupPolicy     = "cleanup.policy"
	MaxMessageBytes   = "max.message.bytes"
	MinInsyncReplicas = "min.insync.replicas"
	RetentionMillis   = "retention.ms"
)

// A Topic is a topic as it is, or as it shall be created.
type Topic struct {
	Name       string
	Partitions int // 0 when creating means the broker's default
	Replicas   int // 0 when creating means the broker's default

	// Configs are the settings in effect when read (defaults included), and
	// the ones to set when created.
	Configs map[string]string
}

func (t Topic) settings() (string, map[string]string) { return t.Name, t.Configs }

// Topics describes the named topics. Those that do not exist are absent from
// the result.
func (c *Cluster) Topics(ctx context.Context, names ...string) (map[string]Topic, error) {
	topics := make(map[string]Topic, len(names))
	for batch := range slices.Chunk(names, MaxBatch) {
		if err := c.describeTopics(ctx, batch, topics); err != nil {
			return nil, c.diagnose(err)
		}
	}
	return topics, nil
}

func (c *Cluster) describeTopics(ctx context.Context, names []string, into map[string]Topic) error {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	metadata, err := c.metadata(ctx, names)
	if err != nil {
		return err
	}
	var found []string
	for _, t := range metadata {
		switch err := kerr.ErrorForCode(t.ErrorCode); {
		case errors.Is(err, kerr.UnknownTopicOrPartition):
			continue
		case err != nil:
			return err
		}
		replicas := 0
		for _, p := range t.Partitions {
			replicas = max(replicas, len(p.Replicas))
		}
		found = append(found, *t.Topic)
		into[*t.Topic] = Topic{Name: *t.Topic, Partitions: len(t.Partitions), Replicas: replicas}
	}
	configs, err := c.admin.DescribeTopicConfigs(ctx, found...)
	if err != nil {
		return err
	}
	for _, rc := range configs {
		if rc.Err != nil {
			return rc.Err
		}
		t := into[rc.Name]
		t.Configs = make(map[string]string, len(rc.Configs))
		for _, kv := range rc.Configs {
			t.Configs[kv.Key] = kv.MaybeValue()
		}
		into[rc.Name] = t
	}
	return nil
}

// metadata asks the cluster itself. The client's own listing answers from a
// cache that is seconds old, which would plan again what has just been made.
func (c *Cluster) metadata(ctx context.Context, names []string) ([]kmsg.MetadataResponseTopic, error) {
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{} // none, where nil would mean all
	for _, name := range names {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = &name
		req.Topics = append(req.Topics, t)
	}
	resp, err := req.RequestWith(ctx, c.client)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(resp.Topics, func(t kmsg.MetadataResponseTopic) bool { return t.Topic == nil }), nil
}

// CreateTopics creates topics. One that exists already is done, whatever it
// looks like: plan again to see what differs.
func (c *Cluster) CreateTopics(ctx context.Context, topics []Topic) []error {
	return sendAll(ctx, c, byPartitions(topics), c.createTopics)
}

// maxPartitions is how many partitions one request creates. Brokers refuse
// requests for more than 10,000 as a whole.
const maxPartitions = 5000

// byPartitions cuts topics into batches of at most MaxBatch topics and
// maxPartitions partitions. A single topic with more is a batch of its own.
func byPartitions(topics []Topic) iter.Seq[[]Topic] {
	return func(yield func([]Topic) bool) {
		first, partitions := 0, 0
		for i, t := range topics {
			if i > first && (i-first == MaxBatch || partitions+t.Partitions > maxPartitions) {
				if !yield(topics[first:i]) {
					return
				}
				first, partitions = i, 0
			}
			partitions += t.Partitions
		}
		if first < len(topics) {
			yield(topics[first:])
		}
	}
}

func (c *Cluster) createTopics(ctx context.Context, batch []Topic) ([]error, error) {
	req := kmsg.NewPtrCreateTopicsRequest()
	req.TimeoutMillis = int32(c.timeout.Milliseconds())
	for _, t := range batch {
		rt := kmsg.NewCreateTopicsRequestTopic()
		rt.Topic = t.Name
		rt.NumPartitions = orDefault[int32](t.Partitions)
		rt.ReplicationFactor = orDefault[int16](t.Replicas)
		for _, key := range slices.Sorted(maps.Keys(t.Configs)) {
			rc := kmsg.NewCreateTopicsRequestTopicConfig()
			rc.Name, rc.Value = key, new(t.Configs[key])
			rt.Configs = append(rt.Configs, rc)
		}
		req.Topics = append(req.Topics, rt)
	}
	resp, err := req.RequestWith(ctx, c.client)
	if err != nil {
		return nil, err
	}
	answers := make(map[string]error, len(resp.Topics))
	for _, t := range resp.Topics {
		answers[t.Topic] = c.answer(t.ErrorCode, t.ErrorMessage, kerr.TopicAlreadyExists)
	}
	return byName(batch, func(t Topic) string { return t.Name }, answers), nil
}

// orDefault writes "the broker's default" the way the protocol does.
func orDefault[T int16 | int32](n int) T {
	if n <= 0 {
		return -1
	}
	return T(n)
}

// GrowTopics raises topics to the number of partitions in each Topic. One
// that has as many already is done.
func (c *Cluster) GrowTopics(ctx context.Context, topics []Topic) []error {
	return inBatches(ctx, c, topics, c.growTopics)
}

func (c *Cluster) growTopics(ctx context.Context, batch []Topic) ([]error, error) {
	names := make([]string, len(batch))
	for i, t := range batch {
		names[i] = t.Name
	}
	metadata, err := c.metadata(ctx, names)
	if err != nil {
		return nil, err
	}
	partitions := make(map[string]int, len(metadata))
	for _, t := range metadata {
		partitions[*t.Topic] = len(t.Partitions)
	}
	req := kmsg.NewPtrCreatePartitionsRequest()
	req.TimeoutMillis = int32(c.timeout.Milliseconds())
	answers := make(map[string]error, len(batch))
	for _, t := range batch {
		if partitions[t.Name] == t.Partitions {
			answers[t.Name] = nil
			continue
		}
		rt := kmsg.NewCreatePartitionsRequestTopic()
		rt.Topic, rt.Count = t.Name, int32(t.Partitions)
		req.Topics = append(req.Topics, rt)
	}
	if len(req.Topics) > 0 {
		resp, err := req.RequestWith(ctx, c.client)
		if err != nil {
			return nil, err
		}
		for _, t := range resp.Topics {
			answers[t.Topic] = c.answer(t.ErrorCode, t.ErrorMessage)
		}
	}
	return byName(batch, func(t Topic) string { return t.Name }, answers), nil
}

// SetConfigs sets the settings in each Topic and leaves its others alone.
func (c *Cluster) SetConfigs(ctx context.Context, topics []Topic) []error {
	return setConfigs(ctx, c, kmsg.ConfigResourceTypeTopic, topics)
}
