package cli_test

import (
	"net/http/httptest"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/slipway-go/slipway/internal/share/registrytest"
)

// registries are those that run, by address.
var registries sync.Map

// startRegistry runs an OCI registry, whose address is in $REGISTRY, for as
// long as the script or until it is stopped: registry [stop]
func startRegistry(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) > 0 {
		server, found := registries.Load(ts.Getenv("REGISTRY"))
		if !found {
			ts.Fatalf("no registry runs")
		}
		server.(*httptest.Server).Close()
		return
	}
	server, address := registrytest.Start(&registrytest.Registry{})
	registries.Store(address, server)
	ts.Defer(server.Close)
	ts.Setenv("REGISTRY", address)
}
