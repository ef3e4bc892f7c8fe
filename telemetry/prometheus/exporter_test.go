package prometheus_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"

	"github.com/slipway-go/slipway/telemetry"
	"github.com/slipway-go/slipway/telemetry/prometheus"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func setup(t *testing.T) *telemetry.Telemetry {
	t.Helper()
	got, err := telemetry.Setup(t.Context(), telemetry.Config{
		Service: "orders", Version: "2.1.0", Environment: "prod", Instance: "orders-7", Output: t.Output(),
		Lookup: func(string) (string, bool) { return "", false }, Exporters: []telemetry.Exporter{prometheus.Exporter()},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = got.Shutdown(context.WithoutCancel(t.Context())) })
	return got
}

func scrape(t *testing.T, h http.Handler, accept string) string {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	body, err := io.ReadAll(w.Result().Body)
	if err != nil || w.Code != http.StatusOK {
		t.Fatalf("status %d, %v: %s", w.Code, err, body)
	}
	return string(body)
}

const openMetrics = "application/openmetrics-text; version=1.0.0"

func TestMetricsHaveTheNamesThatTheReferenceHas(t *testing.T) {
	t.Parallel()
	got := setup(t)
	m := got.Meter.Meter("github.com/slipway-go/slipway")
	topic := metric.WithAttributes(attribute.String("topic", "orders.created.v1"))
	counter, _ := m.Int64Counter("kafka.consumer.messages.processed", metric.WithUnit("{message}"))
	counter.Add(t.Context(), 3, topic)
	seconds, _ := m.Float64Gauge("kafka.consumer.head.age", metric.WithUnit("s"))
	seconds.Record(t.Context(), 1.5, topic)
	bytes, _ := m.Int64Gauge("kafka.consumer.open.bytes", metric.WithUnit("By"))
	bytes.Record(t.Context(), 7, topic)
	ratio, _ := m.Float64Gauge("channel.buffer.full", metric.WithUnit("1"))
	ratio.Record(t.Context(), .5, topic)
	for _, accept := range []string{"text/plain", openMetrics} {
		text := scrape(t, got.Metrics, accept)
		for _, want := range []string{
			`kafka_consumer_messages_processed_total{topic="orders.created.v1"} 3`,
			`kafka_consumer_head_age_seconds{topic="orders.created.v1"} 1.5`,
			`kafka_consumer_open_bytes{topic="orders.created.v1"} 7`,
			`channel_buffer_full_ratio{topic="orders.created.v1"} 0.5`,
			`service_name="orders"`, `service_version="2.1.0"`, `deployment_environment_name="prod"`, `service_instance_id="orders-7"`,
			"\ngo_goroutines ", "\nprocess_resident_memory_bytes ", "\npromhttp_metric_handler_errors_total{",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not have %q:\n%s", accept, want, text)
			}
		}
		if strings.Contains(text, "otel_scope") {
			t.Error("scopes are labels")
		}
	}
}

func TestAHistogramLeadsToTheTraceOfAMeasurement(t *testing.T) {
	t.Parallel()
	got := setup(t)
	h, err := got.Meter.Meter("test").Float64Histogram("kafka.message.processing.duration", metric.WithUnit("s"), metric.WithExplicitBucketBoundaries(.1, 1))
	if err != nil {
		t.Fatal(err)
	}
	for i, flags := range []trace.TraceFlags{0, trace.FlagsSampled} {
		sc := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{byte(i + 1)}, SpanID: trace.SpanID{7}, TraceFlags: flags})
		h.Record(trace.ContextWithSpanContext(t.Context(), sc), .05)
	}
	text := scrape(t, got.Metrics, openMetrics)
	if !strings.Contains(text, `kafka_message_processing_duration_seconds_bucket{le="0.1"} 2 # {`) || !strings.Contains(text, `trace_id="02000000000000000000000000000000"`) {
		t.Errorf("no exemplar:\n%s", text)
	}
	if strings.Contains(text, `trace_id="01`) {
		t.Error("an exemplar leads to a trace that nobody recorded")
	}
}

func TestTwoServicesInOneProcessDoNotShareMetrics(t *testing.T) {
	t.Parallel()
	a, b := setup(t), setup(t)
	counter, err := a.Meter.Meter("test").Int64Counter("only.here")
	if err != nil {
		t.Fatal(err)
	}
	counter.Add(t.Context(), 1)
	if strings.Contains(scrape(t, b.Metrics, "text/plain"), "only_here_total") {
		t.Error("one has the other's metric")
	}
}

// A program links the exporter by putting it into serve.Service, which serves
// the metrics at /metrics.
func ExampleExporter() {
	t, err := telemetry.Setup(context.Background(), telemetry.Config{
		Service: "orders", Exporters: []telemetry.Exporter{prometheus.Exporter()},
		Lookup: func(string) (string, bool) { return "", false },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer t.Shutdown(context.Background())
	placed, _ := t.Meter.Meter("orders").Int64Counter("orders.placed")
	placed.Add(context.Background(), 1)

	w := httptest.NewRecorder()
	t.Metrics.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, "orders_") {
			fmt.Print(line)
		}
	}
	// Output: orders_placed_total 1
}
