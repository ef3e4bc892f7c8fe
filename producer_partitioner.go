package slipway

import (
	"hash/crc32"
	"hash/fnv"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/contract"
)

// partitioners places keyed records as the contract says for each topic, which
// is as the clients of that name do it: a team that comes from one of them keeps
// the order of its keys.
func (l *link) partitioners() kgo.Partitioner {
	byTopic := make(topicPartitioners)
	for name, topic := range l.contract.Topics {
		if !l.has(topic.Cluster) {
			continue
		}
		switch topic.Partitioner {
		case contract.Sarama:
			byTopic[l.physical(name)] = kgo.StickyKeyPartitioner(kgo.SaramaCompatHasher(fnv32a))
		case contract.Librdkafka:
			byTopic[l.physical(name)] = consistentRandom{kgo.StickyKeyPartitioner(func(key []byte, n int) int {
				return int(crc32.ChecksumIEEE(key) % uint32(n))
			})}
		}
	}
	return byTopic
}

type topicPartitioners map[string]kgo.Partitioner

// ForTopic implements [kgo.Partitioner]; Java's placement is the default.
func (t topicPartitioners) ForTopic(topic string) kgo.TopicPartitioner {
	if p, ok := t[topic]; ok {
		return p.ForTopic(topic)
	}
	return kgo.StickyKeyPartitioner(nil).ForTopic(topic)
}

func fnv32a(key []byte) uint32 {
	h := fnv.New32a()
	_, _ = h.Write(key)
	return h.Sum32()
}

// consistentRandom is librdkafka's default: to it a key without length is none.
type consistentRandom struct{ kgo.Partitioner }

// ForTopic implements [kgo.Partitioner].
func (c consistentRandom) ForTopic(topic string) kgo.TopicPartitioner {
	return &emptyIsNone{c.Partitioner.ForTopic(topic)}
}

// An emptyIsNone takes keys without length for none.
type emptyIsNone struct{ kgo.TopicPartitioner }

// RequiresConsistency implements [kgo.TopicPartitioner].
func (p *emptyIsNone) RequiresConsistency(r *kgo.Record) bool { return len(r.Key) > 0 }

// Partition implements [kgo.TopicPartitioner].
func (p *emptyIsNone) Partition(r *kgo.Record, n int) int {
	if len(r.Key) == 0 {
		return p.TopicPartitioner.Partition(&kgo.Record{}, n)
	}
	return p.TopicPartitioner.Partition(r, n)
}

// OnNewBatch implements [kgo.TopicPartitionerOnNewBatch].
func (p *emptyIsNone) OnNewBatch() {
	if of, ok := p.TopicPartitioner.(kgo.TopicPartitionerOnNewBatch); ok {
		of.OnNewBatch()
	}
}

var _ kgo.TopicPartitionerOnNewBatch = (*emptyIsNone)(nil)
