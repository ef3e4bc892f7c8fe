package slipway

import (
	"time"

	"github.com/slipway-go/slipway/internal/retrylog"
)

// reopenPause is how long a partition rests before it is opened anew.
const reopenPause = time.Second

// reopen gives a partition that cannot go on from what it knows a new life:
// what runs finishes and is committed, and then it is opened as if it had just
// been assigned, behind a higher fence and from what the group has committed.
// It is for failures after which nobody knows what the retry topic holds.
// Where that topic is denied or missing, the new life waits until it is not. A
// partition that stands still for another reason stays so.
func (c *consumer) reopen(p *partition, why error) {
	if p.ended.Load() || !p.renewed.CompareAndSwap(false, true) {
		return
	}
	c.halt(p, why)
	c.busy.Go(func() {
		if !waitFor(p.ctx, reopenPause) || !p.wait(p.ctx) {
			return // revoked meanwhile
		}
		c.commitLast(func() []*partition { return c.still(p) })
		c.renew(p)
	})
}

// still is the partition, unless it is this instance's no more: then somebody
// else may have committed of it, and what is older must not follow.
func (c *consumer) still(p *partition) []*partition {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.owned[p.topicPartition] != p {
		return nil
	}
	return []*partition{p}
}

// recut has a partition opened anew whose retry partition is not the one that
// it knows any more. One that is just being opened begins again.
func (c *consumer) recut(p *partition, gap *retrylog.GapError) {
	if gap.Anew {
		p.void.Store(true)
	}
	select {
	case p.cut <- gap:
	default: // told already
	}
	if p.ready.Load() {
		c.reopen(p, gap)
	}
}

// renew puts a new life in the place of one that has emptied, if the partition
// is still this instance's.
func (c *consumer) renew(p *partition) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.draining || c.owned[p.topicPartition] != p {
		return
	}
	p.cancel(ErrRevoked)
	next := newPartition(p.topicPartition, c.client, p.entry)
	next.member, next.kept = p.member, true
	next.afresh.Store(p.void.Load() || p.afresh.Load() && !p.yard.everCommitted())
	c.owned[p.topicPartition] = next
	c.well(p)
	c.open([]*partition{next})
}
