package slipway_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/slipwaytest"
)

// amounts lists the amounts that were handled of one order, in order.
func amounts(all []call, order string) []int64 {
	var got []int64
	for _, c := range all {
		if c.order == order {
			got = append(got, c.amount)
		}
	}
	return got
}

func TestWhatIsFinishedAheadIsNotRepeatedAfterAHandover(t *testing.T) {
	t.Parallel()
	var done calls
	slow := func(_ context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
		if m.Value.OrderID == "slow" {
			<-time.After(3 * time.Second)
		}
		done.add(m)
		return nil
	}
	slipwaytest.Run(t, files("dead-letter"), ship(slow), func(t *testing.T, k *slipwaytest.Kit) {
		send := func(id string, n int64) {
			k.Send(orders, order{id, n}, slipwaytest.Key(id), slipwaytest.Partition(0))
		}
		send("slow", 0) // runs when the shutdown begins
		send("slow", 1) // waits behind it, and lies before what is finished already
		send("fast", 0)
		send("slow", 2) // lies behind everything that has started
		k.Advance(time.Second)
		k.Stop("shipper")
		if got := amounts(done.all(), "slow"); !slices.Equal(got, []int64{0}) {
			t.Errorf("handled %v of the slow key before the handover, want what had begun", got)
		}
		k.Start("shipper")
		k.Advance(time.Minute)
		if got := done.all(); len(got) != 4 || !slices.Equal(amounts(got, "slow"), []int64{0, 1, 2}) {
			t.Errorf("handled %v, want each record once and in order", got)
		}
	})
}

func TestAKeyThatWaitsForItsRetryIsHandedOverInOrder(t *testing.T) {
	t.Parallel()
	var done calls
	busy := func(_ context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
		if m.Value == (order{"busy", 0}) && m.Attempt == 1 {
			return slipway.RetryAfter(20*time.Second, errors.New("busy"))
		}
		done.add(m)
		return nil
	}
	slipwaytest.Run(t, files("dead-letter"), ship(busy), func(t *testing.T, k *slipwaytest.Kit) {
		send := func(id string, n int64) {
			k.Send(orders, order{id, n}, slipwaytest.Key(id), slipwaytest.Partition(0))
		}
		send("busy", 0)
		send("busy", 1)
		send("other", 0)
		k.Advance(time.Second)
		began := time.Now()
		k.Stop("shipper")
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("the shutdown waited %v for a retry", took)
		}
		if got := amounts(done.all(), "busy"); len(got) != 0 {
			t.Errorf("handled %v of the waiting key at the shutdown: too early, or out of order", got)
		}
		k.Start("shipper")
		k.Advance(5 * time.Minute)
		if got := amounts(done.all(), "busy"); !slices.Equal(got, []int64{0, 1}) {
			t.Errorf("handled %v of the waiting key, want 0 and 1 in order", got)
		}
		k.RequireDeadLettered("shipper", orders, 0)
	})
}
