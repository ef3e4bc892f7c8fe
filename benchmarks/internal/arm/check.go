package arm

import (
	"encoding/binary"
	"math/bits"
	"sync/atomic"
)

// A check notices what a client must not do. It is paid for by every record of
// every arm, so it does no more than it must: two uncontended atomic
// operations where no order is promised.
type check struct {
	partitions []partitionCheck
	keys       []keyCheck // empty where no order is promised
	disorders  atomic.Int64
	open       atomic.Int64 // partitions that are not read to their end
	all        chan struct{}
}

type partitionCheck struct {
	seen []atomic.Uint64 // a bit for each offset
	done atomic.Int64
	end  int64
	_    [64]byte // a cache line of its own
}

type keyCheck struct {
	last atomic.Int64 // the highest offset that began, plus one
	busy atomic.Bool
}

func newCheck(s Spec, ordered bool) *check {
	c := &check{partitions: make([]partitionCheck, len(s.Ends)), all: make(chan struct{})}
	for i, end := range s.Ends {
		c.partitions[i].seen = make([]atomic.Uint64, (end+63)/64)
		c.partitions[i].end = end
		if s.Poison {
			c.partitions[i].end -= s.Zero[i]
		}
	}
	c.open.Store(int64(len(s.Ends)))
	if ordered {
		c.keys = make([]keyCheck, s.Keys)
	}
	return c
}

// keyOf is the number of the record's key.
func keyOf(r Record) uint32 { return binary.BigEndian.Uint32(r.Value) }

// enter notes that a handler was given the record.
func (c *check) enter(r Record) {
	c.partitions[r.Partition].seen[r.Offset/64].Or(1 << (r.Offset % 64)) // its result would cost a loop
	if c.keys == nil {
		return
	}
	k := &c.keys[keyOf(r)]
	if k.busy.Swap(true) || k.last.Swap(r.Offset+1) > r.Offset {
		c.disorders.Add(1)
	}
}

// leave notes that the handler is about to return.
func (c *check) leave(r Record) {
	if c.keys != nil {
		c.keys[keyOf(r)].busy.Store(false)
	}
	p := &c.partitions[r.Partition]
	if p.done.Add(1) == p.end && c.open.Add(-1) == 0 {
		close(c.all)
	}
}

// handled is how many records were.
func (c *check) handled() (n int64) {
	for i := range c.partitions {
		n += c.partitions[i].done.Load()
	}
	return n
}

// repeats is how many records were handled again. It is right when no handler
// runs.
func (c *check) repeats() int64 {
	n := c.handled()
	for i := range c.partitions {
		for j := range c.partitions[i].seen {
			n -= int64(bits.OnesCount64(c.partitions[i].seen[j].Load()))
		}
	}
	return n
}

func (c *check) report(r Result) {
	r["repeats"], r["disorders"] = float64(c.repeats()), float64(c.disorders.Load())
}
