package slipway

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/internal/frontier"
)

const (
	commitInterval = time.Second
	commitTimeout  = 3 * time.Second

	// lastCommitTimeout is longer than the periodic commit's, which it may
	// have to wait for.
	lastCommitTimeout = 2 * commitTimeout

	// refresh is how often a retry partition's offset is committed anew though
	// it has not moved: the offsets of topics that a group does not subscribe
	// to expire.
	refresh = time.Hour

	// maxMetadata is how much of a commit's metadata is used; brokers take
	// 4,096 bytes by default.
	maxMetadata = frontier.MaxMetadata
)

// commitEvery commits what has moved until ctx ends. It waits with it while the
// member joins: the client holds every commit back until then, which may take as
// long as the slowest member of the group.
func (c *consumer) commitEvery(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if !c.lease.joining.Load() {
				bounded, cancel := context.WithTimeout(ctx, commitTimeout)
				c.commit(bounded, c.all)
				cancel()
			}
			c.watch(time.Now())
		}
	}
}

// progress is what one commit says: of source partitions, and of the retry
// partitions that are worked with them.
type progress map[topicPartition]committing

type committing struct {
	commit
	epoch int32
	of    *partition
}

// commit commits what moved. What fails is tried again with the next commit.
// Commits are read and sent one after the other, so that a later one is never
// older.
func (c *consumer) commit(ctx context.Context, of func() []*partition) {
	err := c.serially(ctx, func() error {
		moved := make(progress)
		for _, p := range of() {
			p.progress(moved)
		}
		return c.send(ctx, moved)
	})
	if err != nil && !errors.Is(err, context.Canceled) && !c.commitDenied(err) {
		c.link.log.Warn("commit failed, trying again", "group", c.group, "error", err)
	}
}

// serially runs one commit at a time.
func (c *consumer) serially(ctx context.Context, commit func() error) error {
	select {
	case c.committing <- struct{}{}:
		defer func() { <-c.committing }()
		return commit()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// send commits offsets with their metadata, under the member's generation.
func (c *consumer) send(ctx context.Context, moved progress) error {
	if len(moved) == 0 {
		return nil
	}
	offsets := make(map[string]map[int32]kgo.EpochOffset)
	for tp, m := range moved {
		if offsets[tp.topic] == nil {
			offsets[tp.topic] = make(map[int32]kgo.EpochOffset)
		}
		offsets[tp.topic][tp.id] = kgo.EpochOffset{Epoch: m.epoch, Offset: m.offset}
	}
	ctx = kgo.PreCommitFnContext(ctx, func(req *kmsg.OffsetCommitRequest) error {
		for i, t := range req.Topics {
			for j, answer := range t.Partitions {
				req.Topics[i].Partitions[j].Metadata = new(moved[topicPartition{t.Topic, answer.Partition}].metadata)
			}
		}
		return nil
	})
	var failed error
	c.client.CommitOffsetsSync(ctx, offsets, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
		failed = err
		if err == nil {
			failed = c.committed(moved, resp)
		}
		c.meter.committed(failed)
	})
	return failed
}

// committed notes what a commit moved. It returns the first refusal.
func (c *consumer) committed(moved progress, resp *kmsg.OffsetCommitResponse) error {
	var refused error
	for _, t := range resp.Topics {
		for _, answer := range t.Partitions {
			tp := topicPartition{t.Topic, answer.Partition}
			m := moved[tp]
			switch err := kerr.ErrorForCode(answer.ErrorCode); {
			case err != nil:
				refused = errors.Join(refused, &refusal{tp, err})
			case m.of != nil && m.of.topicPartition == tp:
				m.of.setCommitted(m.commit)
			case m.of != nil:
				m.of.yard.committed(m.commit)
			}
		}
	}
	return refused
}

// A refusal is a commit that the coordinator did not accept.
type refusal struct {
	topicPartition
	err error
}

func (r *refusal) Error() string { return "commit of " + r.String() + ": " + r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

// progress adds what of the partition has moved since the last commit. Source
// and retry partition go together: what the retry frontier passes may depend
// on where the source's stands.
func (p *partition) progress(moved progress) {
	if !p.ready.Load() {
		return
	}
	at, ahead, ok := p.frontier.Ahead()
	if !ok && p.yard == nil {
		return
	}
	if !ok { // nothing was read yet
		at = frontier.Position{Offset: p.first(), Epoch: -1}
	}
	text, dropped := p.metadata(ahead)
	p.forgotten.Store(int64(dropped))
	p.mu.Lock()
	last := p.committed
	p.mu.Unlock()
	now := commit{at.Offset, text, time.Now()}
	own := at.Offset >= 0 && (now.offset != last.offset || now.metadata != last.metadata)
	if p.yard != nil && p.yard.progress(p, at.Offset, moved) {
		own = at.Offset >= 0
	}
	if own {
		moved[p.topicPartition] = committing{now, at.Epoch, p}
	}
}

// metadata is what travels with the partition's offset: the fence of its owner,
// and what is finished beyond the frontier.
func (p *partition) metadata(ahead frontier.Ranges) (text string, dropped int) {
	m := frontier.Metadata{Ahead: ahead}
	if p.yard != nil {
		m.Fence = p.yard.fence
	}
	return m.Encode(maxMetadata)
}

// first is the offset that was committed when the partition came, -1 for none.
func (p *partition) first() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.committed.offset
}

func (p *partition) setCommitted(now commit) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.committed = now
	if p.yard != nil {
		p.yard.poke() // a command may have waited for it
	}
}
