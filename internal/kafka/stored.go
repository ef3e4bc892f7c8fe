package kafka

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// Stored is what lies in a topic.
type Stored struct {
	Bytes   int64     // on the disks, each partition once
	Records int64     // between its start and its end; compaction may have taken some
	Older   int64     // of these, appended before the time that was asked about
	Oldest  time.Time // of the first record; zero if there is none
}

// Stored tells what lies in the named topics, and how much of it is older than
// a time. It takes the right to DESCRIBE the cluster and the topics.
func (c *Cluster) Stored(ctx context.Context, than time.Time, names ...string) (map[string]Stored, error) {
	if len(names) == 0 {
		return nil, nil // to the admin client, no names mean every topic
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	offsets := func(list kadm.ListedOffsets, err error) (kadm.ListedOffsets, error) {
		if err == nil {
			err = list.Error()
		}
		return list, c.diagnose(err)
	}
	starts, err := offsets(c.admin.ListStartOffsets(ctx, names...))
	if err != nil {
		return nil, err
	}
	ends, err := offsets(c.admin.ListEndOffsets(ctx, names...))
	if err != nil {
		return nil, err
	}
	first, err := offsets(c.admin.ListOffsetsAfterMilli(ctx, 0, names...))
	if err != nil {
		return nil, err
	}
	young, err := offsets(c.admin.ListOffsetsAfterMilli(ctx, than.UnixMilli(), names...))
	if err != nil {
		return nil, err
	}
	sizes, err := c.sizes(ctx, starts)
	if err != nil {
		return nil, err
	}
	all := make(map[string]Stored, len(names))
	starts.Each(func(start kadm.ListedOffset) {
		s := all[start.Topic]
		if end, ok := ends.Lookup(start.Topic, start.Partition); ok {
			s.Records += max(0, end.Offset-start.Offset)
		}
		if from, ok := young.Lookup(start.Topic, start.Partition); ok {
			s.Older += max(0, from.Offset-start.Offset)
		}
		if at, ok := first.Lookup(start.Topic, start.Partition); ok && at.Timestamp > 0 {
			if t := time.UnixMilli(at.Timestamp).UTC(); s.Oldest.IsZero() || t.Before(s.Oldest) {
				s.Oldest = t
			}
		}
		s.Bytes += sizes[Partition{start.Topic, start.Partition}]
		all[start.Topic] = s
	})
	return all, nil
}

// sizes are those of the largest replica of each partition.
func (c *Cluster) sizes(ctx context.Context, of kadm.ListedOffsets) (map[Partition]int64, error) {
	partitions := kadm.TopicsSet{}
	of.Each(func(o kadm.ListedOffset) { partitions.Add(o.Topic, o.Partition) })
	dirs, err := c.admin.DescribeAllLogDirs(ctx, partitions)
	if err != nil {
		return nil, c.diagnose(err)
	}
	sizes := map[Partition]int64{}
	dirs.Each(func(dir kadm.DescribedLogDir) {
		dir.Topics.Each(func(p kadm.DescribedLogDirPartition) {
			at := Partition{p.Topic, p.Partition}
			sizes[at] = max(sizes[at], p.Size)
		})
	})
	return sizes, nil
}
