package payment_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/slipway-go/slipway"

	"example.com/shop/internal/ledger"
	"example.com/shop/internal/unsent"
	"example.com/shop/payments/payment"
)

func TestWhatIsDeclinedCanBeForeseen(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		amount int64
		method string
		want   payment.Status
		reason string
	}{
		"a small amount":  {1, "card-ok", payment.Confirmed, ""},
		"the limit":       {payment.Limit, "card-ok", payment.Confirmed, ""},
		"above the limit": {payment.Limit + 1, "card-ok", payment.Declined, "amount_above_limit"},
		"the test card":   {1, payment.DeclinedMethod, payment.Declined, "card_declined"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, reason := payment.Decide(tt.amount, tt.method); got != tt.want || reason != tt.reason {
				t.Errorf("Decide() = %s %q, want %s %q", got, reason, tt.want, tt.reason)
			}
		})
	}
}

// A fixture is the service on a database of its own, with a cluster that
// remembers what it was sent.
type fixture struct {
	*payment.Service
	mux  *http.ServeMux
	sent []payment.Settled
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	db, err := payment.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "payments.db"))
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
	f.Service, box = payment.New(db, slog.New(slog.DiscardHandler))
	box.Connect("payments.settled.v1", func(_ context.Context, e unsent.Event) error {
		var s payment.Settled
		err := json.Unmarshal(e.Payload, &s)
		f.sent = append(f.sent, s)
		return err
	})
	f.Routes(f.mux)
	return f
}

func (f *fixture) get(t *testing.T, path string, v any) int {
	t.Helper()
	w := httptest.NewRecorder()
	f.mux.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
	if err := json.Unmarshal(w.Body.Bytes(), v); err != nil {
		t.Fatalf("GET %s answered %q", path, w.Body)
	}
	return w.Code
}

func reserved(order string, amount int64, method string) payment.StockReserved {
	return payment.StockReserved{OrderID: order, Sequence: 1, Status: "RESERVED", Amount: amount, Currency: "EUR", PaymentMethod: method}
}

func TestAReservationIsChargedOnceThoughItComesTwice(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for range 2 {
		if err := f.StockReserved(t.Context(), "e1", reserved("o-1", 1250, "card-ok")); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.sent) != 1 || f.sent[0] != (payment.Settled{OrderID: "o-1", Status: payment.Confirmed, Amount: 1250, Currency: "EUR"}) {
		t.Errorf("sent %+v, want one confirmation of 1250 EUR", f.sent)
	}
	var p payment.Payment
	if code := f.get(t, "/payments/o-1", &p); code != http.StatusOK || p.Status != payment.Confirmed || p.Amount != 1250 {
		t.Errorf("GET: status %d with %+v", code, p)
	}
}

func TestADeclinedPaymentSaysWhy(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if err := f.StockReserved(t.Context(), "e1", reserved("o-1", 1250, payment.DeclinedMethod)); err != nil {
		t.Fatal(err)
	}
	if len(f.sent) != 1 || f.sent[0].Status != payment.Declined || f.sent[0].Reason != "card_declined" {
		t.Errorf("sent %+v, want one that is declined for the card", f.sent)
	}
}

func TestWhatIsNotReservedIsNotedAndNotCharged(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for i, status := range []string{"REJECTED", "COMMITTED", "RELEASED"} {
		e := reserved("o-"+status, 100, "card-ok")
		e.Status = status
		if err := f.StockReserved(t.Context(), string(rune('a'+i)), e); err != nil {
			t.Fatal(err)
		}
	}
	var page ledger.Page
	if f.get(t, "/ledger", &page); len(page.Entries) != 3 || len(f.sent) != 0 {
		t.Errorf("%d entries in the ledger and %d events, want 3 and none", len(page.Entries), len(f.sent))
	}
	var a struct{ Error struct{ Code string } }
	if code := f.get(t, "/payments/o-REJECTED", &a); code != http.StatusNotFound || a.Error.Code != "payment_unknown" {
		t.Errorf("status %d with %q, want 404 with payment_unknown", code, a.Error.Code)
	}
}

func TestEventsThatNoRepetitionCuresAreRejected(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for name, e := range map[string]payment.StockReserved{
		"no order":  reserved("", 100, "card-ok"),
		"no amount": reserved("o-1", 0, "card-ok"),
	} {
		if err := f.StockReserved(t.Context(), name, e); !slipway.Rejected(err) {
			t.Errorf("%s: %v, want a rejection", name, err)
		}
	}
}
