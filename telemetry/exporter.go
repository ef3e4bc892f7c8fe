package telemetry

import (
	"context"
	"net/http"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// An Exporter is a way out for telemetry that a program has linked. What it can
// do follows from which of [SpanExporter], [MetricExporter] and [MetricReader] it
// is as well.
type Exporter interface {
	// Name is what OTEL_TRACES_EXPORTER and OTEL_METRICS_EXPORTER call it.
	Name() string

	// SDK makes the providers that the exporter needs. It returns [OpenTelemetry]().
	SDK() SDK
}

// An SDK makes the providers of tracers and meters. It comes with an exporter and
// not with [Setup], so that a program that exports nothing does not hold a megabyte
// of it.
type SDK struct {
	provide func(ctx context.Context, s *setup, t *Telemetry)
}

// OpenTelemetry is OpenTelemetry's SDK.
func OpenTelemetry() SDK { return SDK{provide} }

func provide(ctx context.Context, s *setup, t *Telemetry) {
	about := s.resource()
	s.traces(ctx, t, about)
	s.metrics(ctx, t, about)
}

// provide makes the providers, if the program has linked what makes them.
func (s *setup) provide(ctx context.Context, t *Telemetry) {
	for _, e := range s.Exporters {
		if sdk := e.SDK(); sdk.provide != nil {
			sdk.provide(ctx, s, t)
			return
		}
	}
	for _, name := range s.named(tracesExporter, s.usual(tracesEndpoint)) {
		s.linked(tracesExporter, name)
	}
	for _, name := range s.named(metricsExporter, s.usual(metricsEndpoint)) {
		s.linked(metricsExporter, name)
	}
}

// A SpanExporter sends spans.
type SpanExporter interface {
	Exporter

	// Spans makes what sends them. Faults of variables go to v; an error is for
	// what is wrong besides. A result that is a [fmt.Stringer] says where the
	// spans go. It must not need the other side to be there.
	Spans(ctx context.Context, v *Variables) (sdktrace.SpanExporter, error)
}

// A MetricExporter sends metrics from time to time.
type MetricExporter interface {
	Exporter

	// Metrics makes what sends them, as [SpanExporter] says.
	Metrics(ctx context.Context, v *Variables) (sdkmetric.Exporter, error)
}

// A MetricReader is asked for metrics.
type MetricReader interface {
	Exporter

	// Reader makes it, and the handler that answers who asks.
	Reader(v *Variables) (sdkmetric.Reader, http.Handler, error)
}
