package slipway_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/slipwaytest"
)

func TestARecordIsNotLostAfterTheFenceWasLost(t *testing.T) {
	var done calls
	handle := func(_ context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
		if m.Value.OrderID == "later" {
			if len(done.all()) == 0 {
				done.add(m)
				return slipway.RetryAfter(brief(10*time.Minute, 2*time.Minute), errors.New("later"))
			}
			done.add(m)
		}
		return nil
	}
	slipwaytest.Run(t, files("dead-letter"), ship(handle), func(t *testing.T, k *slipwaytest.Kit) {
		k.Send(orders, order{"good", 0}, slipwaytest.Key("good"), slipwaytest.Partition(0))
		k.Advance(10 * time.Second)
		for range 3 {
			k.Stop("shipper")
			k.Start("shipper")
			k.Advance(10 * time.Second)
		}
		k.Stop("shipper")
		k.Advance(time.Minute)
		adm := kadm.NewClient(k.Client())
		got, err := adm.FetchOffsets(t.Context(), "svc-shipper-dev")
		if err != nil {
			t.Fatal(err)
		}
		var to kadm.Offsets
		got.Each(func(o kadm.OffsetResponse) {
			if o.Topic == orders {
				to.AddOffset(o.Topic, o.Partition, o.At, -1)
			}
		})
		if err := adm.CommitAllOffsets(t.Context(), "svc-shipper-dev", to); err != nil {
			t.Fatal(err)
		}
		k.Start("shipper")
		k.Advance(10 * time.Second)
		k.Send(orders, order{"later", 1}, slipwaytest.Key("later"), slipwaytest.Partition(0))
		k.Advance(time.Minute)
		if err := k.Ready("shipper"); err != nil {
			t.Errorf("Ready() = %v", err)
		}
		k.Stop("shipper")
		k.Start("shipper")
		k.Advance(brief(30*time.Minute, 6*time.Minute))
		if n := len(done.all()); n != 2 {
			t.Errorf("the record was handled %d times, want its second attempt", n)
		}
		if n := k.Lag("shipper"); n != 0 {
			t.Errorf("lag %d", n)
		}
	})
}
