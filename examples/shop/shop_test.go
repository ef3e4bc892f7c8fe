// Package shop_test runs the shop's services against each other, on a
// Kafka in memory and with a clock that jumps. Nothing here sleeps or listens.

package shop_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/slipwaytest"

	"example.com/shop/internal/ledger"
	"example.com/shop/inventory/stock"
	"example.com/shop/orders/order"
	"example.com/shop/payments/payment"
)

// run runs a test against the shop.
func run(t *testing.T, test func(t *testing.T, k *slipwaytest.Kit)) {
	t.Helper()
	slipwaytest.RunAll(t, core, test)
}

// core are the services that fulfil orders. The others only listen.
var core = []slipwaytest.Service{
	{Files: os.DirFS("orders"), Wire: order.Wire},
	{Files: os.DirFS("inventory"), Wire: stock.Wire},
	{Files: os.DirFS("payments"), Wire: payment.Wire},
}

// call calls a service's HTTP endpoint and decodes what it answers into v.
func call(t *testing.T, k *slipwaytest.Kit, service, method, path, body string, v any) int {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	w := httptest.NewRecorder()
	k.HTTP(service).ServeHTTP(w, r)
	if err := json.Unmarshal(w.Body.Bytes(), v); err != nil {
		t.Fatalf("%s %s answered %q: %v", method, path, w.Body, err)
	}
	return w.Code
}

// place places an order and returns its id.
func place(t *testing.T, k *slipwaytest.Kit, sku string, quantity int, method string) string {
	t.Helper()
	var o order.Order
	body := fmt.Sprintf(`{"sku": %q, "quantity": %d, "unit_price": {"amount": 1250, "currency": "EUR"}, "payment_method": %q}`, sku, quantity, method)
	if code := call(t, k, "orders", "POST", "/orders", body, &o); code != http.StatusCreated {
		t.Fatalf("place order: status %d", code)
	}
	return o.ID
}

func seed(t *testing.T, k *slipwaytest.Kit, sku string, available int) {
	t.Helper()
	if code := call(t, k, "inventory", "PUT", "/stock/"+sku, fmt.Sprintf(`{"available": %d}`, available), new(stock.Item)); code != http.StatusOK {
		t.Fatalf("seed %s: status %d", sku, code)
	}
}

func TestEveryOrderReachesItsFinalState(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, k *slipwaytest.Kit) {
		seed(t, k, "lamp", 10)
		want := map[string]order.State{
			place(t, k, "lamp", 2, "card"):                 order.Confirmed,
			place(t, k, "lamp", 1, payment.DeclinedMethod): order.Declined,
			place(t, k, "lamp", 100, "card"):               order.Rejected,
			place(t, k, "unicorn", 1, "card"):              order.Rejected,
		}
		k.RequireProduced("orders.created.v1", 4)
		k.RequireProduced("inventory.reserved.v1", 6)
		k.RequireProduced("payments.settled.v1", 2)
		k.RequireProduced("orders.closed.v1", 4)
		k.Advance(time.Minute)
		for id, state := range want {
			var got order.Order
			call(t, k, "orders", "GET", "/orders/"+id, "", &got)
			if got.State != state {
				t.Errorf("order %s is %s, want %s", id, got.State, state)
			}
		}
		var lamp stock.Item
		call(t, k, "inventory", "GET", "/stock/lamp", "", &lamp)
		if want := (stock.Item{SKU: "lamp", Available: 8, Committed: 2}); lamp != want {
			t.Errorf("stock is %+v, want %+v", lamp, want)
		}
		var page ledger.Page
		call(t, k, "payments", "GET", "/ledger", "", &page)
		if len(page.Entries) != 4 {
			t.Errorf("the ledger of payments has %d entries, want 2 asked for and 2 settled", len(page.Entries))
		}
	})
}

func TestEventsThatAreReplayedChangeNothing(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, k *slipwaytest.Kit) {
		seed(t, k, "lamp", 10)
		id := place(t, k, "lamp", 3, "card")
		k.RequireProduced("inventory.reserved.v1", 2)
		topics := map[string]int{
			"orders.created.v1": 1, "inventory.reserved.v1": 2, "orders.payment.v1": 1, "payments.settled.v1": 1, "orders.stock.v1": 1,
		}
		k.RequireProduced("orders.closed.v1", 1)
		for topic := range topics {
			for _, r := range k.Records(topic) {
				var same []slipwaytest.SendOption
				for _, h := range r.Headers {
					same = append(same, slipwaytest.Header(h.Key, string(h.Value)))
				}
				k.SendBytes(topic, r.Key, r.Value, same...)
			}
		}
		for topic, n := range topics {
			k.RequireProduced(topic, 2*n) // each and its replay: none followed from the replays
		}
		k.RequireProduced("orders.closed.v1", 1)
		var o order.Order
		if call(t, k, "orders", "GET", "/orders/"+id, "", &o); o.State != order.Confirmed {
			t.Errorf("order is %s, want %s", o.State, order.Confirmed)
		}
		var lamp stock.Item
		if call(t, k, "inventory", "GET", "/stock/lamp", "", &lamp); lamp != (stock.Item{SKU: "lamp", Available: 7, Committed: 3}) {
			t.Errorf("stock is %+v, want 7 available and 3 committed", lamp)
		}
		for service, entries := range map[string]int{"orders": 6, "inventory": 5, "payments": 2} {
			var page ledger.Page
			if call(t, k, service, "GET", "/ledger", "", &page); len(page.Entries) != entries {
				t.Errorf("the ledger of %s has %d entries, want %d: %+v", service, len(page.Entries), entries, page.Entries)
			}
		}
	})
}

func TestARecordThatCannotBeReadHoldsUpNobody(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, k *slipwaytest.Kit) {
		seed(t, k, "lamp", 10)
		k.SendBytes("orders.created.v1", []byte("o-x"), []byte("this is not Avro"))
		k.SendBytes("orders.created.v1", []byte("o-y"), nil) // a tombstone is no order
		place(t, k, "lamp", 1, "card")
		k.RequireProduced("inventory.reserved.v1", 2)
		k.RequireDeadLettered("inventory", "orders.created.v1", 2)
	})
}
