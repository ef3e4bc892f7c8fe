package slipway_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/slipwaytest"
)

// Kafka's own tool, an expired offset and a topic made anew lose the fence that
// the source's commit carries: it is raised above the highest that the log has.
func TestAPartitionOpensThoughItsFenceWasLost(t *testing.T) {
	for name, lose := range map[string]func(t *testing.T, adm *kadm.Client){
		"offsets reset by Kafka's tool": func(t *testing.T, adm *kadm.Client) {
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
		},
		"offsets expired": func(t *testing.T, adm *kadm.Client) {
			if _, err := adm.DeleteGroup(t.Context(), "svc-shipper-dev"); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			var done calls
			handle := func(_ context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
				if m.Value.OrderID == "bad" {
					return errors.New("no")
				}
				done.add(m)
				return nil
			}
			slipwaytest.Run(t, files("park"), ship(handle), func(t *testing.T, k *slipwaytest.Kit) {
				k.Send(orders, order{"bad", 0}, slipwaytest.Key("bad"), slipwaytest.Partition(0))
				k.Advance(time.Minute)
				for range 3 {
					k.Stop("shipper")
					k.Start("shipper")
					k.Advance(10 * time.Second)
				}
				k.Stop("shipper")
				k.Advance(time.Minute)
				lose(t, kadm.NewClient(k.Client()))
				k.Start("shipper")
				k.Advance(10 * time.Second)
				k.Send(orders, order{"good", 1}, slipwaytest.Key("good"), slipwaytest.Partition(0))
				k.Advance(time.Minute)
				if err := k.Ready("shipper"); err != nil {
					t.Errorf("Ready() = %v", err)
				}
				if got := amounts(done.all(), "good"); !slices.Equal(got, []int64{1}) {
					t.Errorf("handled %v after the fence was lost, want [1]", got)
				}
			})
		})
	}
}
