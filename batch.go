package slipway

import (
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/lane"
)

// handleBatch runs the head of a lane for a handler of batches. What can be
// decided without the handler is; then as many records as possible, from the
// head on, go to the handler together.
func (c *consumer) handleBatch(e *entry, items []work) lane.Verdict {
	done, f := c.decided(items)
	if f.state != pending || done == len(items) {
		return verdict(done, f)
	}
	batch := c.callable(items[done:])
	attempt, ok := e.admit(c, batch[0].partition, batch[0].rec.Key)
	if !ok {
		return lane.HoldN(done)
	}
	attempt.span = c.traceBatch(e, batch)
	outcomes := make([]error, len(batch))
	err := attempt.many(batch, outcomes)
	for i := range batch {
		if err != nil {
			outcomes[i] = err
		}
	}
	attempt.end(batch[0].failed()+1, worst(outcomes))
	endBatch(attempt.span, outcomes)
	for i := range batch {
		f := c.after(&batch[i], outcomes[i])
		if f.state == waiting || f.state == holding {
			if e.Order != contract.Unordered {
				return verdict(done+i, f)
			}
			c.aside(e, batch[i])
			continue
		}
		if f.state == finished || f.state == returned {
			c.closed(&batch[i])
		}
		if f.state != finished && e.Order != contract.Unordered {
			return lane.DoneN(done + i + 1) // what lies behind is handled anew, behind this one
		}
	}
	return lane.DoneN(done + len(batch))
}

// decided acts on the records at the head that need no handler. It returns how
// many are through, and the fate of the next one.
func (c *consumer) decided(items []work) (int, fate) {
	for i := range items {
		f := c.before(&items[i])
		switch f.state {
		case pending, waiting, holding:
			return i, f
		case finished, returned:
			c.closed(&items[i])
		}
	}
	return len(items), fate{state: finished}
}

// callable is how many records can go to the handler with the first one, which
// was asked already: those with no trouble of their own.
func (c *consumer) callable(items []work) []work {
	n := 1
	for n < len(items) && items[n].plain() {
		n++
	}
	return items[:n]
}

// aside gives a record without order a lane of its own: it waits there, and
// the others of its batch do not.
func (c *consumer) aside(e *entry, w work) {
	name := w.partition.salt ^ uint64(w.rec.Offset)*oddly
	e.lanes.Add([]lane.Item[work]{{Lane: name, Value: w}})
}

// plain reports whether nothing but its handler has to be asked about a record.
func (w work) plain() bool {
	p := w.partition
	return w.trouble == nil && !p.ended.Load() && !p.entry.holds(w.rec.Key) && (p.yard == nil || p.yard.free(w.rec))
}

// worst is the outcome of a batch that tells most of what the handler depends
// on.
func worst(outcomes []error) error {
	var told error
	for _, err := range outcomes {
		if resultOf(err) > resultOf(told) || told == nil {
			told = err
		}
	}
	return told
}

func verdict(done int, f fate) lane.Verdict {
	switch f.state {
	case waiting:
		return lane.AgainN(done, f.wait)
	case holding:
		return lane.HoldN(done)
	default:
		return lane.DoneN(done)
	}
}
