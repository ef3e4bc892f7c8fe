package group

import (
	"context"
	"time"

	"github.com/slipway-go/slipway/internal/kafka"
)

// A reached is how far a partition was read, as a time: everything older was
// handled.
type reached struct {
	time  time.Time // zero if it is not known
	known bool
}

// places are the times that a group's positions in a topic stand for, by
// partition. A partition that was read to its end was read up to now. Where
// there is no position nothing was read, as far as anyone knows.
func (a *Admin) places(ctx context.Context, s *state, topic string) ([]reached, error) {
	unread := map[kafka.Partition]int64{}
	for _, at := range s.partitions(topic) {
		if p, ok := s.positions[at]; ok && p.Offset < s.bounds[at].End {
			unread[at] = max(p.Offset, s.bounds[at].Start)
		}
	}
	times, err := a.cluster.Timestamps(ctx, unread)
	if err != nil {
		return nil, err
	}
	all := make([]reached, s.topics[topic].Partitions)
	for i, at := range s.partitions(topic) {
		p, ok := s.positions[at]
		switch t, read := times[at]; {
		case ok && p.Offset >= s.bounds[at].End:
			all[i] = reached{s.at, true}
		case read:
			all[i] = reached{t, true}
		}
	}
	return all, nil
}

// carried gives each partition of another topic the time to begin at. Where
// there are as many partitions, keys are taken to be where they were, and each
// has its own time; else all begin at the oldest. An unknown time is the zero
// one, which means the start of the log.
func carried(places []reached, partitions func(topic string) int, margin time.Duration) func(kafka.Partition) time.Time {
	oldest := reached{known: true}
	for _, p := range places {
		switch {
		case !p.known:
			oldest = reached{}
		case oldest.known && (oldest.time.IsZero() || p.time.Before(oldest.time)):
			oldest = p
		}
	}
	return func(at kafka.Partition) time.Time {
		p := oldest
		if partitions(at.Topic) == len(places) {
			p = places[at.ID]
		}
		if !p.known {
			return time.Time{}
		}
		return p.time.Add(-margin)
	}
}
