package slipway_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/embedded"
	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/avro"
	"github.com/slipway-go/slipway/slipwaytest"
)

// illnesses are the ways in which a registry gives no usable answer.
var illnesses = map[string]func(http.ResponseWriter, *http.Request) bool{
	"500": func(w http.ResponseWriter, _ *http.Request) bool {
		http.Error(w, `{"error_code":50001,"message":"out of order"}`, http.StatusInternalServerError)
		return true
	},
	"slow by 30 seconds": func(_ http.ResponseWriter, r *http.Request) bool {
		select {
		case <-time.After(30 * time.Second):
		case <-r.Context().Done():
		}
		return false
	},
	"a schema of more than 10 MiB": func(w http.ResponseWriter, _ *http.Request) bool {
		fmt.Fprintf(w, `{"schema":"%s"}`, strings.Repeat("x", 10<<20))
		return true
	},
	"a proxy's page": func(w http.ResponseWriter, _ *http.Request) bool {
		fmt.Fprint(w, "<html>maintenance</html>")
		return true
	},
	"a proxy's 404": func(w http.ResponseWriter, _ *http.Request) bool {
		http.NotFound(w, nil)
		return true
	},
	"an answer without schema": func(w http.ResponseWriter, _ *http.Request) bool {
		fmt.Fprint(w, `{}`)
		return true
	},
}

// TestAnIllRegistryLosesNothing holds a service to F-38: five minutes without
// an answer, records under a schema that it has not asked for wait and are all
// handled afterwards; what it knows by then it reads and writes without the
// registry.
func TestAnIllRegistryLosesNothing(t *testing.T) {
	t.Parallel()
	all := slices.Sorted(maps.Keys(illnesses))
	for _, name := range brief(all, []string{"500", "slow by 30 seconds"}) {
		answer := illnesses[name]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			slipwaytest.Run(t, files("dead-letter"), ship(forward), func(t *testing.T, k *slipwaytest.Kit) {
				var asked atomic.Int32
				k.FailRegistry(func(w http.ResponseWriter, r *http.Request) bool {
					asked.Add(1)
					return answer(w, r)
				})
				for i := range 10 {
					k.Send(orders, order{fmt.Sprint("o-", i), 5})
				}
				k.Advance(5 * time.Minute)
				k.RequireDeadLettered("shipper", orders, 0)
				if lag := k.Lag("shipper"); lag != 10 {
					t.Errorf("lag = %d after five minutes, want 10", lag)
				}
				if n := asked.Load(); n < 5 || n > 100 {
					t.Errorf("the registry was asked %d times in five minutes, want 5 to 100", n)
				}
				k.FailRegistry(nil)
				k.RequireProduced(shipments, 10)
				k.FailRegistry(answer)
				for i := range 10 {
					k.Send(orders, order{fmt.Sprint("p-", i), 5})
				}
				k.RequireProduced(shipments, 20)
				k.RequireDeadLettered("shipper", orders, 0)
			})
		})
	}
}

// TestAnUnknownIDIsADeadLetterOnlyOnceTheRegistrySaysSo: the same record waits
// while nobody can tell what its id means.
func TestAnUnknownIDIsADeadLetterOnlyOnceTheRegistrySaysSo(t *testing.T) {
	t.Parallel()
	slipwaytest.Run(t, files("dead-letter"), ship(forward), func(t *testing.T, k *slipwaytest.Kit) {
		k.FailRegistry(illnesses["500"])
		k.SendBytes(orders, []byte("k"), append(schema.AppendHeader(nil, 4711), "payload"...))
		k.Advance(5 * time.Minute)
		k.RequireDeadLettered("shipper", orders, 0)
		k.FailRegistry(nil)
		k.RequireDeadLettered("shipper", orders, 1)
		k.RequireProduced(shipments, 0)
	})
}

// TestAServiceOnlyReadsTheRegistry counts what reaches it: looking up is all
// that a service does, whatever its credential would let it do.
func TestAServiceOnlyReadsTheRegistry(t *testing.T) {
	t.Parallel()
	var wrote, asked atomic.Int32
	spy := func(_ http.ResponseWriter, r *http.Request) bool {
		asked.Add(1)
		lookup := r.Method == http.MethodPost && strings.Count(r.URL.EscapedPath(), "/") == 2
		if r.Method != http.MethodGet && !lookup {
			wrote.Add(1)
		}
		return false
	}
	slipwaytest.Run(t, files("dead-letter"), ship(forward), func(t *testing.T, k *slipwaytest.Kit) {
		k.FailRegistry(spy)
		k.Stop("shipper")
		k.Start("shipper")
		k.Send(orders, order{"o-1", 5})
		k.RequireProduced(shipments, 1)
		if wrote.Load() != 0 || asked.Load() == 0 {
			t.Errorf("%d requests, of which %d write, want some and none", asked.Load(), wrote.Load())
		}
	})
}

// TestStartingWithoutARegistryNamesItAndNoCredential is a start while the
// registry is down, and one while it does not hold the schema.
func TestStartingWithoutARegistryNamesItAndNoCredential(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		ill  func(http.ResponseWriter, *http.Request) bool
		want diag.Code
	}{
		"down":             {illnesses["500"], diag.RuntimeRegistryDown},
		"slow":             {illnesses["slow by 30 seconds"], diag.RuntimeRegistryDown},
		"without a schema": {nil, diag.RuntimeSchemaUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cluster, err := embedded.Start(t.Context(), embedded.Config{Network: new(kfake.VirtualNetwork), AutoCreateTopics: true})
				if err != nil {
					t.Fatal(err)
				}
				defer farewell(cluster)
				cluster.InterceptRegistry(tt.ill)
				contract := strings.ReplaceAll(scratch, "{partitions: 1, key: none}", "{partitions: 1, schema: {file: order.avsc}}")
				app, err := slipway.New(slipway.Config{
					Files:       fstest.MapFS{"slipway.yaml": {Data: []byte(contract)}, "order.avsc": {Data: []byte(orderSchema)}},
					Environment: mounted(t, cluster), Dial: cluster.Dial, Codecs: []schema.Codec{avro.Codec()},
				})
				if err != nil {
					t.Fatal(err)
				}
				slipway.NewProducer[order](app, "scratch.noted.v1")
				ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
				defer stop()
				err = app.Run(ctx)
				if !errors.Is(err, tt.want) {
					t.Fatalf("Run() = %v, want %v", err, tt.want)
				}
				_, password, _ := strings.Cut(cluster.Registry().Reader, ":")
				said := told(err)
				if strings.Contains(said, password) {
					t.Errorf("the password is in %s", said)
				}
				if tt.ill != nil && !strings.Contains(said, cluster.Registry().URL) {
					t.Errorf("%s does not name %s", said, cluster.Registry().URL)
				}
			})
		})
	}
}

// TestTheRegistrysCredentialIsReadAnewForEachRequest takes the file away, as a
// rotation does for a moment, and brings it back.
func TestTheRegistrysCredentialIsReadAnewForEachRequest(t *testing.T) {
	t.Parallel()
	slipwaytest.Run(t, files("dead-letter"), ship(forward), func(t *testing.T, k *slipwaytest.Kit) {
		restore := k.HideFile("registry.auth")
		k.Send(orders, order{"o-1", 5})
		k.Advance(time.Minute)
		k.RequireDeadLettered("shipper", orders, 0)
		k.RequireProduced(shipments, 0)
		restore()
		k.RequireProduced(shipments, 1)
	})
}
