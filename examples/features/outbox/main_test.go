package main

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/slipwaytest"
)

func TestAPaymentIsBookedOnceHoweverOftenItComes(t *testing.T) {
	t.Parallel()
	slipwaytest.Run(t, files, wire, func(t *testing.T, k *slipwaytest.Kit) {
		call := func(method, path, key string) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
			r.Header.Set("Idempotency-Key", key)
			k.HTTP("till").ServeHTTP(w, r)
			return w
		}
		for _, key := range []string{"first", "first", "second"} { // the caller repeats itself
			if w := call("POST", "/payments/ann/1250", key); w.Code != http.StatusAccepted {
				t.Fatalf("a payment is answered with %d: %s", w.Code, w.Body)
			}
		}
		k.RequireProduced("till.paid.v1", 2)
		k.RequireProduced("till.booked.v1", 2)

		for range 3 { // another writer repeats itself
			k.Send("till.paid.v1", paid{Account: "ann", Minor: 100}, slipwaytest.ID("e-1"))
		}
		k.Kill("till") // and the service dies on the way
		k.Start("till")
		k.Advance(2 * time.Minute)
		ids := map[string]bool{} // a relay that dies may publish an event twice, under one id
		for _, r := range k.Records("till.booked.v1") {
			i := slices.IndexFunc(r.Headers, func(h kgo.RecordHeader) bool { return h.Key == "ce_id" })
			ids[string(r.Headers[i].Value)] = true
		}
		if len(ids) != 3 {
			t.Errorf("%d bookings are told of, want 3", len(ids))
		}
		if got := call("GET", "/balances/ann", "").Body.String(); got != "2600\n" {
			t.Errorf("the balance is %s, want 2600", got)
		}
		events := slipwaytest.Values[booked](k, "till.booked.v1")
		if last := events[len(events)-1]; last.BalanceMinor != 2600 {
			t.Errorf("the last event has the balance %d, want that of the database", last.BalanceMinor)
		}
	})
}
