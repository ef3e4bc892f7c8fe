package saga_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/slipwaytest"

	"example.com/features/saga/agency/desk"
	"example.com/features/saga/trips/trip"
)

func TestATripIsBookedAsAWholeOrTakenBack(t *testing.T) {
	t.Parallel()
	services := []slipwaytest.Service{
		{Files: os.DirFS("trips"), Wire: trip.Wire},
		{Files: os.DirFS("agency"), Wire: desk.Wire},
	}
	slipwaytest.RunAll(t, services, func(t *testing.T, k *slipwaytest.Kit) {
		call := func(method, path string) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			k.HTTP("trips").ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, nil))
			return w
		}
		require := func(id, want string) {
			t.Helper()
			if got := strings.TrimSpace(call("GET", "/trips/"+id).Body.String()); got != want {
				t.Errorf("trip %s is %s, want %s", id, got, want)
			}
		}
		for _, path := range []string{"/trips/rome?card=ok", "/trips/rome?card=ok", "/trips/oslo?card=declined"} {
			if w := call("POST", path); w.Code != http.StatusAccepted {
				t.Fatalf("a trip is answered with %d: %s", w.Code, w.Body)
			}
		}
		k.Advance(20 * time.Second)
		require("rome", "completed")
		require("oslo", "compensated")
		var asked []string
		for _, topic := range []string{"trips.flight.v1", "trips.hotel.v1", "trips.card.v1"} {
			for _, w := range slipwaytest.Values[trip.Work](k, topic) {
				if w.TripID == "oslo" && w.Undo {
					asked = append(asked, topic)
				}
			}
		}
		if !slices.Equal(asked, []string{"trips.flight.v1", "trips.hotel.v1"}) {
			t.Errorf("of the declined trip %v were taken back, want what was done: flight and hotel", asked)
		}

		// Nobody answers: the saga cannot know what was done, and takes back
		// the step that it asked for. What comes too late is refused.
		k.Stop("agency")
		call("POST", "/trips/bern?card=ok")
		k.Advance(59 * time.Second)
		require("bern", "pending")
		k.Advance(5 * time.Second)
		k.Start("agency")
		k.Advance(40 * time.Second)
		require("bern", "compensated")
	})
}
