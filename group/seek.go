package group

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
)

// Seek says where a group shall go.
type Seek struct {
	Group string // required
	To    Target // required

	// Partitions narrows the move to some partitions of the topics.
	//
	// Defaults to all.
	Partitions []int32

	// ResetRetry forgets what the retry topics hold: their positions go to the
	// end, and what waits there is not handled again. It belongs to going back
	// to where everything that waits will be read once more.
	ResetRetry bool

	// Retry names the retry topic of each topic, where that is known.
	//
	// Defaults to the topics whose names end in .TOPIC.retry.
	Retry map[string]string

	// Topics are what to move in.
	//
	// Defaults to those in which the group has positions, retry topics apart.
	Topics []string
}

// Seek tells what moving a group would do. [Admin.Apply] does it.
func (a *Admin) Seek(ctx context.Context, seek Seek) (*Move, error) {
	more := slices.Clone(seek.Topics)
	if seek.To.Topic != "" {
		more = append(more, seek.To.Topic)
	}
	s, err := a.read(ctx, seek.Group, more...)
	if err != nil {
		return nil, err
	}
	retry := retryTopics(append(s.held(), seek.Topics...), seek.Retry)
	topics := seek.Topics
	if len(topics) == 0 {
		if err := a.known(ctx, s); err != nil {
			return nil, err
		}
		topics = sources(s.held(), retry)
	}
	partitions, err := s.chosen(topics, seek.Partitions)
	if err != nil {
		return nil, err
	}
	to, err := a.place(ctx, s, seek.To, topics)
	if err != nil {
		return nil, err
	}
	m := a.newMove(ctx, "seek", s)
	for _, at := range partitions {
		target, why := to(at)
		step := m.step(s, at, target, why)
		step.will.Metadata = moved(step.was, step.To)
		if step.Retry = slices.Contains(valuesOf(retry), at.Topic); step.Retry {
			step.will.Metadata = movedRetry(step.was, step.To)
		}
	}
	m.aboutRetry(s, retry, seek.ResetRetry)
	return m.sorted(), nil
}

// chosen are the partitions to move. One that does not exist is an error.
func (s *state) chosen(topics []string, ids []int32) ([]kafka.Partition, error) {
	var all []kafka.Partition
	var missing diag.List
	for _, topic := range topics {
		t, ok := s.topics[topic]
		if !ok {
			missing.Add(diag.New(diag.GroupNoPartition, "topic %s does not exist", topic))
			continue
		}
		for _, id := range ids {
			if id < 0 || id >= t.Partitions {
				missing.Add(diag.New(diag.GroupNoPartition, "topic %s has no partition %d: it has %d, from 0", topic, id, t.Partitions))
			}
		}
		for _, at := range s.partitions(topic) {
			if len(ids) == 0 || slices.Contains(ids, at.ID) {
				all = append(all, at)
			}
		}
	}
	if err := missing.Err(); err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, diag.New(diag.GroupNothing, "group %s has no position to move", s.Group)
	}
	return all, nil
}

// placing finds a partition's target, and says where it comes from.
type placing func(kafka.Partition) (to kafka.GroupOffset, why string)

// place turns a target into offsets.
func (a *Admin) place(ctx context.Context, s *state, to Target, topics []string) (placing, error) {
	offset := func(f func(at kafka.Partition, b kafka.Bounds) (int64, string)) placing {
		return func(at kafka.Partition) (kafka.GroupOffset, string) {
			n, why := f(at, s.bounds[at])
			return kafka.GroupOffset{Offset: n, Epoch: -1}, why
		}
	}
	switch to.Kind {
	case Earliest:
		return offset(func(_ kafka.Partition, b kafka.Bounds) (int64, string) { return b.Start, "" }), nil
	case Latest:
		return offset(func(_ kafka.Partition, b kafka.Bounds) (int64, string) { return b.End, "" }), nil
	case AtOffset:
		return offset(func(kafka.Partition, kafka.Bounds) (int64, string) { return to.Offset, "" }), nil
	case By:
		return offset(func(at kafka.Partition, b kafka.Bounds) (int64, string) { return s.by(at, b, to.Offset) }), nil
	case AtTime:
		return a.byTime(ctx, s, topics, func(kafka.Partition) time.Time { return to.Time })
	case LikeThat:
		return a.like(ctx, s, to, topics)
	}
	return nil, fmt.Errorf("seek group %s: target of unknown kind %q", s.Group, to.Kind)
}

