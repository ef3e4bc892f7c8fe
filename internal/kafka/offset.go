package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// NoOffset is the offset of a partition in which a group has no position.
const NoOffset = -1

// A Partition is one partition of a topic.
type Partition struct {
	Topic string
	ID    int32
}

func (p Partition) String() string { return fmt.Sprintf("%s/%d", p.Topic, p.ID) }

// A GroupOffset is where a group goes on in a partition.
type GroupOffset struct {
	Offset   int64  // NoOffset if there is none
	Epoch    int32  // leader epoch of the record before it; -1 if unknown
	Metadata string // what the committing client wrote beside it
}

// Positions returns the committed offsets of a classic or a KIP-848 group.
// Partitions without one are absent.
func (c *Cluster) Positions(ctx context.Context, group string) (map[Partition]GroupOffset, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	fetched, err := c.admin.FetchOffsets(ctx, group)
	if errors.Is(err, kerr.GroupIDNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, c.diagnose(err)
	}
	found := map[Partition]GroupOffset{}
	for topic, ps := range fetched {
		for id, o := range ps {
			if o.Err != nil {
				return nil, c.diagnose(fmt.Errorf("position in %s/%d: %w", topic, id, o.Err))
			}
			if o.At >= 0 {
				found[Partition{topic, id}] = GroupOffset{o.At, o.LeaderEpoch, o.Metadata}
			}
		}
	}
	return found, nil
}

// SharePositions returns the start offsets of a share group: everything below
// them was acknowledged. What is acknowledged above them is counted in lag.
func (c *Cluster) SharePositions(ctx context.Context, group string) (positions map[Partition]GroupOffset, lag map[Partition]int64, err error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	described, err := c.admin.DescribeShareGroupOffsets(ctx, group)
	if err == nil {
		err = described[group].Err
	}
	if err != nil {
		return nil, nil, c.diagnose(err)
	}
	positions, lag = map[Partition]GroupOffset{}, map[Partition]int64{}
	for topic, ps := range described[group].Offsets {
		for id, o := range ps {
			if o.Err != nil {
				return nil, nil, c.diagnose(fmt.Errorf("share position in %s/%d: %w", topic, id, o.Err))
			}
			at := Partition{topic, id}
			if o.StartOffset >= 0 {
				positions[at] = GroupOffset{o.StartOffset, o.LeaderEpoch, ""}
			}
			if o.Lag >= 0 { // brokers before 4.2 do not say
				lag[at] = o.Lag
			}
		}
	}
	return positions, lag, nil
}

// Commit moves a group that has no members. Each partition is answered for by
// itself: the result holds those that were refused.
func (c *Cluster) Commit(ctx context.Context, group string, to map[Partition]GroupOffset) (map[Partition]error, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	offsets := kadm.Offsets{}
	for at, p := range to {
		offsets.Add(kadm.Offset{Topic: at.Topic, Partition: at.ID, At: p.Offset, LeaderEpoch: p.Epoch, Metadata: p.Metadata})
	}
	answered, err := c.admin.CommitOffsets(ctx, group, offsets)
	if err != nil {
		return nil, c.diagnose(err)
	}
	refused := map[Partition]error{}
	for at := range to {
		if o, ok := answered[at.Topic][at.ID]; !ok {
			refused[at] = fmt.Errorf("the cluster gave no answer for %s", at)
		} else if o.Err != nil {
			refused[at] = o.Err
		}
	}
	return refused, nil
}

// CommitShare moves the start offsets of a share group that has no members.
func (c *Cluster) CommitShare(ctx context.Context, group string, to map[Partition]GroupOffset) (map[Partition]error, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	offsets := kadm.Offsets{}
	for at, p := range to {
		offsets.Add(kadm.Offset{Topic: at.Topic, Partition: at.ID, At: p.Offset, LeaderEpoch: p.Epoch})
	}
	answered, err := c.admin.AlterShareGroupOffsets(ctx, group, offsets)
	if err != nil {
		return nil, c.diagnose(err)
	}
	refused := map[Partition]error{}
	for at := range to {
		if err, ok := answered.Lookup(at.Topic, at.ID); ok && err != nil {
			refused[at] = err
		}
	}
	return refused, nil
}

