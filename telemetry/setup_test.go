package telemetry_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory is an exporter of spans that keeps them.
type memory struct {
	name  string
	spans *tracetest.InMemoryExporter
}

func (m memory) Name() string     { return m.name }
func (memory) SDK() telemetry.SDK { return telemetry.OpenTelemetry() }

func (m memory) Spans(context.Context, *telemetry.Variables) (sdktrace.SpanExporter, error) {
	return m.spans, nil
}

// scraped is an exporter of metrics that are asked for.
type scraped struct{ *sdkmetric.ManualReader }

func (scraped) Name() string       { return "prometheus" }
func (scraped) SDK() telemetry.SDK { return telemetry.OpenTelemetry() }

func (s scraped) Reader(*telemetry.Variables) (sdkmetric.Reader, http.Handler, error) {
	return s.ManualReader, http.NotFoundHandler(), nil
}

// lookup is an environment of nothing but these variables.
func lookup(env map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := env[name]
		return v, ok
	}
}

// setup sets telemetry up and ends it with the test.
func setup(t *testing.T, cfg telemetry.Config) *telemetry.Telemetry {
	t.Helper()
	if cfg.Output == nil {
		cfg.Output = t.Output()
	}
	got, err := telemetry.Setup(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = got.Shutdown(context.WithoutCancel(t.Context())) })
	return got
}

func TestEveryVariableThatCannotBeUsedIsToldAtOnce(t *testing.T) {
	t.Parallel()
	_, err := telemetry.Setup(t.Context(), telemetry.Config{Output: t.Output(), Format: "xml", Lookup: lookup(map[string]string{
		"OTEL_TRACES_EXPORTER":           "otlp,jaeger,prometheus",
		"OTEL_METRICS_EXPORTER":          "none,otlp",
		"OTEL_LOGS_EXPORTER":             "otlp",
		"OTEL_TRACES_SAMPLER":            "sometimes",
		"OTEL_TRACES_SAMPLER_ARG":        "1.5",
		"OTEL_PROPAGATORS":               "tracecontext,xray",
		"OTEL_BSP_MAX_QUEUE_SIZE":        "0",
		"OTEL_BSP_SCHEDULE_DELAY":        "5s",
		"OTEL_METRIC_EXPORT_INTERVAL":    "-1",
		"OTEL_METRICS_EXEMPLAR_FILTER":   "all",
		"OTEL_RESOURCE_ATTRIBUTES":       "team=shop,hunter2",
		"LOG_KEY_HASH_PATH":              "/nowhere/at/all",
		"OTEL_GO_X_CARDINALITY_LIMIT":    "many",
		"OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "512 or so",
	}), Exporters: []telemetry.Exporter{scraped{sdkmetric.NewManualReader()}}})
	text := diag.Of(err).Text()
	for _, want := range []string{
		"error[SLP-TEL-001]: the format of logs is \"xml\"",
		"error[SLP-TEL-001]: read what LOG_KEY_HASH_PATH names",
		"OTEL_PROPAGATORS names \"xray\"",
		"error[SLP-TEL-003]: OTEL_LOGS_EXPORTER names \"otlp\": logs go to stderr",
		"item 2 of OTEL_RESOURCE_ATTRIBUTES is not key=value",
		"error[SLP-TEL-002]: OTEL_TRACES_EXPORTER names otlp, which this program has not linked",
		"import github.com/slipway-go/slipway/telemetry/otlp in main and put otlp.Exporter() into the field Exporters of serve.Service",
		"OTEL_TRACES_EXPORTER names \"jaeger\", which is no exporter",
		"error[SLP-TEL-003]: OTEL_TRACES_EXPORTER names prometheus, which takes no traces",
		"OTEL_METRICS_EXPORTER is \"none,otlp\"",
		"OTEL_TRACES_SAMPLER is \"sometimes\"",
		"OTEL_TRACES_SAMPLER_ARG is \"1.5\"",
		"OTEL_BSP_MAX_QUEUE_SIZE is \"0\"",
		"OTEL_BSP_SCHEDULE_DELAY is \"5s\"",
		"OTEL_METRIC_EXPORT_INTERVAL is \"-1\"",
		"OTEL_METRICS_EXEMPLAR_FILTER is \"all\"",
		"OTEL_GO_X_CARDINALITY_LIMIT is \"many\"",
		"OTEL_BSP_MAX_EXPORT_BATCH_SIZE is \"512 or so\"",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the error does not say %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "hunter2") {
		t.Errorf("the error repeats what may be secret:\n%s", text)
	}
}

