package stock_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slipway-go/slipway"

	"github.com/slipway-go/slipway/outbox"

	"example.com/shop/internal/store"
	"example.com/shop/inventory/stock"
)

// A fixture is the service on a database of its own, with a cluster that
// remembers what it was sent.
type fixture struct {
	*stock.Service
	db  store.DB
	mux *http.ServeMux

	mu   sync.Mutex
	sent []stock.Reserved
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	db, err := stock.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "inventory.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	f := &fixture{db: db, mux: http.NewServeMux()}
	f.Service = stock.New(db, func(_ context.Context, _ outbox.Tx, r *stock.Reserved, _ ...slipway.SendOption) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.sent = append(f.sent, *r)
		return nil
	})
	f.Routes(f.mux)
	return f
}

// created and command handle an event with an id, as the runtime lets them.
func (f *fixture) created(t *testing.T, id string, e stock.OrderCreated) error {
	return f.OrderCreated(slipway.WithDelivery(t.Context(), slipway.Delivery{Entry: "orders.created.v1", ID: id, Keep: time.Hour}), id, e)
}

func (f *fixture) command(t *testing.T, id string, c stock.Command) error {
	return f.Command(slipway.WithDelivery(t.Context(), slipway.Delivery{Entry: "orders.stock.v1", ID: id, Keep: time.Hour}), id, c)
}

func (f *fixture) statuses() map[stock.Status]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	counts := make(map[stock.Status]int)
	for _, r := range f.sent {
		counts[r.Status]++
	}
	return counts
}

func (f *fixture) call(t *testing.T, method, path, body string, v any) int {
	t.Helper()
	w := httptest.NewRecorder()
	f.mux.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body)))
	if err := json.Unmarshal(w.Body.Bytes(), v); err != nil {
		t.Fatalf("%s %s answered %q", method, path, w.Body)
	}
	return w.Code
}

func (f *fixture) require(t *testing.T, want stock.Item) {
	t.Helper()
	var got stock.Item
	if f.call(t, "GET", "/stock/"+want.SKU, "", &got); got != want {
		t.Errorf("stock is %+v, want %+v", got, want)
	}
}

func order(id string, quantity int64) stock.OrderCreated {
	return stock.OrderCreated{OrderID: id, SKU: "lamp", Quantity: quantity, Amount: 100, Currency: "EUR", PaymentMethod: "card-ok"}
}

func commitOf(id string) stock.Command {
	return stock.Command{OrderID: id, Action: stock.ActionCommit, SKU: "lamp", Quantity: 1}
}

func TestStockNeverFallsBelowZeroHoweverManyAskAtOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if _, err := f.Seed(t.Context(), "lamp", 50); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			if err := f.created(t, fmt.Sprint("e", i), order(fmt.Sprint("o-", i), 1)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	f.require(t, stock.Item{SKU: "lamp", Available: 0, Reserved: 50})
	if got := f.statuses(); got[stock.StatusReserved] != 50 || got[stock.StatusRejected] != 150 {
		t.Errorf("events %v, want 50 reserved and 150 rejected", got)
	}
}

