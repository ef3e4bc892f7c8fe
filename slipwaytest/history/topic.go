package history

import (
	"cmp"
	"slices"
)

// checkTopic judges what lies in the log, whoever consumes it.
func (c *checker) checkTopic(t *topic) {
	c.checkOrigins(t)
	t.sortSpots()
	c.checkPlaces(t)
	if t.final == nil {
		return
	}
	for i := range t.records {
		if r := &t.records[i]; r.exists() && !r.read {
			c.add(Lost, "%v was never read from its topic", ref{t, int32(i)})
		}
	}
}

// checkOrigins finds records that nobody can have sent here.
func (c *checker) checkOrigins(t *topic) {
	for i := range t.records {
		r := &t.records[i]
		switch {
		case !r.seen:
		case r.sent && r.outcome == Failed:
			c.add(Phantom, "%v was seen though its send failed", ref{t, int32(i)})
		case r.sent:
		case c.sentTo(r.id) != nil:
			c.add(Misrouted, "%v was seen though it was sent to %s", ref{t, int32(i)}, c.sentTo(r.id).name)
		default:
			c.add(Phantom, "%v was seen though nobody sent it", ref{t, int32(i)})
		}
	}
}

// sentTo returns the first topic to which an id was sent.
func (c *checker) sentTo(id string) *topic {
	for _, t := range c.topics {
		if n, ok := t.index[id]; ok && t.records[n].sent {
			return t
		}
	}
	return nil
}

func (t *topic) sortSpots() {
	slices.SortFunc(t.spots, func(a, b spot) int {
		return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.rec, b.rec))
	})
	t.spots = slices.Compact(t.spots)
}

// checkPlaces walks the log in its own order. A record that appears again is a
// duplicate, and only its first appearance has a part in the order of its key.
func (c *checker) checkPlaces(t *topic) {
	type tail struct {
		rec       int32
		partition int32
		seq       int64
	}
	last := make([]tail, len(t.keys))
	for i, s := range t.spots {
		if i > 0 && t.spots[i-1].Place == s.Place {
			c.add(Inconsistent, "%v and %v both lie at %d/%d", ref{t, t.spots[i-1].rec}, ref{t, s.rec}, s.Partition, s.Offset)
		}
		r := &t.records[s.rec]
		if r.placed {
			c.repeated(t, s)
			continue
		}
		r.placed = true
		if r.seq == 0 {
			continue
		}
		l := &last[r.keyN]
		if l.seq == 0 || l.partition != s.Partition {
			*l = tail{s.rec, s.Partition, r.seq}
			continue
		}
		if r.seq < l.seq {
			c.add(OutOfOrder, "%v lies behind %v in partition %d", ref{t, s.rec}, ref{t, l.rec}, s.Partition)
			continue
		}
		l.rec, l.seq = s.rec, r.seq
	}
}

func (c *checker) repeated(t *topic, s spot) {
	c.counts.Repeats++
	if t.final == nil || !t.final.AtLeastOnce {
		c.add(DuplicateRecord, "%v lies at %d/%d too", ref{t, s.rec}, s.Partition, s.Offset)
	}
}