// by goes some records on from where the group is. Where it has no position
// there is nothing to count from.
func (s *state) by(at kafka.Partition, b kafka.Bounds, n int64) (int64, string) {
	if p := s.position(at); p.Offset != NoPosition {
		return max(0, min(p.Offset, b.End)+n), ""
	}
	return NoPosition, "no position to count from"
}

// byTime finds the first record of a time or younger in each partition.
func (a *Admin) byTime(ctx context.Context, s *state, topics []string, of func(kafka.Partition) time.Time) (placing, error) {
	found := map[time.Time]map[kafka.Partition]kafka.GroupOffset{}
	for _, topic := range topics {
		for _, at := range s.partitions(topic) {
			t := of(at)
			if found[t] != nil || t.IsZero() {
				continue
			}
			var err error
			if found[t], err = a.cluster.At(ctx, t, topics...); err != nil {
				return nil, err
			}
		}
	}
	return func(at kafka.Partition) (kafka.GroupOffset, string) {
		t := of(at)
		if t.IsZero() {
			return kafka.GroupOffset{Offset: s.bounds[at].Start, Epoch: -1}, "time unknown: all that is there"
		}
		to := found[t][at]
		when := t.UTC().Format(time.RFC3339)
		if to.Offset >= s.bounds[at].End {
			return to, "nothing of " + when + " or younger yet"
		}
		return to, "first record of " + when + " or younger"
	}, nil
}

// like takes another group's place: its offsets in the same topic, or the time
// they stand for in another.
func (a *Admin) like(ctx context.Context, s *state, to Target, topics []string) (placing, error) {
	from := s
	if to.Group != "" && to.Group != s.Group {
		var more []string
		if to.Topic != "" {
			more = []string{to.Topic}
		}
		var err error
		if from, err = a.read(ctx, to.Group, more...); err != nil {
			return nil, err
		}
		if err := a.known(ctx, from); err != nil {
			return nil, err
		}
	}
	if to.Topic != "" && !slices.Equal(topics, []string{to.Topic}) {
		return a.likeTopic(ctx, s, from, to, topics)
	}
	return func(at kafka.Partition) (kafka.GroupOffset, string) {
		p, ok := from.positions[at]
		if !ok {
			return s.position(at), fmt.Sprintf("stays: group %s has no position there", from.Group)
		}
		return kafka.GroupOffset{Offset: p.Offset, Epoch: p.Epoch}, ""
	}, nil
}

// likeTopic carries places over from another topic by time.
func (a *Admin) likeTopic(ctx context.Context, s, from *state, to Target, topics []string) (placing, error) {
	if _, ok := from.topics[to.Topic]; !ok {
		return nil, diag.New(diag.GroupNoPartition, "topic %s does not exist", to.Topic)
	}
	if !slices.Contains(from.held(), to.Topic) {
		return nil, diag.New(diag.GroupNothing, "group %s has no position in %s that could be carried over", from.Group, to.Topic)
	}
	places, err := a.places(ctx, from, to.Topic)
	if err != nil {
		return nil, err
	}
	return a.byTime(ctx, s, topics, carried(places, func(topic string) int { return int(s.topics[topic].Partitions) }, to.Margin))
}

func valuesOf(m map[string]string) []string {
	var all []string
	for _, v := range m {
		all = append(all, v)
	}
	return all
}