func TestTheDatabaseItselfRefusesStockBelowZero(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if _, err := f.Seed(t.Context(), "lamp", 1); err != nil {
		t.Fatal(err)
	}
	err := f.db.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE stock SET available = available - 2`)
		return err
	})
	if err == nil {
		t.Error("stock fell below zero")
	}
}

func TestAReservationIsCommittedOrGivenBackOnce(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		action string
		status stock.Status
		want   stock.Item
	}{
		"paid":     {stock.ActionCommit, stock.StatusCommitted, stock.Item{SKU: "lamp", Available: 7, Committed: 3}},
		"declined": {stock.ActionRelease, stock.StatusReleased, stock.Item{SKU: "lamp", Available: 10}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			if _, err := f.Seed(t.Context(), "lamp", 10); err != nil {
				t.Fatal(err)
			}
			for range 3 { // every event comes three times
				if err := f.created(t, "e1", order("o-1", 3)); err != nil {
					t.Fatal(err)
				}
			}
			f.require(t, stock.Item{SKU: "lamp", Available: 7, Reserved: 3})
			for range 3 {
				if err := f.command(t, "e2", stock.Command{OrderID: "o-1", Action: tt.action, SKU: "lamp", Quantity: 3}); err != nil {
					t.Fatal(err)
				}
			}
			f.require(t, tt.want)
			if len(f.sent) != 2 || f.sent[0].Sequence != 1 || f.sent[1].Sequence != 2 || f.sent[1].Status != tt.status {
				t.Errorf("sent %+v, want RESERVED and %s", f.sent, tt.status)
			}
		})
	}
}

func TestWhatIsNotThereIsRejected(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if _, err := f.Seed(t.Context(), "lamp", 2); err != nil {
		t.Fatal(err)
	}
	unknown := order("o-2", 1)
	unknown.SKU = "unicorn"
	for id, e := range map[string]stock.OrderCreated{"e1": order("o-1", 3), "e2": unknown} {
		if err := f.created(t, id, e); err != nil {
			t.Fatal(err)
		}
	}
	if got := f.statuses(); got[stock.StatusRejected] != 2 || f.sent[0].Reason != "out_of_stock" {
		t.Errorf("events %v, want two rejected with a reason", f.sent)
	}
	f.require(t, stock.Item{SKU: "lamp", Available: 2})
}

func TestEventsThatNoRepetitionCuresAreRejected(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if err := f.created(t, "e1", order("o-1", 1)); err != nil { // no stock
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"no order":               f.created(t, "e2", stock.OrderCreated{}),
		"a negative quantity":    f.created(t, "e3", order("o-2", -1)),
		"handout without order":  f.command(t, "e4", commitOf("o-none")),
		"handout of what is not": f.command(t, "e5", commitOf("o-1")),
	} {
		if !slipway.Rejected(err) {
			t.Errorf("%s: %v, want a rejection", name, err)
		}
	}
}

func TestNothingMovesOnAJammedShelfUntilItIsRepaired(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, sku := range []string{"lamp", "desk"} {
		if _, err := f.Seed(t.Context(), sku, 2); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.created(t, "e1", order("o-1", 1)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if code := f.call(t, "PUT", "/stock/lamp/jam", "", new(struct{})); code != http.StatusOK {
			t.Fatalf("jam: status %d", code)
		}
	}
	for what, err := range map[string]error{
		"reserve": f.created(t, "e2", order("o-2", 1)),
		"commit":  f.command(t, "e3", commitOf("o-1")),
	} {
		if err == nil || slipway.Rejected(err) || !strings.Contains(err.Error(), "its shelf is jammed") {
			t.Errorf("%s: %v, want an error that can be tried again", what, err)
		}
	}
	other := order("o-3", 1)
	other.SKU = "desk"
	if err := f.created(t, "e4", other); err != nil {
		t.Errorf("another shelf: %v", err)
	}
	f.require(t, stock.Item{SKU: "lamp", Available: 1, Reserved: 1})

	if code := f.call(t, "DELETE", "/stock/lamp/jam", "", new(struct{})); code != http.StatusOK {
		t.Fatalf("repair: status %d", code)
	}
	if err := f.created(t, "e2", order("o-2", 1)); err != nil {
		t.Errorf("after the repair: %v", err)
	}
	f.require(t, stock.Item{SKU: "lamp", Reserved: 2})
}

func TestStockIsSetAndRead(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for name, tt := range map[string]struct {
		method, path, body string
		status             int
		code               string
	}{
		"set":             {"PUT", "/stock/lamp", `{"available": 5}`, 200, ""},
		"nothing":         {"PUT", "/stock/lamp", `{}`, 400, "available_invalid"},
		"below zero":      {"PUT", "/stock/lamp", `{"available": -1}`, 400, "available_invalid"},
		"beyond measure":  {"PUT", "/stock/lamp", `{"available": 1000000001}`, 400, "available_invalid"},
		"not a SKU":       {"PUT", "/stock/La%20mp", `{"available": 5}`, 400, "sku_invalid"},
		"no SKU to jam":   {"PUT", "/stock/La%20mp/jam", "", 400, "sku_invalid"},
		"no SKU to mend":  {"DELETE", "/stock/La%20mp/jam", "", 400, "sku_invalid"},
		"not known":       {"GET", "/stock/unicorn", ``, 404, "sku_unknown"},
		"larger than all": {"PUT", "/stock/lamp", strings.Repeat(" ", 20_000), 413, "body_too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var a struct{ Error struct{ Code string } }
			if status := f.call(t, tt.method, tt.path, tt.body, &a); status != tt.status || a.Error.Code != tt.code {
				t.Errorf("status %d with %q, want %d with %q", status, a.Error.Code, tt.status, tt.code)
			}
		})
	}
}

func TestAReservationThatWasTakenBackBeforeItWasAskedForIsNotMade(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if _, err := f.Seed(t.Context(), "lamp", 2); err != nil {
		t.Fatal(err)
	}
	back := stock.Command{OrderID: "o-1", Action: stock.ActionRelease, SKU: "lamp", Quantity: 1}
	for n, err := range []error{f.command(t, "e1", back), f.created(t, "e2", order("o-1", 1)), f.command(t, "e3", back)} {
		if err != nil {
			t.Errorf("event %d: %v", n+1, err)
		}
	}
	f.require(t, stock.Item{SKU: "lamp", Available: 2})
	if got := f.statuses(); got[stock.StatusReleased] != 2 || len(got) != 1 {
		t.Errorf("events %v, want only that nothing is reserved, for each time that was asked for", got)
	}
}
