package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// stampBatch is how many partitions are read from at a time, and
	// stampBytes how much of each: a record is enough, and what comes with it
	// is thrown away.
	stampBatch = 64
	stampBytes = 16 << 10

	// stampPatience is how long a batch may take. A partition whose rest was
	// compacted away answers with nothing, and nobody should wait for it.
	stampPatience = 5 * time.Second
)

// Timestamps returns the timestamps of the first records at or after some
// offsets. Offsets at which nothing can be read are absent: there may be none,
// or it was deleted. It takes the right to read, which seeing offsets does not;
// without it, or when the time is over, it returns what it has and an error.
func (c *Cluster) Timestamps(ctx context.Context, at map[Partition]int64) (map[Partition]time.Time, error) {
	found := make(map[Partition]time.Time, len(at))
	batch := map[Partition]int64{}
	var errs []error
	flush := func() {
		errs = append(errs, c.stamp(ctx, batch, found))
		clear(batch)
	}
	for p, offset := range at {
		if batch[p] = offset; len(batch) == stampBatch {
			flush()
		}
	}
	if len(batch) > 0 {
		flush()
	}
	return found, errors.Join(errs...)
}

// stamp reads one record of each partition with a client of its own, because
// the admin's has never consumed. Control records count: they are of the time
// too, and without them the tail of a transaction would be waited for.
func (c *Cluster) stamp(ctx context.Context, at map[Partition]int64, found map[Partition]time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, min(c.timeout, stampPatience))
	defer cancel()
	from := map[string]map[int32]kgo.Offset{}
	for p, offset := range at {
		if from[p.Topic] == nil {
			from[p.Topic] = map[int32]kgo.Offset{}
		}
		from[p.Topic][p.ID] = kgo.NewOffset().At(offset)
	}
	reader, err := kgo.NewClient(append(c.client.Opts(),
		kgo.ConsumePartitions(from), kgo.KeepControlRecords(), kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.FetchMaxPartitionBytes(stampBytes), kgo.FetchMaxWait(250*time.Millisecond))...)
	if err != nil {
		return err
	}
	defer reader.Close()
	return c.firstOf(ctx, reader, len(at), found)
}

// firstOf polls until each partition has given a record or an error.
func (c *Cluster) firstOf(ctx context.Context, reader *kgo.Client, waiting int, found map[Partition]time.Time) error {
	faults := map[Partition]error{}
	done := func(p Partition) {
		waiting--
		reader.PauseFetchPartitions(map[string][]int32{p.Topic: {p.ID}})
	}
	for waiting > 0 {
		fetches := reader.PollFetches(ctx)
		if ctx.Err() != nil {
			return fmt.Errorf("no record was read of %d partitions: %w", waiting, context.Cause(ctx))
		}
		fetches.EachPartition(func(ps kgo.FetchTopicPartition) {
			p := Partition{ps.Topic, ps.Partition}
			_, read := found[p]
			switch {
			case read || faults[p] != nil:
			case len(ps.Records) > 0:
				found[p] = ps.Records[0].Timestamp.UTC()
				done(p)
			case ps.Err != nil:
				faults[p] = c.diagnose(fmt.Errorf("read %s: %w", p, ps.Err))
				done(p)
			}
		})
	}
	return errors.Join(slices.Collect(maps.Values(faults))...)
}
