package arm

import (
	"cmp"
	"context"
	"net/http"
	"os"
	"time"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/telemetry"
	"github.com/slipway-go/slipway/telemetry/otlp"
	"github.com/slipway-go/slipway/telemetry/prometheus"
)

// scrapeInterval is how often metrics are scraped: fifteen times as often as
// Prometheus does by default, because an arm is short.
const scrapeInterval = time.Second

// Telemetry is what a service of Slipway tells of itself in an arm, set up as
// package serve does it. The zero Telemetry is nothing but errors in the log.
type Telemetry struct {
	Metrics   bool   `json:"metrics,omitempty"`   // and logs from info on
	Traces    string `json:"traces,omitempty"`    // the share of traces that is kept; default is the default; nothing makes none
	Collector string `json:"collector,omitempty"` // where spans go, by OTLP
}

// DefaultTraces leaves the share of traces to the service's defaults.
const DefaultTraces = "default"

// variables are those that a manifest would set.
func (t Telemetry) variables() map[string]string {
	all := make(map[string]string)
	if t.Traces != "" {
		all["OTEL_EXPORTER_OTLP_ENDPOINT"] = t.Collector
		all["OTEL_METRICS_EXPORTER"] = "prometheus"
	}
	if t.Traces != DefaultTraces {
		all["OTEL_TRACES_SAMPLER_ARG"] = t.Traces
	}
	return all
}

// begin completes a service's configuration, and has its metrics scraped until
// end is called.
func (t Telemetry) begin(ctx context.Context, cfg *slipway.Config) (end func(), err error) {
	if !t.Metrics {
		return func() {}, nil
	}
	variables := t.variables()
	made, err := telemetry.Setup(ctx, telemetry.Config{
		Service: cmp.Or(cfg.Instance, "reader"), Environment: cfg.Environment.Name, Output: os.Stderr,
		Lookup:    func(name string) (string, bool) { v, ok := variables[name]; return v, ok },
		Exporters: []telemetry.Exporter{prometheus.Exporter(), otlp.Exporter()},
	})
	if err != nil {
		return nil, err
	}
	cfg.MeterProvider, cfg.TracerProvider, cfg.Logger = made.Meter, made.Tracer, made.Logger
	scraping, stop := context.WithCancel(ctx)
	go scrape(scraping, made.Metrics)
	return func() {
		stop()
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), telemetry.ShutdownTimeout)
		defer cancel()
		_ = made.Shutdown(ending) // spans that are lost at the end of an arm are nobody's
	}, nil
}

// scrape asks for metrics as Prometheus does, without the network.
func scrape(ctx context.Context, metrics http.Handler) {
	tick := time.NewTicker(scrapeInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, "/metrics", http.NoBody)
			if err != nil {
				return
			}
			r.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
			metrics.ServeHTTP(nowhere{make(http.Header)}, r)
		}
	}
}

// nowhere is where scrapes go.
type nowhere struct{ header http.Header }

// Header implements [http.ResponseWriter].
func (n nowhere) Header() http.Header { return n.header }

// Write implements [http.ResponseWriter].
func (nowhere) Write(b []byte) (int, error) { return len(b), nil }

// WriteHeader implements [http.ResponseWriter].
func (nowhere) WriteHeader(int) {}