func TestWithoutVariablesNothingIsSentAndNothingFails(t *testing.T) {
	t.Parallel()
	got := setup(t, telemetry.Config{Lookup: lookup(nil)})
	_, span := got.Tracer.Tracer("test").Start(t.Context(), "work")
	span.End()
	if span.IsRecording() || span.SpanContext().IsValid() {
		t.Error("a span is recorded that goes nowhere")
	}
	if d := got.Destinations(); d != "nowhere" || got.Metrics != nil {
		t.Errorf("telemetry goes to %s, %v", d, got.Metrics)
	}
}

func TestWhatIsLinkedDecidesWhereTelemetryGoesUnlessAVariableDoes(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		env  map[string]string
		want string
	}{
		"nothing set":     {nil, "metrics to prometheus"},
		"an endpoint":     {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, "traces to otlp, metrics to prometheus"},
		"traces' own":     {map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318"}, "traces to otlp, metrics to prometheus"},
		"named":           {map[string]string{"OTEL_TRACES_EXPORTER": "otlp,console", "OTEL_METRICS_EXPORTER": "none"}, "traces to otlp, traces to console"},
		"empty is unset":  {map[string]string{"OTEL_TRACES_EXPORTER": "", "OTEL_METRICS_EXPORTER": " "}, "metrics to prometheus"},
		"none":            {map[string]string{"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, "nowhere"},
		"switched off":    {map[string]string{"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "otlp"}, "nowhere"},
		"metrics by hand": {map[string]string{"OTEL_METRICS_EXPORTER": "console"}, "metrics to console"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := setup(t, telemetry.Config{Lookup: lookup(tt.env), Exporters: []telemetry.Exporter{
				memory{"otlp", tracetest.NewInMemoryExporter()}, scraped{sdkmetric.NewManualReader()},
			}})
			if got.Destinations() != tt.want {
				t.Errorf("telemetry goes to %s, want %s", got.Destinations(), tt.want)
			}
		})
	}
}

func TestAProgramWithoutExportersSaysWhatConsoleNeeds(t *testing.T) {
	t.Parallel()
	env := lookup(map[string]string{"OTEL_TRACES_EXPORTER": "console"})
	_, err := telemetry.Setup(t.Context(), telemetry.Config{Lookup: env})
	all := diag.Of(err)
	if len(all) != 1 || !errors.Is(err, diag.TelemetryUnlinked) || !strings.Contains(all[0].Fix, "telemetry.Console()") {
		t.Errorf("Setup() = %v, want one %s that names telemetry.Console()", err, diag.TelemetryUnlinked)
	}
	got := setup(t, telemetry.Config{Lookup: env, Exporters: []telemetry.Exporter{telemetry.Console()}})
	if want := "traces to console"; got.Destinations() != want {
		t.Errorf("with it telemetry goes to %s, want %s", got.Destinations(), want)
	}
}

func TestAnEndpointThatNothingSendsToIsToldAndDoesNotStopTheService(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	setup(t, telemetry.Config{Output: &log, Lookup: lookup(map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"})})
	if !strings.Contains(log.String(), "code=SLP-TEL-011") || !strings.Contains(log.String(), "variable=OTEL_EXPORTER_OTLP_ENDPOINT") {
		t.Errorf("the log is:\n%s", log.String())
	}
}

func TestTheResourceIsWhatTheServiceSaysUnlessVariablesSayOtherwise(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewInMemoryExporter()
	got := setup(t, telemetry.Config{
		Service: "orders", Version: "2.1.0", Environment: "prod", Instance: "orders-7", Exporters: []telemetry.Exporter{memory{"otlp", spans}},
		Lookup: lookup(map[string]string{
			"OTEL_TRACES_EXPORTER": "otlp", "OTEL_TRACES_SAMPLER": "always_on", "OTEL_SERVICE_NAME": "order-consumer",
			"OTEL_RESOURCE_ATTRIBUTES": "service.name=nobody, service.namespace=shop%2Ceu,service.instance.id=a",
		}),
	})
	flush(t, got)
	attributes := map[string]string{}
	for _, kv := range spans.GetSpans()[0].Resource.Attributes() {
		if k := string(kv.Key); !strings.HasPrefix(k, "telemetry.") {
			attributes[k] = kv.Value.String()
		}
	}
	want := map[string]string{
		"service.name": "order-consumer", "service.version": "2.1.0", "service.instance.id": "a",
		"service.namespace": "shop,eu", "deployment.environment.name": "prod",
	}
	if diff := cmp.Diff(want, attributes); diff != "" {
		t.Errorf("resource (-want +got):\n%s", diff)
	}
}

// flush ends one span and has it exported.
func flush(t *testing.T, got *telemetry.Telemetry) {
	t.Helper()
	_, span := got.Tracer.Tracer("test").Start(t.Context(), "work")
	span.End()
	if err := got.Tracer.(*sdktrace.TracerProvider).ForceFlush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestOneTraceInTwentyIsRecordedAndACallersDecisionIsFollowed(t *testing.T) {
	t.Parallel()
	const traces = 20000
	got := setup(t, telemetry.Config{
		Exporters: []telemetry.Exporter{memory{"otlp", tracetest.NewInMemoryExporter()}},
		Lookup:    lookup(map[string]string{"OTEL_TRACES_EXPORTER": "otlp"}),
	})
	tracer, sampled := got.Tracer.Tracer("test"), 0
	for range traces {
		_, span := tracer.Start(t.Context(), "work")
		if span.SpanContext().IsSampled() {
			sampled++
		}
	}
	if share := float64(sampled) / traces; share < .04 || share > .06 {
		t.Errorf("a share of %v is recorded, want 0.05", share)
	}
	for _, flags := range []trace.TraceFlags{0, trace.FlagsSampled} {
		caller := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: flags, Remote: true})
		_, span := tracer.Start(trace.ContextWithRemoteSpanContext(t.Context(), caller), "work")
		if span.SpanContext().IsSampled() != caller.IsSampled() || span.SpanContext().TraceID() != caller.TraceID() {
			t.Errorf("a caller that decided %v got %v", caller.IsSampled(), span.SpanContext().IsSampled())
		}
	}
}

func TestConsoleShowsSpansAndMetricsInTheLog(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	got, err := telemetry.Setup(t.Context(), telemetry.Config{Output: &log, Exporters: []telemetry.Exporter{telemetry.Console()}, Lookup: lookup(map[string]string{
		"OTEL_TRACES_EXPORTER": "console", "OTEL_METRICS_EXPORTER": "console", "OTEL_TRACES_SAMPLER": "always_on",
	})})
	if err != nil {
		t.Fatal(err)
	}
	ctx, parent := got.Tracer.Tracer("test").Start(t.Context(), "receive")
	_, span := got.Tracer.Tracer("test").Start(ctx, "work")
	span.End()
	parent.End()
	count, err := got.Meter.Meter("test").Int64Counter("things")
	if err != nil {
		t.Fatal(err)
	}
	count.Add(t.Context(), 3)
	if err := got.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"msg=span name=work", "parent_id=" + parent.SpanContext().SpanID().String(), "msg=metric name=things value=3"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not have %q:\n%s", want, log.String())
		}
	}
}

func TestLabelsBeyondTheLimitShareOneThatSaysSo(t *testing.T) {
	t.Parallel()
	reader := sdkmetric.NewManualReader()
	got := setup(t, telemetry.Config{Lookup: lookup(nil), Exporters: []telemetry.Exporter{scraped{reader}}})
	sums := overflow(t, got, reader, 2500)
	if sums.sets != 2000 || sums.shared != 501 {
		t.Errorf("%d sets of labels, %d in the shared one; want 2000 and 501", sums.sets, sums.shared)
	}
}

// collect returns what a reader has.
func collect(t *testing.T, reader *sdkmetric.ManualReader) (all []metricdata.Metrics) {
	t.Helper()
	var data metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &data); err != nil {
		t.Fatal(err)
	}
	for _, scope := range data.ScopeMetrics {
		all = append(all, scope.Metrics...)
	}
	return all
}
