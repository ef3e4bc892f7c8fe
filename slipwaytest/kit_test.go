package slipwaytest_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/slipwaytest"
)

// A service that reserves stock once for each order.
var files = fstest.MapFS{
	"slipway.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Service
metadata: {name: inventory, owner: team-warehouse}
identity: {auth: scram-sha-512}
topics:
  inventory.reserved.v1: {key: order_id, partitions: 3, schema: {file: reserved.avsc}}
produces:
  inventory.reserved.v1: {}
consumes:
  orders.created.v1: {schema: {file: reserved.avsc}, retry: {delays: [1s, 30s]}}
`)},
	"reserved.avsc": {Data: []byte(`{"type": "record", "name": "Reserved", "fields": [{"name": "order_id", "type": "string"}]}`)},
}

type reserved struct {
	OrderID string `avro:"order_id"`
}

// wire is the service's wiring, with a bookkeeping that only the test needs.
func wire(app *slipway.App) error {
	out := slipway.NewProducer[reserved](app, "inventory.reserved.v1")
	var mu sync.Mutex
	seen := make(map[string]bool)
	slipway.Handle(app, "orders.created.v1", func(ctx context.Context, m *slipway.Message[reserved]) error {
		mu.Lock()
		defer mu.Unlock()
		if m.Value.OrderID == "busy" && m.Attempt == 1 {
			return errors.New("warehouse is busy")
		}
		if seen[m.Value.OrderID] {
			return nil
		}
		seen[m.Value.OrderID] = true
		_, err := out.Send(ctx, &m.Value)
		return err
	})
	app.Mux().HandleFunc("GET /stock", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	return nil
}

func TestStockIsReservedOncePerOrder(t *testing.T) {
	t.Parallel()
	slipwaytest.Run(t, files, wire, func(t *testing.T, k *slipwaytest.Kit) {
		order := reserved{"o-1"}
		k.Send("orders.created.v1", order)
		k.Send("orders.created.v1", &order)
		k.Advance(10 * time.Minute)
		k.RequireProduced("inventory.reserved.v1", 1)
	})
}

func TestVirtualTimePassesARetryAtOnce(t *testing.T) {
	t.Parallel()
	slipwaytest.Run(t, files, wire, func(t *testing.T, k *slipwaytest.Kit) {
		began := time.Now()
		k.Send("orders.created.v1", reserved{"busy"})
		k.RequireProduced("inventory.reserved.v1", 1)
		k.RequireDeadLettered("inventory", "orders.created.v1", 0)
		if took := time.Since(began); took < time.Second || took > time.Minute {
			t.Errorf("the record came through after %v of virtual time, want its retry's delay", took)
		}
	})
}

func TestARequestGoesToWhateverInstanceRuns(t *testing.T) {
	t.Parallel()
	slipwaytest.Run(t, files, wire, func(t *testing.T, k *slipwaytest.Kit) {
		h := k.HTTP("inventory")
		status := func() int {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/stock", nil))
			return w.Code
		}
		if got := status(); got != http.StatusNoContent {
			t.Errorf("GET /stock = %d while the service runs, want 204", got)
		}
		k.Stop("inventory")
		if got := status(); got != http.StatusServiceUnavailable {
			t.Errorf("GET /stock = %d while it is stopped, want 503", got)
		}
		k.Start("inventory")
		if got := status(); got != http.StatusNoContent {
			t.Errorf("GET /stock = %d after it was started again, want 204", got)
		}
	})
}

func TestATestSaysWhatAServiceIsConfiguredWith(t *testing.T) {
	t.Parallel()
	fsys := maps.Clone(files)
	text := string(files["slipway.yaml"].Data) + "config:\n  stock.key: {secret: true}\n  stock.limit: {type: integer, default: 5}\n"
	fsys["slipway.yaml"] = &fstest.MapFile{Data: []byte(text)}
	var key string
	var limit int64
	service := slipwaytest.Service{Files: fsys, Set: map[string]string{"stock.key": "k-1", "stock.limit": "7"}, Wire: func(app *slipway.App) error {
		key, limit = slipway.NewSetting[string](app, "stock.key").Get(), slipway.NewSetting[int64](app, "stock.limit").Get()
		return wire(app)
	}}
	slipwaytest.RunAll(t, []slipwaytest.Service{service}, func(t *testing.T, _ *slipwaytest.Kit) {
		if key != "k-1" || limit != 7 {
			t.Errorf("the service reads %q and %d, want what the test set", key, limit)
		}
	})
}
