package trial_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/shop/drive/trial"
	"example.com/shop/internal/ledger"
)

// run tries a shop on a virtual clock.
func run(t *testing.T, s *fakeShop, orders int) trial.Summary {
	t.Helper()
	var got trial.Summary
	synctest.Test(t, func(t *testing.T) { got = trial.Run(t.Context(), s.config(orders)) })
	return got
}

func TestAShopThatKeepsItsPromisesPasses(t *testing.T) {
	t.Parallel()
	for name, orders := range map[string]int{"one order": 1, "a few": 40, "more than a page": 3000} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := run(t, newFakeShop(), orders)
			if s.Result != trial.Pass || s.Placed != orders || s.Lost+s.Duplicated+s.OutOfOrder+s.Wrong != 0 {
				t.Errorf("summary %+v, want a pass", s)
			}
			if orders == 40 && (s.States["confirmed"] != 34 || s.States["declined"] != 4 || s.States["rejected"] != 2 || s.Records != 40+40+38+38+38+38) {
				t.Errorf("summary %+v, want 34 confirmed, 4 declined, 2 rejected in 232 records", s)
			}
		})
	}
}

// once changes the first entry that matches, and leaves the others.
func once(match func(service string, e ledger.Entry) bool, change func(ledger.Entry) []ledger.Entry) func(string, ledger.Entry) []ledger.Entry {
	done := false
	return func(service string, e ledger.Entry) []ledger.Entry {
		if done || !match(service, e) {
			return []ledger.Entry{e}
		}
		done = true
		return change(e)
	}
}

func is(service string, flow ledger.Flow, topic, kind string) func(string, ledger.Entry) bool {
	return func(s string, e ledger.Entry) bool {
		return s == service && e.Flow == flow && e.Topic == topic && (kind == "" || e.Kind == kind)
	}
}

func drop(ledger.Entry) []ledger.Entry { return nil }

func twice(e ledger.Entry) []ledger.Entry { return []ledger.Entry{e, e} }

func TestABrokenPromiseFailsTheTrial(t *testing.T) {
	t.Parallel()
	const reserved, settled = "inventory.reserved.v1", "payments.settled.v1"
	lost := func(s trial.Summary) int { return s.Lost }
	duplicated := func(s trial.Summary) int { return s.Duplicated }
	outOfOrder := func(s trial.Summary) int { return s.OutOfOrder }
	wrong := func(s trial.Summary) int { return s.Wrong }
	var held []ledger.Entry
	var first *ledger.Entry // an order of a SKU that another overtakes
	for name, tt := range map[string]struct {
		breaks func(string, ledger.Entry) []ledger.Entry
		count  func(trial.Summary) int
	}{
		"an event never applied":           {once(is("orders", ledger.In, settled, ""), drop), lost},
		"an event never noted by payments": {once(is("payments", ledger.In, "orders.payment.v1", ""), drop), lost},
		"an order never final":             {once(is("orders", ledger.State, "", ""), drop), lost},
		"a placing never noted":            {once(is("orders", ledger.In, "POST /orders", ""), drop), lost},
		"an effect that happened twice":    {once(is("inventory", ledger.In, "orders.stock.v1", "committed"), twice), duplicated},
		"an event decided on twice": {once(is("inventory", ledger.Out, reserved, "reserved"), func(e ledger.Entry) []ledger.Entry {
			again := e
			again.EventID = "another"
			return []ledger.Entry{e, again}
		}), duplicated},
		"an order final twice":          {once(is("orders", ledger.State, "", ""), twice), duplicated},
		"an order placed twice for one": {once(is("orders", ledger.In, "POST /orders", ""), twice), duplicated},
		"events applied the wrong way round": {func(service string, e ledger.Entry) []ledger.Entry {
			switch {
			case service != "orders" || e.OrderID != "o-0" || e.Flow != ledger.In || e.Topic != reserved:
				return []ledger.Entry{e}
			case e.Sequence == 1:
				held = []ledger.Entry{e}
				return nil
			}
			return append([]ledger.Entry{e}, held...)
		}, outOfOrder},
		"an order that another of its SKU overtakes": {func(service string, e ledger.Entry) []ledger.Entry {
			switch {
			case service != "inventory" || e.Flow != ledger.In || e.Topic != "orders.created.v1" || first != nil && (first.SKU != e.SKU || first.OrderID == ""):
				return []ledger.Entry{e}
			case first == nil:
				first = &e
				return nil
			}
			late := *first
			first.OrderID = ""
			return []ledger.Entry{e, late}
		}, outOfOrder},
		"an effect out of nowhere": {once(is("payments", ledger.Out, settled, "confirmed"), drop), wrong},
		"stock sold that was never reserved": {once(is("inventory", ledger.In, "orders.created.v1", "reserved"), func(e ledger.Entry) []ledger.Entry {
			e.Quantity = 0
			return []ledger.Entry{e}
		}), wrong},
		"a wrong amount": {once(is("payments", ledger.Out, settled, "confirmed"), func(e ledger.Entry) []ledger.Entry {
			e.Amount++
			return []ledger.Entry{e}
		}), wrong},
		"a declined card charged": {once(is("orders", ledger.State, "", "declined"), func(e ledger.Entry) []ledger.Entry {
			e.Kind = "confirmed"
			return []ledger.Entry{e}
		}), wrong},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shop := newFakeShop()
			shop.ledger = tt.breaks
			s := run(t, shop, 40)
			if s.Result != trial.Fail || tt.count(s) == 0 || len(s.Problems) == 0 {
				t.Errorf("summary %+v, want a failure that counts this", s)
			}
		})
	}
}

