package shop_test

import (
	"flag"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/slipway-go/slipway/slipwaytest"

	"example.com/shop/drive/trial"
	"example.com/shop/internal/ledger"
)

var driveOrders = flag.Int("orders", 200, "how many orders the driver places")

// inMemory carries the driver's requests to the services: the host of the URL
// is the service's name.
type inMemory struct{ handlers map[string]http.Handler }

func newInMemory(k *slipwaytest.Kit) inMemory {
	handlers := make(map[string]http.Handler)
	for _, service := range []string{"orders", "inventory", "payments"} {
		handlers[service] = k.HTTP(service)
	}
	return inMemory{handlers}
}

// RoundTrip implements [http.RoundTripper].
func (m inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	m.handlers[r.URL.Host].ServeHTTP(w, r)
	return w.Result(), nil
}

func (m inMemory) config(orders int) trial.Config {
	return trial.Config{
		OrdersURL: "http://orders", InventoryURL: "http://inventory", PaymentsURL: "http://payments",
		Orders: orders, Client: &http.Client{Transport: m},
	}
}

func TestTheDriverFindsNothingWrongWithTheShop(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, k *slipwaytest.Kit) {
		began := time.Now()
		s := trial.Run(t.Context(), newInMemory(k).config(*driveOrders))
		t.Logf("%+v after %v", s, time.Since(began))
		if s.Result != trial.Pass {
			t.Errorf("the trial ended in %s: %q %q", s.Result, s.Problems, s.Unknowns)
		}
		want := *driveOrders
		if got := s.States["confirmed"] + s.States["rejected"] + s.States["declined"]; got != want || s.States["rejected"] == 0 || s.States["declined"] == 0 {
			t.Errorf("final states are %v, want %d in all and some of each", s.States, want)
		}
	})
}

// slowly lets time pass with every request, so that orders flow for a while.
type slowly struct{ next http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (s slowly) RoundTrip(r *http.Request) (*http.Response, error) {
	<-time.After(50 * time.Millisecond)
	return s.next.RoundTrip(r)
}

func TestNothingIsLostWhenServicesRestartWhileOrdersFlow(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, k *slipwaytest.Kit) {
		cfg := newInMemory(k).config(300)
		cfg.Client.Transport = slowly{cfg.Client.Transport}
		cfg.Concurrency = 1
		ended := make(chan trial.Summary, 1)
		go func() { ended <- trial.Run(t.Context(), cfg) }()
		k.Advance(2 * time.Second)
		for _, service := range []string{"payments", "inventory", "payments", "inventory"} {
			k.Advance(time.Second)
			k.Stop(service)
			k.Start(service)
		}
		var page ledger.Page
		if call(t, k, "payments", "GET", "/ledger?limit=1", "", &page); len(ended) > 0 || page.Last == 0 {
			t.Fatalf("no orders flow while services restart: %d entries so far", page.Last)
		}
		if s := <-ended; s.Result != trial.Pass {
			t.Errorf("the trial ended in %s: %+v", s.Result, s)
		}
	})
}
