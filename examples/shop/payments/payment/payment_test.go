package payment_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/slipway-go/slipway"

	"github.com/slipway-go/slipway/outbox"

	"example.com/shop/internal/ledger"
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
	f.Service = payment.New(db, func(_ context.Context, _ outbox.Tx, r *payment.Settled, _ ...slipway.SendOption) error {
		f.sent = append(f.sent, *r)
		return nil
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

// command handles a command with an id, as the runtime lets it.
func (f *fixture) command(t *testing.T, id string, c payment.Command) {
	t.Helper()
	if err := f.try(t, id, c); err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) try(t *testing.T, id string, c payment.Command) error {
	return f.Command(slipway.WithDelivery(t.Context(), slipway.Delivery{Entry: "orders.payment.v1", ID: id, Keep: time.Hour}), id, c)
}

func charge(order string, amount int64, method string) payment.Command {
	return payment.Command{OrderID: order, Action: payment.ActionCharge, Amount: amount, Currency: "EUR", PaymentMethod: method}
}

func void(order string) payment.Command {
	return payment.Command{OrderID: order, Action: payment.ActionVoid, Amount: 1250, Currency: "EUR", PaymentMethod: "card-ok"}
}

func (f *fixture) require(t *testing.T, want ...payment.Settled) {
	t.Helper()
	if !slices.Equal(f.sent, want) {
		t.Errorf("sent %+v\nwant %+v", f.sent, want)
	}
}

func TestAnOrderIsPaidOnceHoweverItIsAskedFor(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, id := range []string{"e1", "e1", "another"} { // the same event again, and another one for the same order
		f.command(t, id, charge("o-1", 1250, "card-ok"))
	}
	f.require(t, payment.Settled{OrderID: "o-1", Sequence: 1, Status: payment.Confirmed, Amount: 1250, Currency: "EUR"})
	var p payment.Payment
	if code := f.get(t, "/payments/o-1", &p); code != http.StatusOK || p.Status != payment.Confirmed || p.Amount != 1250 {
		t.Errorf("GET: status %d with %+v", code, p)
	}
}

func TestADeclinedPaymentSaysWhy(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.command(t, "e1", charge("o-1", 1250, payment.DeclinedMethod))
	f.require(t, payment.Settled{OrderID: "o-1", Sequence: 1, Status: payment.Declined, Reason: "card_declined", Amount: 1250, Currency: "EUR"})
}

func TestAVoidGivesBackWhatWasTakenAndNothingElse(t *testing.T) {
	t.Parallel()
	voided := func(amount int64) payment.Settled {
		return payment.Settled{OrderID: "o-1", Sequence: 2, Status: payment.Voided, Amount: amount, Currency: "EUR"}
	}
	for name, tt := range map[string]struct {
		commands []payment.Command
		want     payment.Settled // what is said of the void
		said     int             // in all
	}{
		"of a payment":          {[]payment.Command{charge("o-1", 1250, "card-ok"), void("o-1")}, voided(1250), 2},
		"of a declined one":     {[]payment.Command{charge("o-1", 1250, payment.DeclinedMethod), void("o-1")}, voided(0), 2},
		"of none":               {[]payment.Command{void("o-1")}, voided(0), 1},
		"before the charge":     {[]payment.Command{void("o-1"), charge("o-1", 1250, "card-ok")}, voided(0), 1},
		"twice gives back once": {[]payment.Command{charge("o-1", 1250, "card-ok"), void("o-1"), void("o-1")}, voided(0), 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			for i, c := range tt.commands {
				f.command(t, string(rune('a'+i)), c)
			}
			if len(f.sent) != tt.said || f.sent[len(f.sent)-1] != tt.want {
				t.Errorf("sent %+v, want %d with the last %+v", f.sent, tt.said, tt.want)
			}
			var p payment.Payment
			if f.get(t, "/payments/o-1", &p); p.Status != payment.Voided {
				t.Errorf("the payment is %+v, want it voided", p)
			}
		})
	}
}

func TestTheLedgerSaysWhatWasAskedAndWhatCameOfIt(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.command(t, "e1", charge("o-1", 1250, "card-ok"))
	f.command(t, "e2", void("o-1"))
	var page ledger.Page
	f.get(t, "/ledger", &page)
	var kinds []string
	for _, e := range page.Entries {
		kinds = append(kinds, string(e.Flow)+" "+e.Kind)
	}
	if want := []string{"in charge", "out confirmed", "in void", "out voided"}; !slices.Equal(kinds, want) {
		t.Errorf("the ledger says %q, want %q", kinds, want)
	}
	var a struct{ Error struct{ Code string } }
	if code := f.get(t, "/payments/o-2", &a); code != http.StatusNotFound || a.Error.Code != "payment_unknown" {
		t.Errorf("status %d with %q, want 404 with payment_unknown", code, a.Error.Code)
	}
}

func TestEventsThatNoRepetitionCuresAreRejected(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for name, c := range map[string]payment.Command{
		"no order":  charge("", 100, "card-ok"),
		"no amount": charge("o-1", 0, "card-ok"),
	} {
		if err := f.try(t, name, c); !slipway.Rejected(err) {
			t.Errorf("%s: %v, want a rejection", name, err)
		}
	}
}
