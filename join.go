package slipway

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/contract"
)

// join makes the consumer's client, which joins the group by itself.
func (c *consumer) join() error {
	opts, err := c.link.commonOptions()
	if err != nil {
		return err
	}
	opts = append(opts, c.membership()...)
	opts = append(opts, c.fetching()...)
	c.lease = newLease(c.first().Session, c.leaseLapsed, c.leaseRenewed)
	opts = append(opts, kgo.WithHooks(c.lease, &c.pulse))
	c.life, c.endClient = context.WithCancel(context.Background())
	c.client, err = kgo.NewClient(append(opts, kgo.WithContext(c.life))...)
	if err != nil {
		c.endClient()
		return fmt.Errorf("make client of group %s: %w", c.group, err)
	}
	return nil
}

// first is the entry that speaks for the group: those that share one agree on
// everything that is the group's.
func (c *consumer) first() *entry {
	return c.entries[slices.Min(slices.Collect(maps.Keys(c.entries)))]
}

// membership is how the consumer is a member of its group.
func (c *consumer) membership() []kgo.Opt {
	e := c.first()
	opts := []kgo.Opt{
		kgo.ConsumerGroup(c.group),
		kgo.ConsumeTopics(slices.Sorted(maps.Keys(c.entries))...),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsAssigned(c.assigned),
		kgo.OnPartitionsRevoked(c.revoked),
		kgo.OnPartitionsLost(c.lost),
	}
	if e.Static {
		opts = append(opts, kgo.InstanceID(c.link.instance()))
	}
	if e.Protocol == contract.Consumer {
		return append(opts, kgo.ServerSideBalancer()) // session and heartbeat are the broker's, see plan
	}
	opts = append(opts, kgo.Balancers(balancer(e.Assignment)))
	if e.Session > 0 {
		opts = append(opts, kgo.SessionTimeout(e.Session))
	}
	if e.Heartbeat > 0 {
		opts = append(opts, kgo.HeartbeatInterval(e.Heartbeat))
	}
	return opts
}

func balancer(a contract.Assignment) kgo.GroupBalancer {
	switch a {
	case contract.Sticky:
		return kgo.StickyBalancer()
	case contract.Range:
		return kgo.RangeBalancer()
	case contract.RoundRobin:
		return kgo.RoundRobinBalancer()
	default:
		return kgo.CooperativeStickyBalancer()
	}
}

// throughputBytes is how much a fetch waits for with preset: throughput.
const throughputBytes = 64 << 10

// fetching is how the consumer fetches.
func (c *consumer) fetching() []kgo.Opt {
	e := c.first()
	isolation := kgo.ReadCommitted()
	if e.Isolation == contract.Uncommitted {
		isolation = kgo.ReadUncommitted()
	}
	opts := []kgo.Opt{
		kgo.ConsumeStartOffset(startOffset(e.Start)),
		kgo.ConsumeResetOffset(resetOffset(e.Gap)),
		kgo.FetchIsolationLevel(isolation),
		kgo.FetchMaxWait(fetchWait),
	}
	if e.Preset == contract.Throughput {
		opts = append(opts, kgo.FetchMinBytes(throughputBytes))
	}
	return opts
}

// startOffset is where a partition without a commit begins.
func startOffset(s contract.Start) kgo.Offset {
	switch s {
	case contract.StartLatest:
		return kgo.NewOffset().AtEnd()
	case contract.StartRefuse:
		return kgo.NewOffset().AtCommitted()
	default:
		return kgo.NewOffset().AtStart()
	}
}

// resetOffset is where a partition goes on whose committed offset is gone.
func resetOffset(g contract.Gap) kgo.Offset {
	switch g {
	case contract.GapEarliest:
		return kgo.NewOffset().AtStart()
	case contract.GapLatest:
		return kgo.NewOffset().AtEnd()
	default:
		return kgo.NoResetOffset()
	}
}
