package history

import (
	"cmp"
	"math"
	"slices"
)

// A front is the end of a prefix of a partition: after finish, and not
// earlier, a commit may lie above offset.
type front struct {
	offset int64
	finish int64
	rec    int32 // the record that finished last
}

// checkCommits finds commits that passed an unfinished record.
func (c *checker) checkCommits(g *group) {
	if len(g.commits) == 0 {
		return
	}
	fronts := g.fronts()
	for _, commit := range g.commits {
		if commit.Outcome == Failed {
			continue
		}
		part := fronts[commit.Partition]
		n, _ := slices.BinarySearchFunc(part, commit.Offset, func(f front, offset int64) int {
			return cmp.Compare(f.offset, offset)
		})
		if n == 0 || part[n-1].finish <= commit.At.UnixNano() {
			continue
		}
		c.add(CommitAhead, "%s committed %d/%d of %s at %v, past %v, which was not finished",
			g.name, commit.Partition, commit.Offset, g.topic.name, stamp(commit.At.UnixNano()), ref{g.topic, part[n-1].rec})
	}
}

// fronts returns the prefixes of each partition, beginning with the earliest
// record that the group handled: it owes nothing for what lies before.
func (g *group) fronts() map[int32][]front {
	fronts := map[int32][]front{}
	for _, s := range g.topic.spots {
		st := &g.states[s.rec]
		part := fronts[s.Partition]
		if len(part) == 0 && st.tries == 0 {
			continue
		}
		f := front{s.Offset, st.finish, s.rec}
		if st.open && st.finish == never {
			f.finish = math.MinInt64 // its outcome is unknown, and the verdict says so
		}
		if n := len(part) - 1; n >= 0 && part[n].finish > f.finish {
			f.finish, f.rec = part[n].finish, part[n].rec
		}
		fronts[s.Partition] = append(part, f)
	}
	return fronts
}

// A holding is a worker and a partition; a tenure is the moment one of them
// began or ended.
type (
	holding struct {
		worker    string
		partition int32
	}
	tenure struct {
		at   int64
		over bool
	}
)

func (g *group) own(worker string, partition int32, t tenure) {
	if g.tenures == nil {
		g.tenures = map[holding][]tenure{}
	}
	h := holding{worker, partition}
	g.tenures[h] = append(g.tenures[h], t)
}

// checkTenures finds work that a worker began on a partition it had let go of.
func (c *checker) checkTenures(g *group) {
	if len(g.tenures) == 0 {
		return
	}
	for _, ts := range g.tenures {
		slices.SortFunc(ts, func(a, b tenure) int { return cmp.Compare(a.at, b.at) })
	}
	for _, a := range g.attempts {
		if a.timed && a.place != nil && g.gone(a.worker, a.place.Partition, a.start) {
			c.add(Zombie, "%v begun at %v by %q of %s after it let go of partition %d",
				ref{g.topic, a.rec}, stamp(a.start), a.worker, g.name, a.place.Partition)
		}
	}
	for _, commit := range g.commits {
		if at := commit.At.UnixNano(); g.gone(commit.Worker, commit.Partition, at) {
			c.add(Zombie, "%s %d/%d committed at %v by %q of %s after it let go of the partition",
				g.topic.name, commit.Partition, commit.Offset, stamp(at), commit.Worker, g.name)
		}
	}
}

// gone reports whether the worker's last word on the partition before the time
// was that it let go of it.
func (g *group) gone(worker string, partition int32, at int64) bool {
	ts := g.tenures[holding{worker, partition}]
	n, _ := slices.BinarySearchFunc(ts, at, func(t tenure, at int64) int { return cmp.Compare(t.at, at) })
	return n > 0 && ts[n-1].over
}
