package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/slipwaytest"
)

func request(t *testing.T, k *slipwaytest.Kit, method, path, body string) int {
	t.Helper()
	w := httptest.NewRecorder()
	k.HTTP("prices").ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body)))
	return w.Code
}

func TestACallerLearnsWhatBecameOfItsPrices(t *testing.T) {
	t.Parallel()
	slipwaytest.Run(t, files, wire, func(t *testing.T, k *slipwaytest.Kit) {
		for _, tt := range []struct {
			method, path, body string
			want               int
		}{
			{"PUT", "/prices/lamp", `{"minor": 1250}`, http.StatusOK},
			{"POST", "/prices", `[{"sku": "chair", "minor": 4999}, {"sku": "table", "minor": 19999}]`, http.StatusOK},
			{"DELETE", "/prices/lamp", "", http.StatusOK},
			{"PUT", "/prices/lamp", `{"minor": 1, "note": "` + strings.Repeat("x", 2000) + `"}`, http.StatusRequestEntityTooLarge},
			{"PUT", "/prices/lamp", `{"sku": "chair"}`, http.StatusBadRequest},
		} {
			if got := request(t, k, tt.method, tt.path, tt.body); got != tt.want {
				t.Errorf("%s %s answered %d, want %d", tt.method, tt.path, got, tt.want)
			}
		}
		k.RequireProduced("prices.current.v1", 4)
		deleted := ""
		for _, r := range k.Records("prices.current.v1") {
			if r.Value == nil {
				deleted += string(r.Key)
			}
		}
		if deleted != "lamp" {
			t.Errorf("the tombstones are of %q, want lamp", deleted)
		}

		refused := k.FailRequests(kmsg.Produce, kerr.NotEnoughReplicas, -1)
		go request(t, k, "PUT", "/prices/lamp", `{"minor": 1}`) // waits, and shows that the cluster is away
		k.Advance(15 * time.Second)
		if got := request(t, k, "PUT", "/prices/lamp", `{"minor": 2}`); got != http.StatusServiceUnavailable || refused.Hits() == 0 {
			t.Errorf("while the cluster is away a price is answered with %d, want 503 at once", got)
		}
		refused.Remove()
		k.Advance(time.Minute)
	})
}
