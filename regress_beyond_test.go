package slipway_test

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/slipwaytest"
)

func TestAPartitionOpensThoughItsRetryLogWasCut(t *testing.T) {
	var done calls
	handle := func(_ context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
		done.add(m)
		return nil
	}
	slipwaytest.Run(t, files("park"), ship(handle), func(t *testing.T, k *slipwaytest.Kit) {
		k.Advance(5 * time.Second)
		k.Stop("shipper")
		k.Advance(time.Minute)
		adm := kadm.NewClient(k.Client())
		var to kadm.Offsets
		to.AddOffset(retryTopic, 0, 1000, -1)
		if err := adm.CommitAllOffsets(t.Context(), "svc-shipper-dev", to); err != nil {
			t.Fatal(err)
		}
		k.Start("shipper")
		k.Advance(10 * time.Second)
		k.Send(orders, order{"good", 1}, slipwaytest.Key("good"), slipwaytest.Partition(0))
		k.Advance(5 * time.Minute)
		if n := len(done.all()); n != 1 {
			t.Errorf("handled %d records in five minutes, want 1; Ready() = %v", n, k.Ready("shipper"))
		}
	})
}
