package order_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/slipway-go/slipway"

	"example.com/shop/internal/ledger"
	"example.com/shop/internal/unsent"
	"example.com/shop/orders/order"
)

// A fixture is the service on a database of its own, with a cluster that
// remembers what it was sent.
type fixture struct {
	*order.Service
	mux *http.ServeMux

	mu   sync.Mutex
	sent []unsent.Event
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	db, err := order.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "orders.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	f := &fixture{mux: http.NewServeMux()}
	var box *unsent.Box
	f.Service, box = order.New(db, slog.New(slog.DiscardHandler))
	box.Connect("orders.created.v1", func(_ context.Context, e unsent.Event) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.sent = append(f.sent, e)
		return nil
	})
	f.Routes(f.mux)
	return f
}

type answer struct {
	OrderID string `json:"order_id"`
	State   string `json:"state"`
	Total   order.Money
	Error   struct{ Code, Message string }
}

func (f *fixture) call(t *testing.T, method, path, key, body string) (int, answer, http.Header) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	w := httptest.NewRecorder()
	f.mux.ServeHTTP(w, r)
	var a answer
	if w.Header().Get("Content-Type") == "application/json" {
		if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
			t.Fatalf("%s %s answered %q", method, path, w.Body)
		}
	}
	return w.Code, a, w.Header()
}

const lamp = `{"sku": "lamp", "quantity": 3, "unit_price": {"amount": 1250, "currency": "EUR"}, "payment_method": "card-ok"}`

func TestAnOrderIsPlacedWithItsEvent(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	code, a, header := f.call(t, "POST", "/orders", "k1", lamp)
	if code != http.StatusCreated || a.State != "pending" || a.Total != (order.Money{Amount: 3750, Currency: "EUR"}) {
		t.Fatalf("status %d with %+v, want 201, pending, 3750 EUR", code, a)
	}
	if got, want := header.Get("Location"), "/orders/"+a.OrderID; got != want {
		t.Errorf("Location is %q, want %q", got, want)
	}
	var e order.Created
	if len(f.sent) != 1 || json.Unmarshal(f.sent[0].Payload, &e) != nil || e.OrderID != a.OrderID || e.Amount != 3750 || f.sent[0].Key != "lamp" {
		t.Errorf("sent %+v, want the one event of %s under the key of its SKU", f.sent, a.OrderID)
	}
	if code, got, _ := f.call(t, "GET", "/orders/"+a.OrderID, "", ""); code != http.StatusOK || got.OrderID != a.OrderID {
		t.Errorf("GET: status %d with %+v", code, got)
	}
}

func TestARepeatedRequestPlacesOneOrder(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ids := make(map[string]int)
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			_, a, _ := f.call(t, "POST", "/orders", "same", lamp)
			mu.Lock()
			defer mu.Unlock()
			ids[a.OrderID]++
		})
	}
	all.Wait()
	if len(ids) != 1 || len(f.sent) != 1 {
		t.Errorf("orders %v and %d events, want one of each", ids, len(f.sent))
	}
	if code, _, _ := f.call(t, "POST", "/orders", "same", lamp); code != http.StatusOK {
		t.Errorf("status %d for a repeat, want 200", code)
	}
	code, a, _ := f.call(t, "POST", "/orders", "same", strings.Replace(lamp, "3", "4", 1))
	if code != http.StatusConflict || a.Error.Code != "idempotency_key_reused" {
		t.Errorf("status %d with %+v for another order under the key, want 409", code, a)
	}
}

func TestWithoutAKeyEveryRequestIsAnOrder(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	_, first, _ := f.call(t, "POST", "/orders", "", lamp)
	_, second, _ := f.call(t, "POST", "/orders", "", lamp)
	if first.OrderID == second.OrderID || len(f.sent) != 2 {
		t.Errorf("orders %q and %q with %d events, want two", first.OrderID, second.OrderID, len(f.sent))
	}
}

func TestARequestThatMakesNoSenseIsRefusedWithACode(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	with := func(old, replacement string) string { return strings.Replace(lamp, old, replacement, 1) }
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
		"key with space":     {"POST", "/orders", "a b", lamp, 400, "idempotency_key_invalid"},
		"key beyond measure": {"POST", "/orders", strings.Repeat("k", 65), lamp, 400, "idempotency_key_invalid"},
		"unknown order":      {"GET", "/orders/o-none", "", "", 404, "order_unknown"},
		"no such method":     {"DELETE", "/orders/o-none", "", "", 405, ""},
		"no such path":       {"GET", "/nothing", "", "", 404, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, a, _ := f.call(t, tt.method, tt.path, tt.key, tt.body)
			if status != tt.status || a.Error.Code != tt.code || tt.code != "" && a.Error.Message == "" {
				t.Errorf("status %d with %+v, want %d %s", status, a.Error, tt.status, tt.code)
			}
		})
	}
	t.Cleanup(func() {
		if len(f.sent) != 0 {
			t.Errorf("%d events were sent for refused requests", len(f.sent))
		}
	})
}

func TestEventsThatComeTwiceMoveAnOrderOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	_, a, _ := f.call(t, "POST", "/orders", "", lamp)
	id := a.OrderID
	for range 2 {
		for _, err := range []error{
			f.StockReserved(t.Context(), "e1", order.StockReserved{OrderID: id, Sequence: 1, Status: "RESERVED"}),
			f.PaymentSettled(t.Context(), "e2", order.PaymentSettled{OrderID: id, Status: "CONFIRMED"}),
			f.StockReserved(t.Context(), "e3", order.StockReserved{OrderID: id, Sequence: 2, Status: "COMMITTED"}),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, got, _ := f.call(t, "GET", "/orders/"+id, "", ""); got.State != "confirmed" {
		t.Errorf("state is %s, want confirmed", got.State)
	}
	var page ledger.Page
	w := httptest.NewRecorder()
	f.mux.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/ledger", nil))
	if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, e := range page.Entries {
		kinds = append(kinds, string(e.Flow)+" "+e.Kind)
	}
	if got, want := strings.Join(kinds, ", "), "in placed, out placed, in reserved, in confirmed, in committed, state confirmed"; got != want {
		t.Errorf("the ledger says %s\nwant %s", got, want)
	}
}

func TestEventsThatNoRepetitionCuresAreRejected(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	_, a, _ := f.call(t, "POST", "/orders", "", lamp)
	if err := f.StockReserved(t.Context(), "e1", order.StockReserved{OrderID: a.OrderID, Sequence: 1, Status: "REJECTED", Reason: "out_of_stock"}); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"an unknown order": f.StockReserved(t.Context(), "e2", order.StockReserved{OrderID: "o-none", Sequence: 1, Status: "RESERVED"}),
		"no order":         f.PaymentSettled(t.Context(), "e3", order.PaymentSettled{Status: "CONFIRMED"}),
		"an old number":    f.StockReserved(t.Context(), "e4", order.StockReserved{OrderID: a.OrderID, Sequence: 1, Status: "RESERVED"}),
		"a contradiction":  f.PaymentSettled(t.Context(), "e5", order.PaymentSettled{OrderID: a.OrderID, Status: "CONFIRMED"}),
	} {
		if !slipway.Rejected(err) {
			t.Errorf("%s: %v, want a rejection", name, err)
		}
	}
}
