package group_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/twmb/franz-go/pkg/kfake"
	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/group"
)

// TestRestoringASnapshotIsTheWayBack puts a group somewhere, keeps it, moves it
// anywhere, and restores it: it is where it was, with its metadata, and where
// it had no position it has none.
func TestRestoringASnapshotIsTheWayBack(t *testing.T) {
	t.Parallel()
	const partitions = 3
	f := start(t, kfake.SeedTopics(partitions, orders, retry))
	for id := range int32(partitions) {
		f.produce(orders, id, minutes(0, 1, 2, 3, 4, 5, 6, 7)...)
		f.produce(retry, id, minutes(0, 1, 2, 3)...)
	}
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		id := fmt.Sprintf("g%d", n)
		placed := false
		for _, topic := range []string{orders, retry} {
			for p := range int32(partitions) {
				offset := rapid.Int64Range(group.NoPosition, 4).Draw(rt, topic)
				if offset == group.NoPosition {
					continue
				}
				metadata := rapid.SampledFrom([]string{"", "of another client", fenced(2, offset), fenced(9, offset)}).Draw(rt, "metadata")
				f.commit(id, topic, p, offset, metadata)
				placed = true
			}
		}
		if !placed {
			return
		}
		want, err := f.Snapshot(t.Context(), id, orders, retry)
		if err != nil {
			rt.Fatal(err)
		}
		f.apply(f.Seek(t.Context(), group.Seek{
			Group: id, ResetRetry: rapid.Bool().Draw(rt, "reset"),
			Topics: rapid.SampledFrom([][]string{{orders}, {retry}, {orders, retry}}).Draw(rt, "topics"),
			To: rapid.SampledFrom([]group.Target{
				{Kind: group.Earliest}, {Kind: group.Latest}, {Kind: group.By, Offset: 1}, {Kind: group.By, Offset: -1},
				{Kind: group.AtOffset, Offset: 3}, {Kind: group.AtTime, Time: noon.Add(90 * time.Second)},
			}).Draw(rt, "to"),
		}))
		f.apply(f.Restore(t.Context(), group.Restore{Snapshot: want}))
		got, err := f.Snapshot(t.Context(), id, orders, retry)
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(group.Snapshot{}, "Taken")); diff != "" {
			rt.Fatalf("restored group (-want +got):\n%s", diff)
		}
	})
}

// TestSeekingByTimeSkipsNoRecordOfThatTimeOrYounger whatever the order of the
// timestamps in the log.
func TestSeekingByTimeSkipsNoRecordOfThatTimeOrYounger(t *testing.T) {
	t.Parallel()
	f := start(t)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		topic, id := fmt.Sprintf("t%d.v1", n), fmt.Sprintf("g%d", n)
		f.create(topic, 2)
		logs := make([][]time.Time, 2)
		for p := range logs {
			logs[p] = minutes(rapid.SliceOfN(rapid.IntRange(0, 9), 0, 8).Draw(rt, "minutes")...)
			f.produce(topic, int32(p), logs[p]...)
		}
		at := noon.Add(time.Duration(rapid.IntRange(-1, 10).Draw(rt, "at")) * time.Minute)
		m := f.apply(f.Seek(context.WithoutCancel(t.Context()), group.Seek{Group: id, Topics: []string{topic}, To: group.Target{Kind: group.AtTime, Time: at}}))
		for _, s := range m.Steps {
			for offset, of := range logs[s.Partition] {
				if int64(offset) < s.To && !of.Before(at) {
					rt.Fatalf("partition %d begins at %d and skips the record %d of %v, asked for %v", s.Partition, s.To, offset, of, at)
				}
			}
			if s.To < int64(len(logs[s.Partition])) && logs[s.Partition][s.To].Before(at) {
				rt.Fatalf("partition %d begins at %d, a record of %v, asked for %v", s.Partition, s.To, logs[s.Partition][s.To], at)
			}
		}
	})
}