// Forget removes a group's positions, so that its readers begin as if it had
// never read these partitions. The group must have no members.
func (c *Cluster) Forget(ctx context.Context, group string, partitions []Partition) (map[Partition]error, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	set := kadm.TopicsSet{}
	for _, at := range partitions {
		set.Add(at.Topic, at.ID)
	}
	answered, err := c.admin.DeleteOffsets(ctx, group, set)
	if err != nil {
		return nil, c.diagnose(err)
	}
	refused := map[Partition]error{}
	for _, at := range partitions {
		if err, ok := answered.Lookup(at.Topic, at.ID); ok && err != nil {
			refused[at] = err
		}
	}
	return refused, nil
}

// Bounds are where a partition's log begins and ends.
type Bounds struct {
	Start, End int64
	EndEpoch   int32     // leader epoch at the end; -1 if unknown
	Newest     time.Time // greatest timestamp of a record; zero if unknown
}

// Bounds returns the bounds of every partition of the named topics. A topic
// that does not exist is absent.
func (c *Cluster) Bounds(ctx context.Context, topics ...string) (map[Partition]Bounds, error) {
	if len(topics) == 0 {
		return nil, nil // to the admin client, no names mean every topic
	}
	ends, err := c.listed(ctx, topics, c.admin.ListEndOffsets)
	if err != nil {
		return nil, err
	}
	starts, err := c.listed(ctx, topics, c.admin.ListStartOffsets)
	if err != nil {
		return nil, err
	}
	newest, err := c.listed(ctx, topics, c.admin.ListMaxTimestampOffsets)
	if err != nil { // needs Kafka 3.0, and is not worth failing for
		newest = nil
	}
	bounds := make(map[Partition]Bounds, len(ends))
	for at, end := range ends {
		b := Bounds{Start: starts[at].Offset, End: max(end.Offset, starts[at].Offset), EndEpoch: end.LeaderEpoch}
		if n, ok := newest[at]; ok && n.Timestamp >= 0 && n.Offset >= 0 {
			b.Newest = time.UnixMilli(n.Timestamp).UTC()
		}
		bounds[at] = b
	}
	return bounds, nil
}

// At returns, for every partition of the named topics, the first offset whose
// record is of that time or younger, and the end where there is none. Whoever
// starts there misses no record of that time or younger that was appended
// before or is appended later.
func (c *Cluster) At(ctx context.Context, t time.Time, topics ...string) (map[Partition]GroupOffset, error) {
	if len(topics) == 0 {
		return nil, nil
	}
	// The end is asked for first: what is appended between the two questions
	// must not lie before an end that is taken for the answer.
	ends, err := c.listed(ctx, topics, c.admin.ListEndOffsets)
	if err != nil {
		return nil, err
	}
	found, err := c.listed(ctx, topics, func(ctx context.Context, names ...string) (kadm.ListedOffsets, error) {
		return c.admin.ListOffsetsAfterMilli(ctx, max(0, t.UnixMilli()), names...)
	})
	if err != nil {
		return nil, err
	}
	positions := make(map[Partition]GroupOffset, len(ends))
	for at, end := range ends {
		first := found[at]
		if f, ok := found[at]; !ok || f.Offset > end.Offset || f.Offset < 0 {
			first = end
		}
		positions[at] = GroupOffset{Offset: first.Offset, Epoch: first.LeaderEpoch}
	}
	return positions, nil
}

// listed is a listing of offsets, in which the first fault of a partition is
// an error and a topic that does not exist is absent.
func (c *Cluster) listed(ctx context.Context, topics []string, list func(context.Context, ...string) (kadm.ListedOffsets, error)) (map[Partition]kadm.ListedOffset, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	all, err := list(ctx, slices.Compact(slices.Sorted(slices.Values(topics)))...)
	if err != nil {
		return nil, c.diagnose(err)
	}
	flat := map[Partition]kadm.ListedOffset{}
	for _, topic := range slices.Sorted(maps.Keys(all)) {
		for id, o := range all[topic] {
			switch {
			case id < 0 && errors.Is(o.Err, kerr.UnknownTopicOrPartition):
			case o.Err != nil:
				return nil, c.diagnose(fmt.Errorf("offsets of %s/%d: %w", topic, id, o.Err))
			default:
				flat[Partition{topic, id}] = o
			}
		}
	}
	return flat, nil
}
