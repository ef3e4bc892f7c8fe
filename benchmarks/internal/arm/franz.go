package arm

import (
	"context"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// franzClient is the bare client: its defaults, with commits as often as
// everybody's. It commits what an earlier poll returned.
func franzClient(j Job, more ...kgo.Opt) (*kgo.Client, error) {
	opts, err := j.Endpoint.Options()
	if err != nil {
		return nil, err
	}
	opts = append(opts,
		kgo.ConsumerGroup(j.Group), kgo.ConsumeTopics(j.Topic),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
		kgo.AutoCommitInterval(CommitInterval),
	)
	return kgo.NewClient(append(opts, more...)...)
}

// franzLoop is the loop that a Go team writes first: poll, handle one record
// after another, let the client commit. It is what every ratio refers to.
func franzLoop(ctx context.Context, j Job) error {
	client, err := franzClient(j)
	if err != nil {
		return err
	}
	defer client.Close()
	for {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		for iter := fetches.RecordIter(); !iter.Done(); {
			r := iter.Next()
			_ = j.Handle(Record{r.Partition, r.Offset, r.Value})
		}
	}
}

// franzSerial handles the partitions of a poll in parallel, each in order: the
// usual next step where handlers are slow.
func franzSerial(ctx context.Context, j Job) error {
	client, err := franzClient(j, kgo.DisableAutoCommit())
	if err != nil {
		return err
	}
	defer client.Close()
	t := newTracker(client, j.Topic)
	go t.commitEvery(ctx)
	lanes := make(map[int32]chan []*kgo.Record)
	var all sync.WaitGroup
	defer all.Wait()
	for {
		// Small polls, so that a partition's queue is a moment's work.
		fetches := client.PollRecords(ctx, 1_000)
		if err := fetches.Err(); err != nil {
			return err
		}
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			if lanes[p.Partition] == nil {
				lane := make(chan []*kgo.Record, 64)
				lanes[p.Partition] = lane
				all.Go(func() { serve(ctx, lane, j, t) })
			}
			t.begin(p.Records)
			select {
			case lanes[p.Partition] <- p.Records:
			case <-ctx.Done():
			}
		})
	}
}

// serve handles batches in order until ctx ends.
func serve(ctx context.Context, lane <-chan []*kgo.Record, j Job, t *tracker) {
	for {
		select {
		case batch := <-lane:
			for i, r := range batch {
				_ = j.Handle(Record{r.Partition, r.Offset, r.Value})
				t.finish(batch[i : i+1])
				if ctx.Err() != nil {
					return
				}
			}
		case <-ctx.Done():
			return
		}
	}
}
