package order_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slipway-go/slipway/slipwaytest"

	"example.com/shop/internal/ledger"
	"example.com/shop/orders/order"
)

// run runs a test against the service alone; the test plays the others.
func run(t *testing.T, test func(t *testing.T, k *slipwaytest.Kit)) {
	t.Helper()
	slipwaytest.Run(t, os.DirFS(".."), order.Wire, test)
}

type answer struct {
	OrderID string `json:"order_id"`
	State   string `json:"state"`
	Reason  string `json:"reason"`
	Total   order.Money
	Error   struct{ Code, Message string }
}

func call(t *testing.T, k *slipwaytest.Kit, method, path, key, body string) (int, answer, http.Header) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	w := httptest.NewRecorder()
	k.HTTP("orders").ServeHTTP(w, r)
	var a answer
	if w.Header().Get("Content-Type") == "application/json" {
		if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
			t.Fatalf("%s %s answered %q", method, path, w.Body)
		}
	}
	return w.Code, a, w.Header()
}

const lamp = `{"sku": "lamp", "quantity": 3, "unit_price": {"amount": 1250, "currency": "EUR"}, "payment_method": "card-ok"}`

func place(t *testing.T, k *slipwaytest.Kit) string {
	t.Helper()
	code, a, _ := call(t, k, "POST", "/orders", "", lamp)
	if code != http.StatusCreated {
		t.Fatalf("place order: status %d with %+v", code, a)
	}
	return a.OrderID
}

func requireState(t *testing.T, k *slipwaytest.Kit, id, state, reason string) {
	t.Helper()
	if _, a, _ := call(t, k, "GET", "/orders/"+id, "", ""); a.State != state || a.Reason != reason {
		t.Errorf("the order is %s because of %q, want %s because of %q", a.State, a.Reason, state, reason)
	}
}

func reserved(id string, sequence int64, status string) order.StockReserved {
	s := order.StockReserved{OrderID: id, Sequence: sequence, Status: status}
	if status == "REJECTED" {
		s.Reason = "out_of_stock"
	}
	return s
}

func settled(id string, sequence int64, status string) order.PaymentSettled {
	s := order.PaymentSettled{OrderID: id, Sequence: sequence, Status: status}
	if status == "DECLINED" {
		s.Reason = "card_declined"
	}
	return s
}

func TestAnOrderIsPlacedWithItsEvent(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, k *slipwaytest.Kit) {
		code, a, header := call(t, k, "POST", "/orders", "k1", lamp)
		if code != http.StatusCreated || a.State != "pending" || a.Total != (order.Money{Amount: 3750, Currency: "EUR"}) {
			t.Fatalf("status %d with %+v, want 201, pending, 3750 EUR", code, a)
		}
		if got, want := header.Get("Location"), "/orders/"+a.OrderID; got != want {
			t.Errorf("Location is %q, want %q", got, want)
		}
		k.RequireProduced("orders.created.v1", 1)
		if key := string(k.Records("orders.created.v1")[0].Key); key != "lamp" {
			t.Errorf("the event's key is %q, want that of its SKU", key)
		}
		if code, got, _ := call(t, k, "GET", "/orders/"+a.OrderID, "", ""); code != http.StatusOK || got.OrderID != a.OrderID {
			t.Errorf("GET: status %d with %+v", code, got)
		}
	})
}

func TestARepeatedRequestPlacesOneOrder(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, k *slipwaytest.Kit) {
		ids := make(map[string]int)
		var mu sync.Mutex
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				_, a, _ := call(t, k, "POST", "/orders", "same", lamp)
				mu.Lock()
				defer mu.Unlock()
				ids[a.OrderID]++
			})
		}
		all.Wait()
		k.RequireProduced("orders.created.v1", 1)
		if len(ids) != 1 {
			t.Errorf("orders %v, want one", ids)
		}
		if code, _, _ := call(t, k, "POST", "/orders", "same", lamp); code != http.StatusOK {
			t.Errorf("status %d for a repeat, want 200", code)
		}
		code, a, _ := call(t, k, "POST", "/orders", "same", strings.Replace(lamp, "3", "4", 1))
		if code != http.StatusConflict || a.Error.Code != "idempotency_key_reused" {
			t.Errorf("status %d with %+v for another order under the key, want 409", code, a)
		}
		place(t, k) // without a key every request is an order
		place(t, k)
		k.RequireProduced("orders.created.v1", 3)
	})
}

