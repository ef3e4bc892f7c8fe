package telemetry

import (
	"context"

	"go.opentelemetry.io/contrib/propagators/b3"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/slipway-go/slipway/diag"
)

// propagators says how traces cross to others at the HTTP edge; records always
// carry W3C headers. Without OTEL_PROPAGATORS that is W3C's trace context and
// baggage, and a caller that has only B3 headers, as a mesh sets them, is joined.
func propagators(v *Variables) propagation.TextMapPropagator {
	const variable = "OTEL_PROPAGATORS"
	names := v.list(variable)
	if len(names) == 0 {
		return propagation.NewCompositeTextMapPropagator(joining{}, propagation.TraceContext{}, propagation.Baggage{})
	}
	var all []propagation.TextMapPropagator
	for _, name := range names {
		switch name {
		case "tracecontext":
			all = append(all, propagation.TraceContext{})
		case "baggage":
			all = append(all, propagation.Baggage{})
		case "b3":
			all = append(all, b3.New(b3.WithInjectEncoding(b3.B3SingleHeader)))
		case "b3multi":
			all = append(all, b3.New(b3.WithInjectEncoding(b3.B3MultipleHeader)))
		case "none":
		default:
			v.Fault(diag.New(diag.TelemetryVariable, "%s names %q", variable, name).WithFix("use tracecontext, baggage, b3, b3multi or none"))
		}
	}
	return propagation.NewCompositeTextMapPropagator(all...)
}

// joining reads B3 headers where there is no traceparent, and writes none.
type joining struct{}

// Inject implements [propagation.TextMapPropagator].
func (joining) Inject(context.Context, propagation.TextMapCarrier) {}

// Extract implements [propagation.TextMapPropagator].
func (joining) Extract(ctx context.Context, carrier propagation.TextMapCarrier) context.Context {
	if carrier.Get("traceparent") != "" {
		return ctx
	}
	found := b3.New().Extract(ctx, carrier)
	if !trace.SpanContextFromContext(found).IsValid() {
		return ctx
	}
	return found
}

// Fields implements [propagation.TextMapPropagator].
func (joining) Fields() []string { return nil }
