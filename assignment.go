package slipway

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// revokeBudget is how long a rebalance waits for running handlers. It stays
// well below the client's rebalance timeout of a minute.
const revokeBudget = 20 * time.Second

// lastCommitTimeout is longer than the periodic commit's, which it may have to
// wait for.
const lastCommitTimeout = 2 * commitTimeout

// assigned begins the partitions that came to this instance.
func (c *consumer) assigned(_ context.Context, client *kgo.Client, got map[string][]int32) {
	client.ResumeFetchPartitions(got) // a pause outlives the assignment it was made in
	c.mu.Lock()
	defer c.mu.Unlock()
	for topic, ids := range got {
		for _, id := range ids {
			tp := topicPartition{topic, id}
			c.owned[tp] = newPartition(tp, client, c.entries[topic])
		}
	}
	if len(got) > 0 {
		c.app.log.Info("partitions assigned", "group", c.group, "partitions", got)
	}
}

// revoked hands partitions back: running handlers finish, their work is
// committed, and only then may the next owner begin.
func (c *consumer) revoked(_ context.Context, _ *kgo.Client, gone map[string][]int32) {
	partitions := c.disown(gone)
	if len(partitions) == 0 {
		c.commitLast(func() []*partition { return nil }) // a drain may be committing these very partitions
		return
	}
	c.release(partitions, min(revokeBudget, c.app.cfg.Environment.ShutdownTimeout*2/3), ErrRevoked)
	c.app.log.Info("partitions revoked", "group", c.group, "partitions", gone)
}

// lost gives up partitions that another instance may own already: handlers are
// cancelled at once and nothing is committed.
func (c *consumer) lost(_ context.Context, _ *kgo.Client, gone map[string][]int32) {
	for _, p := range c.disown(gone) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // no time for those that run
		p.settle(ctx, ErrRevoked)
		c.app.health.set(p.deadLetters(), "")
		c.app.log.Warn("partition lost", "group", c.group, "topic", p.topic, "partition", p.id)
	}
}

// disown removes partitions from what this instance owns.
func (c *consumer) disown(gone map[string][]int32) []*partition {
	c.mu.Lock()
	defer c.mu.Unlock()
	var partitions []*partition
	for topic, ids := range gone {
		for _, id := range ids {
			tp := topicPartition{topic, id}
			if p := c.owned[tp]; p != nil {
				partitions = append(partitions, p)
				delete(c.owned, tp)
			}
			c.app.health.set(tp.String(), "")
		}
	}
	return partitions
}

// release ends the work on partitions: what runs, and what lies before it,
// finishes within the budget or is cancelled, and what is finished is
// committed.
func (c *consumer) release(partitions []*partition, budget time.Duration, cause error) {
	c.settle(partitions, budget, cause)
	c.commitLast(func() []*partition { return partitions })
}

// commitLast commits what partitions have finished before they are given up.
func (c *consumer) commitLast(of func() []*partition) {
	ctx, cancel := context.WithTimeout(context.Background(), lastCommitTimeout)
	defer cancel()
	c.commit(ctx, of)
}

// settle waits until nothing of the partitions is open, within the budget. It
// returns how many had to be cancelled.
func (c *consumer) settle(partitions []*partition, budget time.Duration, cause error) int {
	ctx, cancel := context.WithTimeout(context.Background(), budget)
	defer cancel()
	var forced atomic.Int64
	var all sync.WaitGroup
	for _, p := range partitions {
		all.Go(func() {
			if p.settle(ctx, cause) {
				forced.Add(1)
			}
		})
	}
	all.Wait()
	for _, p := range partitions {
		c.app.health.set(p.String(), "")
		c.app.health.set(p.deadLetters(), "")
	}
	return int(forced.Load())
}

// committed notes what a commit moved and tells of what it could not.
func (c *consumer) committed(offsets map[string]map[int32]kgo.EpochOffset, moved map[topicPartition]*partition) func(*kgo.Client, *kmsg.OffsetCommitRequest, *kmsg.OffsetCommitResponse, error) {
	return func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
		if err != nil {
			if !errors.Is(err, context.Canceled) {
				c.app.log.Warn("commit failed, trying again", "group", c.group, "error", err)
			}
			return
		}
		for _, t := range resp.Topics {
			for _, answer := range t.Partitions {
				p := moved[topicPartition{t.Topic, answer.Partition}]
				if err := kerr.ErrorForCode(answer.ErrorCode); err != nil {
					c.app.log.Warn("commit refused", "group", c.group, "topic", t.Topic, "partition", answer.Partition, "error", err)
				} else if p != nil {
					p.setCommitted(offsets[t.Topic][answer.Partition].Offset)
				}
			}
		}
	}
}

// gone reports whether an offset was deleted under the consumer.
func (c *consumer) gone(err error) bool {
	var loss *kgo.ErrDataLoss
	return errors.Is(err, kerr.OffsetOutOfRange) || errors.As(err, &loss)
}
