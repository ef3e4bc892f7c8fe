package slipway

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// revokeBudget is how long a rebalance waits for running handlers. It stays
// well below the client's rebalance timeout of a minute.
const revokeBudget = 20 * time.Second

// assigned begins the partitions that came to this instance.
func (c *consumer) assigned(ctx context.Context, client *kgo.Client, got map[string][]int32) {
	client.ResumeFetchPartitions(got) // a pause outlives the assignment it was made in
	c.link.denials.succeeded(c.link, toJoin(c.group))
	member, _ := client.GroupMetadata()
	kept := c.keptBy(member)
	c.lost(ctx, client, kept)
	c.mu.Lock()
	if c.draining {
		c.mu.Unlock()
		return // the service stops: whoever comes next has them from the start
	}
	var partitions []*partition
	for _, of := range []map[string][]int32{got, kept} {
		for topic, ids := range of {
			for _, id := range ids {
				p := newPartition(topicPartition{topic, id}, client, c.entries[topic])
				p.member, p.kept = member, slices.Contains(kept[topic], id)
				c.owned[p.topicPartition] = p
				partitions = append(partitions, p)
			}
		}
	}
	c.mu.Unlock()
	c.open(partitions)
	if len(partitions) == 0 && len(c.closedPartitions()) == 0 {
		c.underWay.Store(true) // there is nothing to open yet
	}
	c.placed.Store(true)
	c.out.Store(false)
	if len(got) > 0 {
		c.meter.assigned.Add(1)
		c.link.log.Info("partitions assigned", "group", c.group, "partitions", got)
	}
}

// keptBy returns what this instance has from when it was another member of the
// group. A member that the group has forgotten joins anew and claims what it
// had; it may get that without a word, though others had it in between.
func (c *consumer) keptBy(member string) map[string][]int32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := make(map[string][]int32)
	for tp, p := range c.owned {
		if p.member != member {
			kept[tp.topic] = append(kept[tp.topic], tp.id)
		}
	}
	return kept
}

// revoked hands partitions back: running handlers finish, their work is
// committed, and only then may the next owner begin.
func (c *consumer) revoked(_ context.Context, _ *kgo.Client, gone map[string][]int32) {
	partitions := c.disown(gone)
	if len(partitions) == 0 {
		c.commitLast(func() []*partition { return nil }) // a drain may be committing these very partitions
		return
	}
	c.meter.revoked.Add(1)
	c.release(partitions, min(revokeBudget, c.app.cfg.Environment.ShutdownTimeout*2/3), ErrRevoked)
	c.link.log.Info("partitions revoked", "group", c.group, "partitions", gone)
}

// lost gives up partitions that another instance may own already: handlers are
// cancelled at once and nothing is committed.
func (c *consumer) lost(_ context.Context, _ *kgo.Client, gone map[string][]int32) {
	c.out.Store(true)
	partitions := c.disown(gone)
	if len(partitions) > 0 {
		c.meter.lost.Add(1)
	}
	if c.session != nil {
		c.session.forget(partitions)
	}
	c.settle(partitions, 0, ErrRevoked) // no time for those that run
	for _, p := range partitions {
		c.link.log.Warn("partition lost", "group", c.group, "topic", p.topic, "partition", p.id)
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
			c.tell(tp.String(), "")
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
	var given []*partition
	taken := func() []*partition {
		given = of()
		return given
	}
	if c.session != nil {
		c.session.last(taken)
	} else {
		ctx, cancel := context.WithTimeout(context.Background(), lastCommitTimeout)
		defer cancel()
		c.commit(ctx, taken)
	}
	for _, p := range given {
		p.entry.meter.repeated(int(p.forgotten.Load()))
	}
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
		c.well(p)
	}
	return int(forced.Load())
}

// well clears what health says of a partition that is no longer this
// instance's concern.
func (c *consumer) well(p *partition) {
	for _, thing := range []string{p.String(), p.deadLetters(), p.opening(), p.stuckness()} {
		c.tell(thing, "")
	}
	c.tell(p.retrying(), "")
}

// gone reports whether an offset was deleted under the consumer.
func (c *consumer) gone(err error) bool {
	var loss *kgo.ErrDataLoss
	return errors.Is(err, kerr.OffsetOutOfRange) || errors.As(err, &loss)
}
