package telemetry

import (
	"context"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/exemplar"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/slipway-go/slipway/diag"
)

const (
	signalMetrics   = "metrics"
	metricsExporter = "OTEL_METRICS_EXPORTER"
	metricsEndpoint = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"
)

// cardinality is how many sets of labels an instrument has at most. What is
// beyond goes into one with the label otel_metric_overflow="true".
const cardinality = 2000

// metrics makes the provider of meters, if metrics go anywhere.
func (s *setup) metrics(ctx context.Context, t *Telemetry, about *resource.Resource) {
	options := []sdkmetric.Option{
		sdkmetric.WithResource(about), sdkmetric.WithExemplarFilter(s.exemplars()),
		sdkmetric.WithCardinalityLimit(s.v.Int("OTEL_GO_X_CARDINALITY_LIMIT", cardinality, 1, 1_000_000)),
	}
	every := []sdkmetric.PeriodicReaderOption{
		sdkmetric.WithInterval(s.v.Duration("OTEL_METRIC_EXPORT_INTERVAL", time.Minute)),
		sdkmetric.WithTimeout(s.v.Duration("OTEL_METRIC_EXPORT_TIMEOUT", 30*time.Second)),
	}
	var readers int
	for _, name := range s.named(metricsExporter, s.scraped()) {
		if r := s.reader(ctx, t, name, every); r != nil {
			options = append(options, sdkmetric.WithReader(r))
			readers++
		}
	}
	if readers == 0 {
		return
	}
	provider := sdkmetric.NewMeterProvider(options...)
	t.Meter = provider
	s.closers = append(s.closers, provider.Shutdown)
}

// scraped is where metrics go if nobody says so: to whoever scrapes, if the
// program has that, or else to the collector.
func (s *setup) scraped() []string {
	for _, e := range s.Exporters {
		if _, ok := e.(MetricReader); ok {
			return []string{e.Name()}
		}
	}
	return s.usual(metricsEndpoint)
}

// reader makes what collects metrics for an exporter, nil if that is not
// possible.
func (s *setup) reader(ctx context.Context, t *Telemetry, name string, every []sdkmetric.PeriodicReaderOption) sdkmetric.Reader {
	var e Exporter = console{s.log}
	if name != consoleName {
		if e = s.linked(metricsExporter, name); e == nil {
			return nil
		}
	}
	switch e := e.(type) {
	case MetricReader:
		r, handler, err := e.Reader(s.v)
		if err != nil {
			s.refuse(metricsExporter, e, err)
			return nil
		}
		t.Metrics = handler
		s.made(signalMetrics, e, r)
		return r
	case MetricExporter:
		made, err := e.Metrics(ctx, s.v)
		if err != nil {
			s.refuse(metricsExporter, e, err)
			return nil
		}
		if made == nil {
			return nil // its faults are told
		}
		s.made(signalMetrics, e, made)
		return sdkmetric.NewPeriodicReader(metricSender{made, s.route(signalMetrics, e)}, every...)
	}
	s.v.Fault(diag.New(diag.TelemetrySignal, "%s names %s, which takes no metrics", metricsExporter, name))
	return nil
}

// exemplars says which measurements may lead to a trace.
func (s *setup) exemplars() exemplar.Filter {
	switch s.v.OneOf("OTEL_METRICS_EXEMPLAR_FILTER", "trace_based", "always_on", "always_off") {
	case "always_on":
		return exemplar.AlwaysOnFilter
	case "always_off":
		return exemplar.AlwaysOffFilter
	}
	return exemplar.TraceBasedFilter
}

// A metricSender is an exporter whose failures are counted, and told once.
// Nothing is lost with them but time: the next export has the same totals.
type metricSender struct {
	sdkmetric.Exporter
	r *route
}

// Export sends metrics. It fails for nobody, as with spans.
func (s metricSender) Export(ctx context.Context, data *metricdata.ResourceMetrics) error {
	ctx, cancel := s.r.bound(ctx)
	defer cancel()
	s.r.exported(0, s.Exporter.Export(ctx, data))
	return nil
}
