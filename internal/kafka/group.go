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
// does not exist yet is Dead and empty, as it is to Kafka. All are asked for as
// classic groups at once; only those that are not are then looked at one by
// one, as KIP-848 and share groups.
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
			g.State = Dead // older brokers answer that themselves
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
		if g.State == Dead && g.Err == nil {
			g = c.unclassic(ctx, g)
		}
		slices.SortFunc(g.Topics, func(a, b Progress) int { return cmp.Compare(a.Topic, b.Topic) })
		groups[i] = g
	}
	return groups, nil
}

// unclassic looks at a group that no broker knows as a classic one.
func (c *Cluster) unclassic(ctx context.Context, g Group) Group {
	m, err := c.Membership(ctx, g.ID)
	if err != nil || m.State == Dead {
		g.Err = err
		return g
	}
	g.State, g.Members, g.Topics = m.State, len(m.Members), nil
	var positions map[Partition]GroupOffset
	var lag map[Partition]int64
	if m.Protocol == ShareProtocol {
		positions, lag, err = c.SharePositions(ctx, g.ID)
	} else {
		positions, err = c.Positions(ctx, g.ID)
	}
	if err != nil {
		g.Err = err
		return g
	}
	var topics []string
	for at := range positions {
		topics = append(topics, at.Topic)
	}
	for _, member := range m.Members {
		topics = append(topics, member.Topics...)
	}
	bounds, err := c.Bounds(ctx, topics...)
	g.Topics, g.Err = progress(m, positions, lag, bounds), err
	return g
}

// progress sums positions by topic. What a share group says of its lag counts
// before what its start offset says, which leaves out what is acknowledged
// beyond it.
func progress(m Membership, positions map[Partition]GroupOffset, lag map[Partition]int64, bounds map[Partition]Bounds) []Progress {
	sums := map[string]*Progress{}
	for at, b := range bounds {
		p := sums[at.Topic]
		if p == nil {
			p = &Progress{Topic: at.Topic}
			sums[at.Topic] = p
		}
		left := b.End - b.Start
		if o, ok := positions[at]; ok {
			left = max(0, b.End-max(o.Offset, b.Start))
		}
		if n, ok := lag[at]; ok {
			left = n
		}
		p.End += b.End
		p.Committed += b.End - left
		p.Lag += left
		if len(m.Holder(at.Topic, at.ID)) > 0 {
			p.Assigned++
		}
	}
	var all []Progress
	for _, p := range sums {
		all = append(all, *p)
	}
	return all
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
