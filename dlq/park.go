package dlq

import (
	"context"
	"hash/crc32"
	"hash/fnv"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/parking"
)

// PartitionOf is where the records of a key are: the partition of the retry
// topic, and of the topic that is consumed. It is computed as the topic's owner
// places keys; where nobody in the estate owns it, a letter with the key tells.
func (c *Client) PartitionOf(ctx context.Context, s Source, key []byte) (int32, error) {
	n, err := c.partitions(ctx, s)
	if err != nil {
		return 0, err
	}
	if s.Partitioner != "" {
		return place(s.Partitioner, key, n), nil
	}
	text := readable(key, maxName)
	for l, err := range c.Letters(ctx, s, Query{Key: &text}) {
		if err != nil {
			return 0, err
		}
		if string(l.Key) == string(key) && l.Origin.Partition != Unknown && believe(l, s, n) == nil {
			return l.Origin.Partition, nil
		}
	}
	return 0, diag.New(diag.DLQKey, "nobody says in which partition of %s key %q is", s.Origin, text)
}

// Park parks a key by hand: from now on its records wait. It holds for the
// group that the source is of, and in one partition.
func (c *Client) Park(ctx context.Context, s Source, key []byte, partition int32) error {
	return c.command(ctx, s, parking.Park, key, partition)
}

// Unpark lets a key go on that was parked by hand.
func (c *Client) Unpark(ctx context.Context, s Source, key []byte, partition int32) error {
	return c.command(ctx, s, parking.Release, key, partition)
}

// command writes a command that concerns a key and no ticket.
func (c *Client) command(ctx context.Context, s Source, do parking.Op, key []byte, partition int32) error {
	n, err := c.partitions(ctx, s)
	if err != nil {
		return err
	}
	if partition < 0 || int(partition) >= n {
		return diag.New(diag.DLQKey, "partition %d is none of %s, which has %d", partition, s.Retry, n)
	}
	told := command{parking.Entry{Kind: parking.Command, Op: do, Key: s.ordered(key)}, partition, nil}
	if err := c.client.ProduceSync(ctx, told.encode(s.Retry)).FirstErr(); err != nil {
		return c.failed(err, "write to "+s.Retry, "topic "+s.Retry, "WRITE")
	}
	return nil
}

// partitions is how many partitions a source's retry topic has.
func (c *Client) partitions(ctx context.Context, s Source) (int, error) {
	if s.Retry == "" {
		return 0, diag.New(diag.DLQNoRetry, "entry %s of %s has no retry topic", s.Entry, s.Service)
	}
	n, err := c.log.Partitions(ctx, s.Retry)
	return n, c.failed(err, "look at "+s.Retry, "topic "+s.Retry, "WRITE")
}

// place computes a key's partition as the clients of the topic's owner do.
func place(by contract.Partitioner, key []byte, n int) int32 {
	hash := kgo.PartitionerHasher(nil) // Java's
	switch by {
	case contract.Sarama:
		hash = kgo.SaramaCompatHasher(func(key []byte) uint32 {
			h := fnv.New32a()
			_, _ = h.Write(key)
			return h.Sum32()
		})
	case contract.Librdkafka:
		hash = func(key []byte, n int) int { return int(crc32.ChecksumIEEE(key) % uint32(n)) }
	}
	return int32(kgo.StickyKeyPartitioner(hash).ForTopic("").Partition(&kgo.Record{Key: key}, n))
}
