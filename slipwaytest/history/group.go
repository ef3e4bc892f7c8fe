package history

import (
	"cmp"
	"math"
	"slices"
)

// A group is what one consumer group did with one topic.
type group struct {
	topic    *topic
	name     string
	final    *Final
	attempts []attempt
	commits  []Commit
	tenures  map[holding][]tenure
	states   []state // by record, once checkGroup has folded the attempts
}

// An attempt is an [Effect] by record number.
type attempt struct {
	rec        int32
	outcome    Outcome
	start, end int64
	timed      bool
	worker     string
	place      *Place
}

// A state is where a group stands with one record.
type state struct {
	tries       int32
	settled     int32 // times it ended OK or Dead
	open        bool  // an attempt has no outcome
	parked      bool
	firstStart  int64 // of any attempt
	settleStart int64 // of the first attempt that settled it
	finish      int64 // the first time after which a commit may pass it
}

func (c *checker) group(topic, name string) *group {
	key := groupKey{topic, name}
	g := c.groupOf[key]
	if g == nil {
		g = &group{topic: c.topic(topic), name: name}
		c.groupOf[key] = g
		c.groups = append(c.groups, g)
	}
	return g
}

func newAttempt(rec int32, e Effect) attempt {
	a := attempt{rec: rec, outcome: e.Outcome, worker: e.Worker, place: e.Place}
	if e.Start.IsZero() {
		return a
	}
	a.timed = true
	a.start = e.Start.UnixNano()
	a.end = a.start
	if !e.End.IsZero() {
		a.end = e.End.UnixNano()
	}
	return a
}

// checkGroup judges one group of one topic.
func (c *checker) checkGroup(g *group) {
	g.sortAttempts()
	g.fold()
	c.checkSettled(g)
	c.checkCommits(g)
	c.checkTenures(g)
	c.checkKeys(g) // last, because it drops the attempts without an order
}

// sortAttempts brings the attempts of a key together in the order in which
// they began, and joins the two halves of one that was noted twice.
func (g *group) sortAttempts() {
	records := g.topic.records
	slices.SortFunc(g.attempts, func(a, b attempt) int {
		return cmp.Or(
			cmp.Compare(records[a.rec].keyN, records[b.rec].keyN),
			cmp.Compare(a.start, b.start),
			cmp.Compare(a.rec, b.rec),
			cmp.Compare(a.worker, b.worker),
			cmp.Compare(a.outcome, b.outcome), // Indefinite is the least
		)
	})
	kept := g.attempts[:0]
	for _, a := range g.attempts {
		if n := len(kept) - 1; n >= 0 && a.timed && kept[n].outcome == Indefinite && kept[n].same(a) {
			kept[n] = a
			continue
		}
		kept = append(kept, a)
	}
	g.attempts = kept
}

func (a attempt) same(b attempt) bool {
	return a.rec == b.rec && a.start == b.start && a.timed == b.timed && a.worker == b.worker
}

func (g *group) fold() {
	g.states = make([]state, len(g.topic.records))
	for i := range g.states {
		g.states[i] = state{firstStart: never, settleStart: never, finish: never}
	}
	for _, a := range g.attempts {
		g.states[a.rec].take(a)
	}
}

func (s *state) take(a attempt) {
	s.tries++
	if a.timed {
		s.firstStart = min(s.firstStart, a.start)
	}
	end := a.end
	if !a.timed {
		end = math.MinInt64
	}
	switch a.outcome {
	case OK, Dead:
		s.settled++
		s.finish = min(s.finish, end)
		if a.timed {
			s.settleStart = min(s.settleStart, a.start)
		}
	case Parked:
		s.parked = true
		s.finish = min(s.finish, end)
	case Indefinite:
		s.open = true
	}
}

// checkSettled holds the group to one settlement for each record.
func (c *checker) checkSettled(g *group) {
	c.countOutcomes(g)
	var open int
	for i := range g.states {
		s, r := &g.states[i], &g.topic.records[i]
		switch {
		case s.settled > 1:
			c.counts.Repeats += int(s.settled) - 1
			if g.final == nil || !g.final.AtLeastOnce {
				c.add(DuplicateEffect, "%v settled %d times by %s", ref{g.topic, int32(i)}, s.settled, g.name)
			}
		case s.settled == 1 || s.parked:
		case s.open:
			open++
		case g.final != nil && r.exists():
			c.add(Lost, "%v never settled by %s, %d attempts", ref{g.topic, int32(i)}, g.name, s.tries)
		}
	}
	if open > 0 {
		c.doubt("%d records of %q were begun by %s and never told an outcome", open, g.topic.name, g.name)
	}
	if g.final == nil {
		c.doubt("nobody says that %s drained topic %q", g.name, g.topic.name)
	}
}

func (c *checker) countOutcomes(g *group) {
	for _, a := range g.attempts {
		switch a.outcome {
		case OK:
			c.counts.Applied++
		case Dead:
			c.counts.Dead++
		case Parked:
			c.counts.Parked++
		}
	}
}

// checkKeys judges the attempts of each key for which an order is promised.
func (c *checker) checkKeys(g *group) {
	records := g.topic.records
	ordered := slices.DeleteFunc(g.attempts, func(a attempt) bool {
		return !a.timed || records[a.rec].seq == 0
	})
	g.attempts = nil
	for len(ordered) > 0 {
		key := records[ordered[0].rec].keyN
		n := slices.IndexFunc(ordered, func(a attempt) bool { return records[a.rec].keyN != key })
		if n < 0 {
			n = len(ordered)
		}
		c.checkOverlap(g, ordered[:n])
		c.checkOrder(g, ordered[:n])
		ordered = ordered[n:]
	}
}

// checkOverlap finds attempts of one key that run at the same time. The
// attempts are in the order in which they began.
func (c *checker) checkOverlap(g *group, run []attempt) {
	longest := run[0]
	for _, a := range run[1:] {
		if a.start < longest.end {
			c.add(KeyOverlap, "%v began at %v in %s while %v ran until %v",
				ref{g.topic, a.rec}, stamp(a.start), g.name, ref{g.topic, longest.rec}, stamp(longest.end))
		}
		if a.end > longest.end {
			longest = a
		}
	}
}

// checkOrder finds records that were begun before an earlier one of their key
// was begun for the attempt that settled it. What is still parked at the end
// was never settled, so nothing behind it may have begun.
func (c *checker) checkOrder(g *group, run []attempt) {
	recs := make([]int32, len(run))
	for i, a := range run {
		recs[i] = a.rec
	}
	records := g.topic.records
	slices.SortFunc(recs, func(a, b int32) int {
		return cmp.Or(cmp.Compare(records[a].seq, records[b].seq), cmp.Compare(a, b))
	})
	before, settled := recs[0], int64(math.MinInt64)
	for _, rec := range slices.Compact(recs) {
		s := &g.states[rec]
		if s.firstStart < settled {
			c.add(OutOfOrder, "%v begun at %v by %s before %v was settled",
				ref{g.topic, rec}, stamp(s.firstStart), g.name, ref{g.topic, before})
		}
		switch {
		case s.settled > 0 && s.settleStart != never && s.settleStart > settled:
			before, settled = rec, s.settleStart
		case s.settled == 0 && s.parked:
			before, settled = rec, never
		}
	}
}
