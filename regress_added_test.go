package slipway_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/slipwaytest"
)

func TestAnAddedPartitionOpensAtOnce(t *testing.T) {
	var done calls
	handle := func(_ context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
		if m.Partition == 3 {
			done.add(m)
		}
		return nil
	}
	slipwaytest.Run(t, with("protocol: consumer"), ship(handle), func(t *testing.T, k *slipwaytest.Kit) {
		k.Advance(2 * time.Second)
		adm := kadm.NewClient(k.Client())
		for _, topic := range []string{retryTopic, orders} {
			if _, err := adm.UpdatePartitions(t.Context(), 4, topic); err != nil {
				t.Fatal(err)
			}
		}
		k.Advance(time.Second)
		k.Start("shipper")
		k.Advance(15 * time.Second)
		for n := range int64(3) {
			k.Send(orders, order{"o", n}, slipwaytest.Partition(3))
		}
		k.Advance(5 * time.Second)
		if n := len(done.all()); n != 3 {
			t.Fatalf("handled %d of 3", n)
		}
		k.Stop("shipper")
		k.Advance(2 * time.Second)
		got, err := adm.FetchOffsets(t.Context(), "svc-shipper-dev")
		if err != nil {
			t.Fatal(err)
		}
		if at, _ := got.Lookup(orders, 3); at.At != 3 {
			t.Errorf("committed %d of the added partition after the handover, was 3", at.At)
		}
		k.Advance(time.Minute)
		if n := strings.Count(k.Log(), "invalid record partitioning choice"); n > 2 {
			t.Errorf("the added partition could not be opened %d times", n)
		}
		if n := len(done.all()); n != 3 {
			t.Errorf("handled %d times, want 3", n)
		}
	})
}
