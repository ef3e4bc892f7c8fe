package main

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/slipwaytest"

	"example.com/features/generated/gen"
)

func TestARideIsChargedByTheMinute(t *testing.T) {
	t.Parallel()
	slipwaytest.Run(t, files, wire, func(t *testing.T, k *slipwaytest.Kit) {
		for id, tt := range map[string]struct {
			body string
			want int
		}{
			"city":    {`{"bicycle": "b-1", "kind": "CITY", "minutes": 30}`, http.StatusAccepted},
			"cargo":   {`{"bicycle": "b-2", "kind": "CARGO", "minutes": 30}`, http.StatusAccepted},
			"voucher": {`{"bicycle": "b-1", "kind": "CITY", "minutes": 30, "voucher": "free"}`, http.StatusAccepted},
			"tandem":  {`{"bicycle": "b-3", "kind": "TANDEM", "minutes": 30}`, http.StatusUnprocessableEntity}, // no symbol of the enum
		} {
			w := httptest.NewRecorder()
			k.HTTP("rentals").ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "POST", "/rentals/"+id, strings.NewReader(tt.body)))
			if w.Code != tt.want {
				t.Errorf("ride %s is answered with %d, want %d: %s", id, w.Code, tt.want, w.Body)
			}
		}
		k.Advance(time.Second)
		got := map[string]int64{}
		for _, charged := range slipwaytest.Values[gen.RentalCharged](k, "rentals.charged.v1") {
			got[charged.RentalID] = charged.Minor
		}
		if want := map[string]int64{"city": 300, "cargo": 750, "voucher": 0}; !maps.Equal(got, want) {
			t.Errorf("charged are %v, want %v", got, want)
		}
	})
}