func TestStockThatDoesNotBalanceFailsTheTrial(t *testing.T) {
	t.Parallel()
	shop := newFakeShop()
	shop.done = func(n int) {
		if n == 40 {
			for _, i := range shop.stock {
				i.Available++ // out of thin air
				return
			}
		}
	}
	if s := run(t, shop, 40); s.Result != trial.Fail || s.Wrong == 0 {
		t.Errorf("summary %+v, want a failure", s)
	}
}

func TestATrialCutShortIsUnknownAndNeverGreen(t *testing.T) {
	t.Parallel()
	stopped := errors.New("interrupted")
	for name, tt := range map[string]struct {
		prepare func(s *fakeShop, cancel func(error))
		want    string
	}{
		"interrupted": {func(s *fakeShop, cancel func(error)) {
			s.done = func(n int) {
				if n == 20 {
					cancel(stopped)
				}
			}
		}, "interrupted"},
		"interrupted before the end is quiet": {func(s *fakeShop, cancel func(error)) {
			s.done = func(n int) {
				if n == 40 {
					time.AfterFunc(500*time.Millisecond, func() { cancel(stopped) })
				}
			}
		}, "interrupted"},
		"orders does not answer": {func(s *fakeShop, _ func(error)) {
			s.answer = refuse("POST", "orders", http.StatusBadGateway)
		}, "orders: POST /orders"},
		"orders refuses": {func(s *fakeShop, _ func(error)) {
			s.answer = refuse("POST", "orders", http.StatusUnauthorized)
		}, "status 401"},
		"inventory cannot be seeded": {func(s *fakeShop, _ func(error)) {
			s.answer = refuse("PUT", "inventory", http.StatusServiceUnavailable)
		}, "inventory: PUT /stock/"},
		"a ledger cannot be read": {func(s *fakeShop, _ func(error)) {
			s.answer = refuse("GET", "payments", http.StatusServiceUnavailable)
		}, "payments: GET /ledger"},
		"nothing moves, and a service says why": {func(s *fakeShop, _ func(error)) {
			s.ledger = once(is("orders", ledger.State, "", ""), drop)
			s.answer = func(r *http.Request) *http.Response {
				if r.URL.Host == "inventory" && r.URL.Path == "/readyz" {
					return status(http.StatusServiceUnavailable)
				}
				return nil
			}
		}, "inventory: GET /readyz"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shop := newFakeShop()
			var s trial.Summary
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				tt.prepare(shop, cancel)
				s = trial.Run(ctx, shop.config(40))
			})
			if s.Result != trial.Unknown || len(s.Unknowns) == 0 || !strings.Contains(s.Unknowns[0], tt.want) {
				t.Errorf("summary %+v, want unknown because of %q", s, tt.want)
			}
		})
	}
}

// refuse answers a service's requests of one method with a status.
func refuse(method, service string, code int) func(*http.Request) *http.Response {
	return func(r *http.Request) *http.Response {
		if r.Method == method && r.URL.Host == service {
			return status(code)
		}
		return nil
	}
}

func TestADuplicateSeenBeforeTheCutStillFails(t *testing.T) {
	t.Parallel()
	shop := newFakeShop()
	shop.ledger = once(is("inventory", ledger.In, "orders.stock.v1", "committed"), twice)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
		defer cancel()
		if s := trial.Run(ctx, shop.config(40)); s.Result != trial.Fail || s.Duplicated != 1 || len(s.Unknowns) == 0 {
			t.Errorf("summary %+v, want a failure that says it was cut short", s)
		}
	})
}

func TestAnAnswerThatGotLostIsNoSecondOrder(t *testing.T) {
	t.Parallel()
	shop := newFakeShop()
	var n atomic.Int64
	shop.answer = func(r *http.Request) *http.Response {
		if r.Method != http.MethodPost || n.Add(1)%3 != 0 {
			return nil
		}
		shop.serve(httptest.NewRecorder(), r) // handled, and the answer lost
		return status(http.StatusGatewayTimeout)
	}
	if s := run(t, shop, 40); s.Result != trial.Pass || s.Placed != 40 || len(shop.orders) != 40 {
		t.Errorf("summary %+v with %d orders in the shop, want a pass with 40", s, len(shop.orders))
	}
}

func TestOrdersOfOthersAreNoneOfItsBusiness(t *testing.T) {
	t.Parallel()
	shop := newFakeShop()
	for _, service := range []string{"orders", "inventory", "payments"} {
		for range 7 { // from before, and without a cause
			shop.write(service, ledger.Entry{Flow: ledger.In, Topic: "inventory.reserved.v1", OrderID: "o-other", Kind: "reserved", Sequence: 1})
		}
	}
	shop.done = func(int) {
		shop.write("payments", ledger.Entry{Flow: ledger.In, Topic: "inventory.reserved.v1", OrderID: "o-other", Kind: "reserved", Sequence: 1})
	}
	if s := run(t, shop, 20); s.Result != trial.Pass {
		t.Errorf("summary %+v, want a pass", s)
	}
}

func TestTheSummaryReadsTheSameForPeopleAndPrograms(t *testing.T) {
	t.Parallel()
	s := run(t, newFakeShop(), 40)
	var text, program bytes.Buffer
	if err := errors.Join(s.WriteText(&text), s.WriteJSON(&program)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"orders 40\n", "confirmed 34\n", "lost 0\n", "duplicated 0\n", "out of order 0\n", "seconds ", "records/s ", "\nPASS\n"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text lacks %q:\n%s", want, &text)
		}
	}
	var back trial.Summary
	if err := json.Unmarshal(program.Bytes(), &back); err != nil || back.Kind != "DriveSummary" || back.Version != "v1" || back.States["declined"] != 4 {
		t.Errorf("the JSON is %s (error %v)", &program, err)
	}
}
