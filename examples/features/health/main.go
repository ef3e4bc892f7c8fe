// Health has a check of its own beside those that every service has, and tells
// it over HTTP and over gRPC.
package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"

	"google.golang.org/grpc"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/serve"
	"github.com/slipway-go/slipway/serve/rpc"
	"github.com/slipway-go/slipway/telemetry"
	"github.com/slipway-go/slipway/telemetry/prometheus"
)

//go:embed slipway.yaml
var files embed.FS

func main() {
	serve.Service{
		Files: files, Exporters: []telemetry.Exporter{prometheus.Exporter()},
		Wire: func(app *slipway.App) error {
			if err := wire(app); err != nil {
				return err
			}
			return rpc.Serve(app, func(*grpc.Server) {}) // a real one registers its services; grpc.health.v1 is there already
		},
	}.Main()
}

// A clerk knows the tariff of this instance, in cents; 0 is none.
type clerk struct{ tariff atomic.Int64 }

func wire(app *slipway.App) error {
	c := &clerk{}
	app.OnStart("load the tariff", c.load) // until it has returned, /startupz and /readyz say at what the start is
	app.Check("tariff", c.check)
	app.Mux().HandleFunc("PUT /tariff", func(http.ResponseWriter, *http.Request) { c.tariff.Store(95) })
	app.Mux().HandleFunc("DELETE /tariff", func(http.ResponseWriter, *http.Request) { c.tariff.Store(0) })
	app.Mux().HandleFunc("GET /letters", c.letter)
	return nil
}

// load stands for reading a file, or asking another service.
func (c *clerk) load(context.Context) error {
	c.tariff.Store(95)
	return nil
}

// check is called every second. It is about this instance alone: another one
// may have a tariff, so requests should go there. What all instances share,
// such as a database, does not belong here.
func (c *clerk) check() error {
	if c.tariff.Load() == 0 {
		return errors.New("no tariff is loaded")
	}
	return nil
}

func (c *clerk) letter(w http.ResponseWriter, _ *http.Request) {
	cents := c.tariff.Load()
	if cents == 0 {
		http.Error(w, "no tariff is loaded", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, cents)
}
