package telemetry

import (
	"context"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

const consoleName = "console"

// Console returns the exporter called console: a line of the log for each span, and
// for each metric that is not a distribution. A program with another exporter has
// it already.
func Console() Exporter { return console{} }

// console is the exporter for whoever wants to see with their own eyes: a line
// of the log for each span, and for each metric that is not a distribution.
type console struct{ log *slog.Logger }

var (
	_ SpanExporter   = console{}
	_ MetricExporter = console{}
)

// Name implements [Exporter].
func (console) Name() string { return consoleName }

// SDK implements [Exporter].
func (console) SDK() SDK { return OpenTelemetry() }

// Spans implements [SpanExporter].
func (c console) Spans(context.Context, *Variables) (sdktrace.SpanExporter, error) {
	return consoleSpans(c), nil
}

// Metrics implements [MetricExporter].
func (c console) Metrics(context.Context, *Variables) (sdkmetric.Exporter, error) {
	return consoleMetrics(c), nil
}

type consoleSpans struct{ log *slog.Logger }

// String says where it goes.
func (consoleSpans) String() string { return consoleName }

// ExportSpans writes a line for each span.
func (c consoleSpans) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	for _, s := range spans {
		attrs := []slog.Attr{slog.String("name", s.Name()), slog.String("kind", s.SpanKind().String()),
			slog.Duration("took", s.EndTime().Sub(s.StartTime()).Round(time.Microsecond)),
			slog.String(attrTrace, s.SpanContext().TraceID().String()), slog.String(attrSpan, s.SpanContext().SpanID().String())}
		if s.Parent().HasSpanID() {
			attrs = append(attrs, slog.String("parent_id", s.Parent().SpanID().String()))
		}
		if status := s.Status(); status.Description != "" {
			attrs = append(attrs, slog.String("status", status.Code.String()+": "+status.Description))
		}
		c.log.LogAttrs(ctx, slog.LevelInfo, "span", append(attrs, labels(s.Attributes()))...)
	}
	return nil
}

// Shutdown implements [sdktrace.SpanExporter].
func (consoleSpans) Shutdown(context.Context) error { return nil }

type consoleMetrics struct{ log *slog.Logger }

// String says where it goes.
func (consoleMetrics) String() string { return consoleName }

// Temporality implements [sdkmetric.Exporter].
func (consoleMetrics) Temporality(k sdkmetric.InstrumentKind) metricdata.Temporality {
	return sdkmetric.DefaultTemporalitySelector(k)
}

// Aggregation implements [sdkmetric.Exporter].
func (consoleMetrics) Aggregation(k sdkmetric.InstrumentKind) sdkmetric.Aggregation {
	return sdkmetric.DefaultAggregationSelector(k)
}

// Export writes a line for each metric and set of labels.
func (c consoleMetrics) Export(ctx context.Context, data *metricdata.ResourceMetrics) error {
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch d := m.Data.(type) {
			case metricdata.Sum[int64]:
				points(ctx, c.log, m.Name, d.DataPoints)
			case metricdata.Sum[float64]:
				points(ctx, c.log, m.Name, d.DataPoints)
			case metricdata.Gauge[int64]:
				points(ctx, c.log, m.Name, d.DataPoints)
			case metricdata.Gauge[float64]:
				points(ctx, c.log, m.Name, d.DataPoints)
			case metricdata.Histogram[float64]:
				for _, p := range d.DataPoints {
					c.log.LogAttrs(ctx, slog.LevelInfo, "metric", slog.String("name", m.Name), slog.Uint64("count", p.Count), slog.Float64("sum", p.Sum), labels(p.Attributes.ToSlice()))
				}
			}
		}
	}
	return nil
}

// ForceFlush implements [sdkmetric.Exporter].
func (consoleMetrics) ForceFlush(context.Context) error { return nil }

// Shutdown implements [sdkmetric.Exporter].
func (consoleMetrics) Shutdown(context.Context) error { return nil }

func points[N int64 | float64](ctx context.Context, log *slog.Logger, name string, all []metricdata.DataPoint[N]) {
	for _, p := range all {
		log.LogAttrs(ctx, slog.LevelInfo, "metric", slog.String("name", name), slog.Any("value", p.Value), labels(p.Attributes.ToSlice()))
	}
}

// labels returns attributes of telemetry as one of a log.
func labels(all []attribute.KeyValue) slog.Attr {
	attrs := make([]slog.Attr, len(all))
	for i, kv := range all {
		attrs[i] = slog.String(string(kv.Key), kv.Value.String())
	}
	return slog.Attr{Key: "attributes", Value: slog.GroupValue(attrs...)}
}
