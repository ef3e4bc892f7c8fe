package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/slipwaytest"
)

func TestWhatBreaksTheSchemaIsNeverWritten(t *testing.T) {
	t.Parallel()
	slipwaytest.Run(t, files, wire, func(t *testing.T, k *slipwaytest.Kit) {
		call := func(method, body string) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			k.HTTP("customers").ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, "/customers/ann/address", strings.NewReader(body)))
			return w
		}
		good := `{"street":"Quay 1","postcode":"20457","country":"DE"}`
		if w := call("PUT", good); w.Code != http.StatusAccepted {
			t.Fatalf("an address is answered with %d: %s", w.Code, w.Body)
		}
		bad := strings.Replace(good, "DE", "Germany", 1)
		if w := call("PUT", bad); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "country") {
			t.Errorf("a country that the pattern of address.json refuses is answered with %d: %s", w.Code, w.Body)
		}
		k.Advance(time.Second)
		k.RequireProduced("customers.moved.v1", 1)
		if w := call("GET", ""); strings.TrimSpace(w.Body.String()) != good {
			t.Errorf("the register has %s, want %s", w.Body, good)
		}
		k.SendBytes("customers.moved.v1", []byte("ann"), []byte(`{"customer_id": "ann"}`)) // another writer, without a schema
		k.RequireDeadLettered("customers", "customers.moved.v1", 1)
	})
}
