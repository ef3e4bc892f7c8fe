package slipway

import "time"

// reopenPause is how long a partition rests before it is opened anew.
const reopenPause = time.Second

// reopen gives a partition that cannot go on from what it knows a new life:
// what runs finishes and is committed, and then it is opened as if it had just
// been assigned, behind a higher fence and from what the group has committed.
// It is for failures after which nobody knows what the retry topic holds.
// Where that topic is denied or missing, the new life waits until it is not.
func (c *consumer) reopen(p *partition, why error) {
	if !p.renewed.CompareAndSwap(false, true) {
		return
	}
	c.halt(p, why)
	c.busy.Go(func() {
		if !waitFor(p.ctx, reopenPause) || !p.wait(p.ctx) {
			return // revoked meanwhile
		}
		c.commitLast(func() []*partition { return []*partition{p} })
		c.renew(p)
	})
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
	c.owned[p.topicPartition] = next
	c.well(p)
	c.open([]*partition{next})
}
