package otlp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.uber.org/goleak"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/telemetry"
	"github.com/slipway-go/slipway/telemetry/otlp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// setup sets telemetry up to send everything to a collector, soon and with
// little room.
func setup(t *testing.T, url string, out io.Writer, more map[string]string) *telemetry.Telemetry {
	t.Helper()
	env := map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_EXPORTER_OTLP_TIMEOUT": "100", "OTEL_TRACES_SAMPLER": "always_on",
		"OTEL_BSP_MAX_QUEUE_SIZE": "64", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "16", "OTEL_BSP_SCHEDULE_DELAY": "10", "OTEL_BSP_EXPORT_TIMEOUT": "200",
		"OTEL_METRIC_EXPORT_INTERVAL": "50", "OTEL_METRIC_EXPORT_TIMEOUT": "200",
	}
	maps.Copy(env, more)
	got, err := telemetry.Setup(t.Context(), telemetry.Config{
		Service: "orders", Output: out, Exporters: []telemetry.Exporter{otlp.Exporter()},
		Lookup: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = got.Shutdown(context.WithoutCancel(t.Context())) })
	return got
}

// work ends n spans.
func work(t *testing.T, got *telemetry.Telemetry, n int) {
	tracer := got.Tracer.Tracer("test")
	for range n {
		_, span := tracer.Start(t.Context(), "work")
		span.End()
	}
}

func flush(t *testing.T, got *telemetry.Telemetry) {
	t.Helper()
	if err := got.Tracer.(*sdktrace.TracerProvider).ForceFlush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestSpansAndMetricsArrive(t *testing.T) {
	t.Parallel()
	secured, ca := overTLS(t)
	for name, tt := range map[string]struct {
		to   *collector
		env  map[string]string
		goes string
	}{
		"HTTP": {overHTTP(t), nil, "otlp at http://"},
		"gRPC": {overGRPC(t), map[string]string{"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"}, "otlp by gRPC at 127"},
		"TLS":  {secured, map[string]string{"OTEL_EXPORTER_OTLP_CERTIFICATE": ca}, "otlp at https://"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := map[string]string{"OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20hunter2", "OTEL_EXPORTER_OTLP_TIMEOUT": "10000", "OTEL_BSP_EXPORT_TIMEOUT": "10000", "OTEL_METRIC_EXPORT_TIMEOUT": "10000"}
			maps.Copy(env, tt.env)
			got := setup(t, tt.to.url, t.Output(), env)
			work(t, got, 10)
			flush(t, got)
			if err := got.Shutdown(t.Context()); err != nil { // the last metrics go with it
				t.Error(err)
			}
			if n := tt.to.spans.Load(); n != 10 || tt.to.metrics.Load() == 0 {
				t.Errorf("%d spans arrived, %d metrics; want 10, and at least 1", n, tt.to.metrics.Load())
			}
			if h := tt.to.header.Load(); h != "Bearer hunter2" {
				t.Errorf("authorization was %q", h)
			}
			if !strings.Contains(got.Destinations(), tt.goes) || strings.Contains(got.Destinations(), "hunter2") {
				t.Errorf("telemetry goes to %s", got.Destinations())
			}
		})
	}
}

