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
