package slipway_test

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/internal/parking"
	"github.com/slipway-go/slipway/slipwaytest"
)

// What waits of a partition may have been compacted there while the service was
// away. Here a transaction that was aborted is such a hole: the client passes it
// and tells nobody.
func TestWhatWaitsRunsThoughItsSourceHasNothingMoreToRead(t *testing.T) {
	t.Parallel()
	for name, behind := range map[string]bool{"nothing at all": false, "a record behind the hole": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStudy(t)
			fine := func(context.Context, job) error { return nil }
			slipwaytest.Run(t, consuming("retry: {delays: [6s]}"), s.wire(fine), func(t *testing.T, k *slipwaytest.Kit) {
				k.Advance(5 * time.Second)
				k.Stop(worker)
				abort(t, k, 3)
				source := &kgo.Record{Key: []byte("k"), Value: []byte("k#1")}
				k.SendBytes(jobsRetry, nil, nil, func(r *kgo.Record) { // of the last owner
					*r = *parking.Encode(parking.Entry{
						Kind: parking.Copy, Fence: 1, Ticket: parking.Ticket{Life: lifeOf(t, k, jobs), Offset: 1}, Key: source.Key, Since: -1,
					}, source)
					r.Topic, r.Partition = jobsRetry, 0
				})
				if behind {
					k.SendBytes(jobs, []byte("k"), []byte("k#2"), slipwaytest.Partition(0))
				}
				k.Start(worker)
				k.Advance(30 * time.Second)
				want := 1
				if behind {
					want = 2
				}
				if got := s.handled("k"); len(got) != want || got[0] != 1 {
					t.Errorf("handled %v of the key, want %d records, the one that waited first", got, want)
				}
			})
		})
	}
}

// abort writes records to partition 0 that nobody will see.
func abort(t *testing.T, k *slipwaytest.Kit, n int) {
	t.Helper()
	client := k.Client(kgo.TransactionalID("aborted"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err := client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	for range n {
		if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: jobs, Value: []byte("nothing")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.EndTransaction(t.Context(), kgo.TryAbort); err != nil {
		t.Fatal(err)
	}
}
