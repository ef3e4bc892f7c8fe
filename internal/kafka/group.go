package kafka

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
)

// A Group is how far a consumer group has come.
type Group struct {
	ID      string
	State   string // Kafka's word: Stable, Empty, PreparingRebalance, Dead …
	Members int
	Topics  []Progress // sorted by topic
	Err     error      // why the group could not be looked at
}

// Lag is how many records the group has yet to finish.
func (g Group) Lag() int64 {
	var n int64
	for _, t := range g.Topics {
		n += t.Lag
	}
	return n
}

// Progress is a group's position in one topic, summed over its partitions.
type Progress struct {
	Topic     string
	End       int64 // records ever appended: the end offsets
	Committed int64 // the committed offsets; a partition without one counts its start
	Lag       int64
	Assigned  int // partitions that a member holds
}

// Groups looks at consumer groups, in the order of the names. A group that
// does not exist yet is Dead and empty, as it is to Kafka.
func (c *Cluster) Groups(ctx context.Context, names ...string) ([]Group, error) {
	if len(names) == 0 {
		return nil, nil // to the admin client, no names mean every group
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	lags, err := c.admin.Lag(ctx, slices.Clone(names)...) // Lag writes to the slice it is given
	if err != nil {
		return nil, c.diagnose(err)
	}
	groups := make([]Group, len(names))
	for i, name := range names {
		lag := lags[name]
		g := Group{ID: name, State: lag.State, Members: len(lag.Members)}
		if err := lag.Error(); errors.Is(err, kerr.GroupIDNotFound) {
			g.State = "Dead" // older brokers answer that themselves
		} else {
			g.Err = c.diagnose(err)
		}
		for topic, partitions := range lag.Lag {
			p := Progress{Topic: topic}
			for _, l := range partitions {
				if l.Err != nil {
					g.Err = cmp.Or(g.Err, c.diagnose(l.Err))
					continue
				}
				p.End += l.End.Offset
				p.Committed += l.End.Offset - l.Lag
				p.Lag += l.Lag
				if l.Member != nil {
					p.Assigned++
				}
			}
			g.Topics = append(g.Topics, p)
		}
		slices.SortFunc(g.Topics, func(a, b Progress) int { return cmp.Compare(a.Topic, b.Topic) })
		groups[i] = g
	}
	return groups, nil
}

// EndOffsets returns, for each of the named topics, how many records were ever
// appended to it.
func (c *Cluster) EndOffsets(ctx context.Context, names ...string) (map[string]int64, error) {
	if len(names) == 0 {
		return nil, nil
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	listed, err := c.admin.ListEndOffsets(ctx, names...)
	if err != nil {
		return nil, c.diagnose(err)
	}
	if err := listed.Error(); err != nil {
		return nil, c.diagnose(err)
	}
	ends := make(map[string]int64, len(names))
	for topic, partitions := range listed {
		for _, p := range partitions {
			ends[topic] += p.Offset
		}
	}
	return ends, nil
}