func TestACollectorThatDoesNotWorkCostsNoTimeAndIsToldOnce(t *testing.T) {
	t.Parallel()
	const spans = 5000
	for name, start := range map[string]func(*testing.T) string{
		"away":    away,
		"silent":  silent,
		"refuses": func(t *testing.T) string { return answering(t, status(http.StatusServiceUnavailable)) },
		"denies":  func(t *testing.T) string { return answering(t, status(http.StatusUnauthorized)) },
		"slow":    func(t *testing.T) string { return answering(t, slow) },
	} {
		protocols := []string{"http/protobuf"}
		if name == "away" || name == "silent" {
			protocols = append(protocols, "grpc")
		}
		for _, protocol := range protocols {
			t.Run(name+" "+protocol, func(t *testing.T) {
				t.Parallel()
				log := newJournal()
				got := setup(t, start(t), log, map[string]string{"OTEL_EXPORTER_OTLP_PROTOCOL": protocol})
				began := time.Now()
				work(t, got, spans)
				if took := time.Since(began); took > 2*time.Second {
					t.Errorf("%d spans took %v", spans, took)
				}
				log.await(t, "code=SLP-TEL-010", "signal=traces", "exporter=otlp")
				log.await(t, "code=SLP-TEL-010", "signal=metrics")
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				defer cancel()
				began = time.Now()
				err := got.Shutdown(ctx)
				if took := time.Since(began); took > 2*time.Second {
					t.Errorf("shutdown took %v of its 300 ms", took)
				}
				if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%d spans were lost", spans)) {
					t.Errorf("shutdown said %v, want that all %d spans were lost", err, spans)
				}
				if n := strings.Count(log.String(), "telemetry does not arrive"); n != 2 {
					t.Errorf("it was told %d times, want once for each signal:\n%s", n, log)
				}
			})
		}
	}
}

// answering is the URL of a collector that answers like this.
func answering(t *testing.T, answer http.HandlerFunc) string {
	c := overHTTP(t)
	c.answer.Store(&answer)
	return c.url
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// slow answers when the client has given up.
func slow(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

func TestTelemetryThatArrivesAgainIsToldWithWhatWasLost(t *testing.T) {
	t.Parallel()
	c, log := overHTTP(t), newJournal()
	deny := status(http.StatusForbidden)
	c.answer.Store(&deny)
	got := setup(t, c.url, log, map[string]string{"OTEL_METRICS_EXPORTER": "none", "OTEL_EXPORTER_OTLP_TIMEOUT": "10000", "OTEL_BSP_EXPORT_TIMEOUT": "10000"})
	work(t, got, 7)
	flush(t, got)
	log.await(t, "telemetry does not arrive", "403 Forbidden")
	c.answer.Store(nil)
	work(t, got, 5)
	flush(t, got)
	log.await(t, "telemetry arrives again", "signal=traces", "dropped=7")
	if n := c.spans.Load(); n != 5 {
		t.Errorf("%d spans arrived, want 5", n)
	}
}

func TestWhatACollectorRepeatsOfTheHeadersIsNotLogged(t *testing.T) {
	t.Parallel()
	c, log := overHTTP(t), newJournal()
	repeat := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "not good: "+r.Header.Get("Authorization")+" and "+r.Header.Get("X-Tenant"), http.StatusUnauthorized)
	})
	c.answer.Store(&repeat)
	got := setup(t, c.url, log, map[string]string{"OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20hunter2,x-tenant=blue7"})
	work(t, got, 1)
	log.await(t, "telemetry does not arrive", "not good: *** and ***")
	if strings.Contains(log.String(), "hunter2") || strings.Contains(log.String(), "blue7") {
		t.Errorf("the log has what was sent:\n%s", log)
	}
}

func TestHeadersDoNotFollowARedirect(t *testing.T) {
	t.Parallel()
	c, other, log := overHTTP(t), overHTTP(t), newJournal()
	elsewhere := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.url+r.URL.Path, http.StatusTemporaryRedirect)
	})
	c.answer.Store(&elsewhere)
	got := setup(t, c.url, log, map[string]string{"OTEL_EXPORTER_OTLP_HEADERS": "x-key=hunter2"})
	work(t, got, 1)
	log.await(t, "telemetry does not arrive", "307")
	if n := other.spans.Load() + other.metrics.Load(); n != 0 {
		t.Errorf("%d requests went on to the other", n)
	}
}

