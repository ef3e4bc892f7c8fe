package slipway_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/slipwaytest"
	"github.com/slipway-go/slipway/telemetry"
	"github.com/slipway-go/slipway/telemetry/prometheus"
)

func TestAHistogramLeadsToTheTraceOfARecordThatIsKeptAndToNoOther(t *testing.T) {
	t.Parallel()
	metrics, err := telemetry.Setup(t.Context(), telemetry.Config{Service: "shipper", Exporters: []telemetry.Exporter{prometheus.Exporter()}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = metrics.Shutdown(context.WithoutCancel(t.Context())) }()
	v := newViewer(sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.NeverSample())))
	fs := files("dead-letter")
	fs["slipway.yaml"].Data = append(fs["slipway.yaml"].Data, "slo: {freshness: {p99: 1m}}\n"...)
	svc := slipwaytest.Service{Files: fs, Wire: ship(forward), Configure: func(cfg *slipway.Config) {
		v.configure(cfg)
		cfg.MeterProvider = metrics.Meter
	}}
	slipwaytest.RunAll(t, []slipwaytest.Service{svc}, func(t *testing.T, k *slipwaytest.Kit) {
		ids := make(map[trace.TraceFlags]string)
		for n, flags := range []trace.TraceFlags{0, trace.FlagsSampled, 0} {
			sc := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{byte(n + 1)}, SpanID: trace.SpanID{7}, TraceFlags: flags})
			ids[flags] = sc.TraceID().String()
			k.Send(orders, order{"o-1", int64(n)}, slipwaytest.Header("traceparent", traceparent(sc)))
		}
		k.RequireProduced(shipments, 3)
		k.Advance(time.Second)
		for name, of := range map[string]string{
			"kafka_message_processing_duration_seconds": "process " + orders,
			"kafka_consumer_freshness_seconds":          "process " + orders,
			"kafka_producer_send_duration_seconds":      "send " + shipments,
		} {
			found := exemplars(t, metrics.Metrics, name)
			if len(found) != 1 {
				t.Errorf("%s has the exemplars %q, want the one of the record that is kept", name, found)
				continue
			}
			for _, id := range []string{ids[trace.FlagsSampled], v.only(t, of).SpanContext.SpanID().String()} {
				if !strings.Contains(found[0], id) {
					t.Errorf("the exemplar of %s is %s, want one with %s", name, found[0], id)
				}
			}
		}
	})
}

// exemplars are those that a scrape of OpenMetrics finds at a histogram.
func exemplars(t *testing.T, h http.Handler, name string) []string {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var found []string
	for lines := bufio.NewScanner(w.Body); lines.Scan(); {
		if _, exemplar, ok := strings.Cut(lines.Text(), " # "); ok && strings.HasPrefix(lines.Text(), name+"_bucket") {
			found = append(found, exemplar)
		}
	}
	return found
}
