package shop_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/slipwaytest"

	"example.com/shop/internal/ledger"
	"example.com/shop/inventory/stock"
	"example.com/shop/orders/order"
)

// The entries of inventory, as its contract names them.
const (
	created  = "orders.created.v1"
	commands = "orders.stock.v1"
)

// jam jams the shelf of a SKU, repair mends it.
func jam(t *testing.T, k *slipwaytest.Kit, sku string)    { t.Helper(); shelf(t, k, "PUT", sku) }
func repair(t *testing.T, k *slipwaytest.Kit, sku string) { t.Helper(); shelf(t, k, "DELETE", sku) }

func shelf(t *testing.T, k *slipwaytest.Kit, method, sku string) {
	t.Helper()
	if code := call(t, k, "inventory", method, "/stock/"+sku+"/jam", "", new(struct{})); code != http.StatusOK {
		t.Fatalf("%s jam of %s: status %d", method, sku, code)
	}
}

// queue places orders of one of a SKU, and returns their ids in order.
func queue(t *testing.T, k *slipwaytest.Kit, sku string, n int) []string {
	t.Helper()
	var ids []string
	for range n {
		ids = append(ids, place(t, k, sku, 1, "card"))
	}
	return ids
}

// did are the orders of a SKU that a ledger of inventory says something of, in
// the order in which it happened.
func did(t *testing.T, k *slipwaytest.Kit, kind, sku string) []string {
	t.Helper()
	var page ledger.Page
	call(t, k, "inventory", "GET", "/ledger?limit=1000", "", &page)
	var ids []string
	for _, e := range page.Entries {
		if e.Flow == ledger.In && e.Kind == kind && e.SKU == sku {
			ids = append(ids, e.OrderID)
		}
	}
	return ids
}

func requireDid(t *testing.T, k *slipwaytest.Kit, kind, sku string, want []string) {
	t.Helper()
	if got := did(t, k, kind, sku); !slices.Equal(got, want) {
		t.Errorf("%s of %s: %v, want %v", kind, sku, got, want)
	}
}

func requireState(t *testing.T, k *slipwaytest.Kit, want order.State, ids ...string) {
	t.Helper()
	for _, id := range ids {
		var o order.Order
		if call(t, k, "orders", "GET", "/orders/"+id, "", &o); o.State != want {
			t.Errorf("order %s is %s, want %s", id, o.State, want)
		}
	}
}

// consumption is how inventory consumes an entry.
func consumption(t *testing.T, k *slipwaytest.Kit, entry string) slipway.EntryStatus {
	t.Helper()
	var all []slipway.EntryStatus
	call(t, k, "inventory", "GET", "/consumption", "", &all)
	for _, e := range all {
		if e.Entry == entry {
			return e
		}
	}
	t.Fatalf("inventory consumes no %s", entry)
	return slipway.EntryStatus{}
}

// requireHeld compares how many keys are parked, and how many records wait in
// all.
func requireHeld(t *testing.T, k *slipwaytest.Kit, parked, held int) {
	t.Helper()
	if s := consumption(t, k, created); s.Parked != parked || s.Held != held {
		t.Errorf("%d keys are parked and %d records held, want %d and %d", s.Parked, s.Held, parked, held)
	}
}

// This is docs/walkthrough-parked-key.md.
func TestAJammedShelfParksItsOrdersInOrderWhileOthersFlow(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, k *slipwaytest.Kit) {
		seed(t, k, "lamp", 2)
		seed(t, k, "desk", 10)
		jam(t, k, "lamp")
		lamps := queue(t, k, "lamp", 3)
		desks := queue(t, k, "desk", 3)
		k.Advance(time.Minute)
		k.RequireDeadLettered("inventory", created, 1) // the first is the evidence; the others only wait
		requireHeld(t, k, 1, 3)
		requireState(t, k, order.Pending, lamps...)
		requireState(t, k, order.Confirmed, desks...)

		k.Stop("inventory") // a restart neither repairs the shelf nor forgets who waits
		k.Start("inventory")
		lamps = append(lamps, queue(t, k, "lamp", 1)...)
		desks = append(desks, queue(t, k, "desk", 1)...)
		k.Advance(time.Minute)
		requireHeld(t, k, 1, 4)
		requireDid(t, k, "reserved", "lamp", nil)
		requireState(t, k, order.Confirmed, desks...)

		repair(t, k, "lamp")
		k.Advance(5 * time.Minute)
		requireHeld(t, k, 1, 4) // nobody has said that they may go on
		if n := k.Redrive("inventory", created); n != 1 {
			t.Errorf("%d letters redriven, want 1", n)
		}
		k.Advance(time.Minute)
		requireHeld(t, k, 0, 0)
		requireDid(t, k, "reserved", "lamp", lamps[:2]) // there are two: who came first has them
		requireDid(t, k, "rejected", "lamp", lamps[2:])
		requireState(t, k, order.Confirmed, lamps[:2]...)
		requireState(t, k, order.Rejected, lamps[2:]...)
		k.RequireDeadLettered("inventory", created, 1)
		if n := k.Redrive("inventory", created); n != 0 {
			t.Errorf("%d letters redriven again, want none", n)
		}
		var lamp stock.Item
		if call(t, k, "inventory", "GET", "/stock/lamp", "", &lamp); lamp != (stock.Item{SKU: "lamp", Committed: 2}) {
			t.Errorf("stock is %+v, want both sold", lamp)
		}
	})
}

