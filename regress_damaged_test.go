package slipway_test

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/internal/parking"
	"github.com/slipway-go/slipway/slipwaytest"
)

// It may be the only copy of a record, written by a later version.
func TestTheRetryFrontierStaysAtARecordThatCannotBeRead(t *testing.T) {
	ok := func(context.Context, *slipway.Message[order], *slipway.Producer[order]) error { return nil }
	slipwaytest.Run(t, files("park"), ship(ok), func(t *testing.T, k *slipwaytest.Kit) {
		k.Advance(5 * time.Second)
		k.SendBytes(retryTopic, nil, nil, func(r *kgo.Record) {
			r.Topic, r.Partition = retryTopic, 0
			r.Key, r.Value = []byte("k"), []byte("the only copy")
			r.Headers = []kgo.RecordHeader{{Key: "slipway-retry", Value: []byte{99, 1, 2, 3, 4, 5, 6, 7, 8, 9}}}
		})
		k.Advance(5 * time.Second)
		adm := kadm.NewClient(k.Client())
		ends, err := adm.ListEndOffsets(t.Context(), retryTopic)
		if err != nil {
			t.Fatal(err)
		}
		end, _ := ends.Lookup(retryTopic, 0)
		k.SendBytes(retryTopic, nil, nil, command(parking.Entry{Op: parking.Release, Key: []byte("x")}, 0))
		k.Advance(30 * time.Second)
		got, err := adm.FetchOffsets(t.Context(), "svc-shipper-dev")
		if err != nil {
			t.Fatal(err)
		}
		if at, _ := got.Lookup(retryTopic, 0); at.At >= end.Offset {
			t.Errorf("committed %d of the retry partition, behind the record at %d that nobody could read", at.At, end.Offset-1)
		}
		k.Stop("shipper")
		k.Start("shipper")
		k.Advance(time.Minute)
		starts, err := adm.ListStartOffsets(t.Context(), retryTopic)
		if err != nil {
			t.Fatal(err)
		}
		if s, _ := starts.Lookup(retryTopic, 0); s.Offset >= end.Offset {
			t.Errorf("the log starts at %d: the record at %d was deleted", s.Offset, end.Offset-1)
		}
		if err := k.Ready("shipper"); err == nil {
			t.Error("Ready() = nil after a restart, want the partition stopped at the record still")
		}
	})
}
