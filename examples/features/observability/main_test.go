package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/slipwaytest"
	"github.com/slipway-go/slipway/telemetry"
	"github.com/slipway-go/slipway/telemetry/prometheus"
)

// A page is what is written, by whoever writes.
type page struct {
	mu   sync.Mutex
	text strings.Builder
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *page) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

func TestALineASpanAndAMeasurementAreOfOneParcel(t *testing.T) {
	t.Parallel()
	var out page // logs, and the spans of the exporter called console
	var tel *telemetry.Telemetry
	variables := map[string]string{"OTEL_TRACES_EXPORTER": "console", "OTEL_TRACES_SAMPLER": "always_on"}
	service := slipwaytest.Service{Files: files, Wire: wire, Configure: func(cfg *slipway.Config) {
		var err error
		tel, err = telemetry.Setup(t.Context(), telemetry.Config{
			Service: "scales", Exporters: []telemetry.Exporter{prometheus.Exporter()}, Output: &out,
			Lookup: func(name string) (string, bool) { v, ok := variables[name]; return v, ok },
		})
		if err != nil {
			t.Fatal(err)
		}
		cfg.MeterProvider, cfg.TracerProvider, cfg.Logger = tel.Meter, tel.Tracer, tel.Logger
	}}
	slipwaytest.RunAll(t, []slipwaytest.Service{service}, func(t *testing.T, k *slipwaytest.Kit) {
		w := httptest.NewRecorder()
		k.HTTP("scales").ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPut, "/parcels/p-1/2500", nil))
		if w.Code != http.StatusOK {
			t.Fatalf("a parcel is answered with %d: %s", w.Code, w.Body)
		}
		k.Advance(time.Second)

		w = httptest.NewRecorder()
		tel.Metrics.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
		for _, want := range []string{`parcels_weight_grams_count{class="parcel"} 1`, `kafka_consumer_messages_processed_total{`} {
			if !strings.Contains(w.Body.String(), want) {
				t.Errorf("/metrics does not have %s", want)
			}
		}
		if err := tel.Shutdown(context.WithoutCancel(t.Context())); err != nil { // what was not written yet is
			t.Error(err)
		}
		line := regexp.MustCompile(`msg=priced .*parcel=p-1 .*trace_id=([0-9a-f]{32}) .*topic=parcels.weighed.v1`).FindStringSubmatch(out.String())
		if line == nil {
			t.Fatalf("no line tells of the parcel, its trace and its topic:\n%s", out.String())
		}
		for _, span := range []string{"send parcels.weighed.v1", "process parcels.weighed.v1", "price"} {
			if !regexp.MustCompile(`(?m)^.*` + regexp.QuoteMeta(span) + `.*` + line[1] + `.*$`).MatchString(out.String()) {
				t.Errorf("the trace of the line has no span %q:\n%s", span, out.String())
			}
		}
	})
}