func TestARedriveTooEarlyParksTheKeyAgainAndEndsAtTheLimit(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, k *slipwaytest.Kit) {
		seed(t, k, "lamp", 10)
		jam(t, k, "lamp")
		lamps := queue(t, k, "lamp", 2)
		k.Advance(time.Minute)
		for n := range 3 {
			if sent := k.Redrive("inventory", created); sent != 1 {
				t.Errorf("redrive %d sent %d letters, want 1", n+1, sent)
			}
			k.Advance(time.Minute)
			requireHeld(t, k, 1, 2)
		}
		letters := k.Records(k.DeadLetterTopic("inventory", created))
		var rounds []string
		for _, l := range letters {
			round := "0"
			for _, h := range l.Headers {
				if h.Key == "slipway-redrives" {
					round = string(h.Value)
				}
			}
			rounds = append(rounds, round)
		}
		if want := []string{"0", "1", "2", "3"}; !slices.Equal(rounds, want) {
			t.Errorf("the letters count the redrives %v, want %v", rounds, want)
		}
		if sent := k.Redrive("inventory", created); sent != 0 {
			t.Errorf("the fourth redrive sent %d letters, want none: the guard ends the loop", sent)
		}

		k.Skip("inventory", created, "lamp") // the first is given up; the shelf is still jammed
		k.Advance(time.Minute)
		requireHeld(t, k, 1, 1)
		k.RequireDeadLettered("inventory", created, 5)
		repair(t, k, "lamp")
		if sent := k.Redrive("inventory", created); sent != 1 {
			t.Errorf("%d letters redriven, want the one of the second order", sent)
		}
		k.Advance(time.Minute)
		requireHeld(t, k, 0, 0)
		requireDid(t, k, "reserved", "lamp", lamps[1:])
		requireState(t, k, order.Pending, lamps[0]) // skipped: nobody ever told orders
		requireState(t, k, order.Confirmed, lamps[1])
	})
}

// The command to hand out is of one order, which waits for nothing else: the
// contract makes it a dead letter, and a redrive injects the record.
func TestADeadLetterIsHandledOnceThoughItIsRedrivenTwice(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, k *slipwaytest.Kit) {
		seed(t, k, "lamp", 10)
		k.Stop("payments")
		lamps := queue(t, k, "lamp", 3)
		k.RequireProduced("inventory.reserved.v1", 3)
		jam(t, k, "lamp")
		k.Start("payments")
		k.Advance(time.Minute)
		k.RequireDeadLettered("inventory", commands, 3)
		requireState(t, k, order.Pending, lamps...)

		repair(t, k, "lamp")
		for n, want := range []int{3, 0} {
			if sent := k.Redrive("inventory", commands); sent != want {
				t.Errorf("redrive %d sent %d letters, want %d", n+1, sent, want)
			}
			k.Advance(time.Minute)
		}
		k.RequireProduced("inventory.reserved.v1", 6)
		k.RequireDeadLettered("inventory", commands, 3)
		got := did(t, k, "committed", "lamp")
		slices.Sort(got)
		slices.Sort(lamps)
		if !slices.Equal(got, lamps) {
			t.Errorf("committed %v, want each of %v once", got, lamps)
		}
		requireState(t, k, order.Confirmed, lamps...)
	})
}

func TestAKeyParkedByHandWaitsUntilItIsLetGo(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, k *slipwaytest.Kit) {
		seed(t, k, "lamp", 10)
		seed(t, k, "desk", 10)
		first := queue(t, k, "lamp", 1)
		k.RequireProduced("inventory.reserved.v1", 2) // it was through before
		k.ParkKey("inventory", created, "lamp")
		k.Advance(time.Second)
		lamps, desks := queue(t, k, "lamp", 3), queue(t, k, "desk", 1)
		k.Advance(time.Minute)
		requireState(t, k, order.Pending, lamps...)
		requireState(t, k, order.Confirmed, first...)
		requireState(t, k, order.Confirmed, desks...)
		k.RequireDeadLettered("inventory", created, 0) // nothing failed

		k.LetGo("inventory", created, "lamp")
		k.Advance(time.Minute)
		requireDid(t, k, "reserved", "lamp", slices.Concat(first, lamps))
		requireState(t, k, order.Confirmed, lamps...)
	})
}

func TestOrdersOfASKUAreServedInTheOrderTheyWerePlaced(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, k *slipwaytest.Kit) {
		want := map[string][]string{}
		for n := range 5 {
			seed(t, k, fmt.Sprint("sku-", n), 100)
		}
		for n := range 50 {
			sku := fmt.Sprint("sku-", n%5)
			want[sku] = append(want[sku], place(t, k, sku, 1, "card"))
		}
		k.Advance(time.Minute)
		for sku, ids := range want {
			requireDid(t, k, "reserved", sku, ids)
		}
	})
}