func TestVariablesOfTheWayThatCannotBeUsedAreToldWithoutSecrets(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		env  map[string]string
		code diag.Code
		want string
	}{
		"no URL":      {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"}, diag.TelemetryVariable, "OTEL_EXPORTER_OTLP_ENDPOINT is not an http or https URL with a host"},
		"a user":      {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "https://user:hunter2@collector"}, diag.TelemetryVariable, "OTEL_EXPORTER_OTLP_ENDPOINT has a user or password in it"},
		"a query":     {map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://collector/v1/traces?key=hunter2"}, diag.TelemetryVariable, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT has a query"},
		"protocol":    {map[string]string{"OTEL_EXPORTER_OTLP_PROTOCOL": "thrift"}, diag.TelemetryVariable, `OTEL_EXPORTER_OTLP_PROTOCOL is "thrift"`},
		"compression": {map[string]string{"OTEL_EXPORTER_OTLP_COMPRESSION": "zip"}, diag.TelemetryVariable, `OTEL_EXPORTER_OTLP_COMPRESSION is "zip"`},
		"timeout":     {map[string]string{"OTEL_EXPORTER_OTLP_TIMEOUT": "10s"}, diag.TelemetryVariable, `OTEL_EXPORTER_OTLP_TIMEOUT is "10s"`},
		"headers":     {map[string]string{"OTEL_EXPORTER_OTLP_HEADERS": "authorization: hunter2"}, diag.TelemetryVariable, "item 1 of OTEL_EXPORTER_OTLP_HEADERS is not key=value"},
		"a header":    {map[string]string{"OTEL_EXPORTER_OTLP_HEADERS": "my key=hunter2"}, diag.TelemetryVariable, `OTEL_EXPORTER_OTLP_HEADERS has the header "my key"`},
		"a new line":  {map[string]string{"OTEL_EXPORTER_OTLP_HEADERS": "key=hunter2%0Ax"}, diag.TelemetryVariable, "OTEL_EXPORTER_OTLP_HEADERS has a control character"},
		"temporality": {map[string]string{"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "sum"}, diag.TelemetryVariable, `OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE is "sum"`},
		"no CA":       {map[string]string{"OTEL_EXPORTER_OTLP_CERTIFICATE": "/nowhere/ca.crt", "OTEL_EXPORTER_OTLP_ENDPOINT": "https://collector"}, diag.TelemetryExporter, "read what OTEL_EXPORTER_OTLP_CERTIFICATE names"},
		"not a CA":    {map[string]string{"OTEL_EXPORTER_OTLP_CERTIFICATE": "exporter_test.go", "OTEL_EXPORTER_OTLP_ENDPOINT": "https://collector"}, diag.TelemetryExporter, "OTEL_EXPORTER_OTLP_CERTIFICATE names holds no certificate"},
		"no key":      {map[string]string{"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": "/nowhere/tls.crt", "OTEL_EXPORTER_OTLP_ENDPOINT": "https://collector"}, diag.TelemetryExporter, "OTEL_EXPORTER_OTLP_CLIENT_KEY name"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_METRICS_EXPORTER": "otlp"}
			maps.Copy(env, tt.env)
			_, err := telemetry.Setup(t.Context(), telemetry.Config{
				Output: t.Output(), Exporters: []telemetry.Exporter{otlp.Exporter()},
				Lookup: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
			})
			if !errors.Is(err, tt.code) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s with %q", err, tt.code, tt.want)
			}
			text := diag.Of(err).Text()
			if len(diag.Of(err)) != 1 || strings.Contains(text, "hunter2") {
				t.Errorf("want one fault without the secret, got:\n%s", text)
			}
		})
	}
}

// A program links the exporter by putting it into serve.Service; Setup takes it
// from there.
func ExampleExporter() {
	t, err := telemetry.Setup(context.Background(), telemetry.Config{
		Service: "orders", Exporters: []telemetry.Exporter{otlp.Exporter()},
		Lookup: func(name string) (string, bool) {
			v, ok := map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://otel-collector:4318"}[name]
			return v, ok
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(t.Destinations())
	over, cancel := context.WithCancel(context.Background())
	cancel() // nobody is at that address
	_ = t.Shutdown(over)
	// Output: traces to otlp at http://otel-collector:4318/v1/traces, metrics to otlp at http://otel-collector:4318/v1/metrics
}