func TestARequestThatMakesNoSenseIsRefusedWithACode(t *testing.T) {
	t.Parallel()
	with := func(old, replacement string) string { return strings.Replace(lamp, old, replacement, 1) }
	run(t, func(t *testing.T, k *slipwaytest.Kit) {
		for name, tt := range map[string]struct {
			method, path, key, body string
			status                  int
			code                    string
		}{
			"no body":            {"POST", "/orders", "", "", 400, "body_invalid"},
			"no JSON":            {"POST", "/orders", "", "lamp", 400, "body_invalid"},
			"unknown field":      {"POST", "/orders", "", with(`"sku"`, `"gift": true, "sku"`), 400, "body_invalid"},
			"too large":          {"POST", "/orders", "", with("lamp", strings.Repeat("x", 20_000)), 413, "body_too_large"},
			"no sku":             {"POST", "/orders", "", with("lamp", ""), 400, "sku_invalid"},
			"sku with space":     {"POST", "/orders", "", with("lamp", "la mp"), 400, "sku_invalid"},
			"no quantity":        {"POST", "/orders", "", with("3", "0"), 400, "quantity_invalid"},
			"negative quantity":  {"POST", "/orders", "", with("3", "-3"), 400, "quantity_invalid"},
			"half a lamp":        {"POST", "/orders", "", with("3", "0.5"), 400, "body_invalid"},
			"too many":           {"POST", "/orders", "", with("3", "1001"), 400, "quantity_invalid"},
			"for nothing":        {"POST", "/orders", "", with("1250", "0"), 400, "amount_invalid"},
			"beyond any price":   {"POST", "/orders", "", with("1250", "9223372036854775807"), 400, "amount_invalid"},
			"no such currency":   {"POST", "/orders", "", with("EUR", "euro"), 400, "currency_invalid"},
			"no payment method":  {"POST", "/orders", "", with("card-ok", ""), 400, "payment_method_invalid"},
			"no such user":       {"POST", "/orders", "", with(`"sku"`, `"user_id": "a b", "sku"`), 400, "user_id_invalid"},
			"key with space":     {"POST", "/orders", "a b", lamp, 400, "idempotency_key_invalid"},
			"key beyond measure": {"POST", "/orders", strings.Repeat("k", 65), lamp, 400, "idempotency_key_invalid"},
			"unknown order":      {"GET", "/orders/o-none", "", "", 404, "order_unknown"},
			"no such method":     {"DELETE", "/orders/o-none", "", "", 405, ""},
			"no such path":       {"GET", "/nothing", "", "", 404, ""},
		} {
			status, a, _ := call(t, k, tt.method, tt.path, tt.key, tt.body)
			if status != tt.status || a.Error.Code != tt.code || tt.code != "" && a.Error.Message == "" {
				t.Errorf("%s: status %d with %+v, want %d %s", name, status, a.Error, tt.status, tt.code)
			}
		}
		k.RequireProduced("orders.created.v1", 0)
	})
}

func TestEachAnswerMovesTheSagaOnceThoughItComesTwice(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, k *slipwaytest.Kit) {
		id := place(t, k)
		twice := func(topic string, value any) {
			k.Send(topic, value, slipwaytest.ID(topic+id), slipwaytest.Key(id))
			k.Send(topic, value, slipwaytest.ID(topic+id), slipwaytest.Key(id)) // the same event
			k.Send(topic, value, slipwaytest.Key(id))                           // and under another id
			k.Advance(time.Second)
		}
		twice("inventory.reserved.v1", reserved(id, 1, "RESERVED"))
		k.RequireProduced("orders.payment.v1", 1)
		twice("payments.settled.v1", settled(id, 1, "CONFIRMED"))
		k.RequireProduced("orders.stock.v1", 1)
		requireState(t, k, id, "pending", "")
		k.Send("inventory.reserved.v1", reserved(id, 2, "COMMITTED"), slipwaytest.Key(id))
		k.RequireProduced("orders.closed.v1", 1)
		requireState(t, k, id, "confirmed", "")

		w := httptest.NewRecorder()
		k.HTTP("orders").ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/ledger", nil))
		var page ledger.Page
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil {
			t.Fatal(err)
		}
		states := 0
		for _, e := range page.Entries {
			if e.Flow == ledger.State {
				states++
			}
		}
		if states != 1 {
			t.Errorf("the ledger says that the order became final %d times", states)
		}
	})
}

func TestAnOrderWithoutStockIsRejectedAndNeverCharged(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, k *slipwaytest.Kit) {
		id := place(t, k)
		k.Send("inventory.reserved.v1", reserved(id, 1, "REJECTED"), slipwaytest.Key(id))
		k.RequireProduced("orders.closed.v1", 1)
		requireState(t, k, id, "rejected", "out_of_stock")
		k.RequireProduced("orders.payment.v1", 0)
		k.RequireProduced("orders.stock.v1", 0)
	})
}

func TestADeclinedPaymentGivesTheStockBack(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, k *slipwaytest.Kit) {
		id := place(t, k)
		k.Send("inventory.reserved.v1", reserved(id, 1, "RESERVED"), slipwaytest.Key(id))
		k.Send("payments.settled.v1", settled(id, 1, "DECLINED"), slipwaytest.Key(id))
		k.RequireProduced("orders.stock.v1", 1)
		requireState(t, k, id, "pending", "")
		k.Send("inventory.reserved.v1", reserved(id, 2, "RELEASED"), slipwaytest.Key(id))
		k.RequireProduced("orders.closed.v1", 1)
		requireState(t, k, id, "declined", "card_declined")
	})
}

func TestAPaymentThatNobodyAnswersForIsVoidedAndTheStockGivenBack(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, k *slipwaytest.Kit) {
		id := place(t, k)
		k.Send("inventory.reserved.v1", reserved(id, 1, "RESERVED"), slipwaytest.Key(id))
		k.Advance(order.PaymentWithin + time.Minute)
		k.RequireProduced("orders.payment.v1", 3) // twice a charge, under one id, and the void
		k.RequireProduced("orders.stock.v1", 0)   // the money comes first
		k.Send("payments.settled.v1", settled(id, 1, "CONFIRMED"), slipwaytest.Key(id))
		k.Send("payments.settled.v1", settled(id, 2, "VOIDED"), slipwaytest.Key(id))
		k.RequireProduced("orders.stock.v1", 1)
		k.Send("inventory.reserved.v1", reserved(id, 2, "RELEASED"), slipwaytest.Key(id))
		k.RequireProduced("orders.closed.v1", 1)
		requireState(t, k, id, "declined", "payment_timed_out")
	})
}

func TestAnswersForAnUnknownOrderAreDeadLetters(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, k *slipwaytest.Kit) {
		k.Send("inventory.reserved.v1", reserved("o-none", 1, "RESERVED"))
		k.Send("payments.settled.v1", settled("", 1, "CONFIRMED"))
		k.RequireDeadLettered("orders", "inventory.reserved.v1", 1)
		k.RequireDeadLettered("orders", "payments.settled.v1", 1)
	})
}
