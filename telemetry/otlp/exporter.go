package otlp

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc/credentials"

	"github.com/slipway-go/slipway/telemetry"
)

// Exporter returns the exporter called otlp, for the field Exporters of
// serve.Service. Linked, it is used once an endpoint is set, or where
// OTEL_TRACES_EXPORTER or OTEL_METRICS_EXPORTER names it.
func Exporter() telemetry.Exporter { return exporter{} }

type exporter struct{}

var (
	_ telemetry.SpanExporter   = exporter{}
	_ telemetry.MetricExporter = exporter{}
)

// Name implements [telemetry.Exporter].
func (exporter) Name() string { return "otlp" }

// SDK implements [telemetry.Exporter].
func (exporter) SDK() telemetry.SDK { return telemetry.OpenTelemetry() }

// Spans implements [telemetry.SpanExporter].
func (exporter) Spans(ctx context.Context, v *telemetry.Variables) (sdktrace.SpanExporter, error) {
	w, ok := read(v, "traces")
	if !ok {
		return nil, nil //nolint:nilnil // the faults are with v
	}
	made, err := otlptrace.New(ctx, w.spanClient())
	if err != nil {
		return nil, w.hide(err)
	}
	return spans{made, w}, nil
}

func (w *way) spanClient() otlptrace.Client {
	if w.grpc {
		options := []otlptracegrpc.Option{
			otlptracegrpc.WithEndpoint(w.url.Host), otlptracegrpc.WithHeaders(w.headers), otlptracegrpc.WithTimeout(w.timeout),
		}
		if w.compression != "" {
			options = append(options, otlptracegrpc.WithCompressor(w.compression))
		}
		if w.tls == nil {
			return otlptracegrpc.NewClient(append(options, otlptracegrpc.WithInsecure())...)
		}
		return otlptracegrpc.NewClient(append(options, otlptracegrpc.WithTLSCredentials(credentials.NewTLS(w.tls)))...)
	}
	options := []otlptracehttp.Option{
		otlptracehttp.WithEndpointURL(w.url.String()), otlptracehttp.WithHeaders(w.headers), otlptracehttp.WithTimeout(w.timeout),
		otlptracehttp.WithHTTPClient(w.client),
	}
	if w.compression != "" {
		options = append(options, otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
	}
	return otlptracehttp.NewClient(options...)
}

// Metrics implements [telemetry.MetricExporter].
func (exporter) Metrics(ctx context.Context, v *telemetry.Variables) (sdkmetric.Exporter, error) {
	temporality := temporality(v)
	w, ok := read(v, "metrics")
	if !ok {
		return nil, nil //nolint:nilnil // the faults are with v
	}
	made, err := w.metricClient(ctx, temporality)
	if err != nil {
		return nil, w.hide(err)
	}
	return metrics{made, w}, nil
}

func (w *way) metricClient(ctx context.Context, temporality sdkmetric.TemporalitySelector) (sdkmetric.Exporter, error) {
	if w.grpc {
		options := []otlpmetricgrpc.Option{
			otlpmetricgrpc.WithEndpoint(w.url.Host), otlpmetricgrpc.WithHeaders(w.headers), otlpmetricgrpc.WithTimeout(w.timeout),
			otlpmetricgrpc.WithTemporalitySelector(temporality),
		}
		if w.compression != "" {
			options = append(options, otlpmetricgrpc.WithCompressor(w.compression))
		}
		if w.tls == nil {
			return otlpmetricgrpc.New(ctx, append(options, otlpmetricgrpc.WithInsecure())...)
		}
		return otlpmetricgrpc.New(ctx, append(options, otlpmetricgrpc.WithTLSCredentials(credentials.NewTLS(w.tls)))...)
	}
	options := []otlpmetrichttp.Option{
		otlpmetrichttp.WithEndpointURL(w.url.String()), otlpmetrichttp.WithHeaders(w.headers), otlpmetrichttp.WithTimeout(w.timeout),
		otlpmetrichttp.WithHTTPClient(w.client), otlpmetrichttp.WithTemporalitySelector(temporality),
	}
	if w.compression != "" {
		options = append(options, otlpmetrichttp.WithCompression(otlpmetrichttp.GzipCompression))
	}
	return otlpmetrichttp.New(ctx, options...)
}

// spans sends spans on a way.
type spans struct {
	sdktrace.SpanExporter
	way *way
}

// String implements [fmt.Stringer].
func (s spans) String() string { return s.way.String() }

// ExportSpans implements [sdktrace.SpanExporter].
func (s spans) ExportSpans(ctx context.Context, all []sdktrace.ReadOnlySpan) error {
	return s.way.hide(s.SpanExporter.ExportSpans(ctx, all))
}

// Shutdown implements [sdktrace.SpanExporter].
func (s spans) Shutdown(ctx context.Context) error {
	defer s.way.close()
	return s.way.hide(s.SpanExporter.Shutdown(ctx))
}

// metrics sends metrics on a way.
type metrics struct {
	sdkmetric.Exporter
	way *way
}

// String implements [fmt.Stringer].
func (m metrics) String() string { return m.way.String() }

// Export implements [sdkmetric.Exporter].
func (m metrics) Export(ctx context.Context, data *metricdata.ResourceMetrics) error {
	return m.way.hide(m.Exporter.Export(ctx, data))
}

// Shutdown implements [sdkmetric.Exporter].
func (m metrics) Shutdown(ctx context.Context) error {
	defer m.way.close()
	return m.way.hide(m.Exporter.Shutdown(ctx))
}

// temporality says what a count is counted from: the start, or what was sent
// last, which some backends want.
func temporality(v *telemetry.Variables) sdkmetric.TemporalitySelector {
	switch v.OneOf("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "cumulative", "delta", "lowmemory") {
	case "delta":
		return sdkmetric.DeltaTemporalitySelector
	case "lowmemory":
		return sdkmetric.LowMemoryTemporalitySelector
	}
	return sdkmetric.CumulativeTemporalitySelector
}

var _ fmt.Stringer = spans{}
