package saga

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	tracing "go.opentelemetry.io/otel/trace"
)

// A transition belongs to the trace of what caused it: the request that started
// the saga, the record that answered. What nobody's call causes, a timer that
// goes off or an operator's order, gets a span of its own, which links to the
// span that the saga was started in. Commands carry the trace of their
// transition. A saga's id is its customers', so it is in no span.

const scope = "github.com/slipway-go/slipway/saga"

const traceParent = "traceparent"

// startedIn is the span of ctx as W3C writes it, to be kept with the saga.
func startedIn(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier[traceParent]
}

// origin is the span that a saga was started in.
func (r *row) origin() tracing.SpanContext {
	carrier := propagation.MapCarrier{traceParent: r.position.Trace}
	return tracing.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), carrier))
}

// traced runs a transition that nobody's call causes in a span of its own. Where
// there are no traces, or the saga's is not kept, the saga's trace goes on.
func (o *Orchestrator[D]) traced(ctx context.Context, r *row, what string, do func(context.Context) error) error {
	from := r.origin()
	if from.IsValid() && !from.IsSampled() {
		return do(tracing.ContextWithRemoteSpanContext(ctx, from))
	}
	opts := []tracing.SpanStartOption{tracing.WithAttributes(attribute.String("saga.name", r.name), attribute.String("saga.step", r.step))}
	if from.IsValid() {
		opts = append(opts, tracing.WithLinks(tracing.Link{SpanContext: from}))
	}
	within, span := o.app.TracerProvider().Tracer(scope).Start(ctx, "saga "+r.name+" "+what, opts...)
	defer span.End()
	if !span.SpanContext().IsValid() && from.IsValid() {
		within = tracing.ContextWithRemoteSpanContext(ctx, from)
	}
	err := do(within)
	if err != nil {
		class := fmt.Sprintf("%T", err) // and not its text, which may say what is nobody's business
		span.SetAttributes(attribute.String("error.type", class))
		span.SetStatus(codes.Error, class)
	}
	return err
}

// mark notes a transition in the span that it belongs to.
func mark(ctx context.Context, r *row, before State, what string) {
	span := tracing.SpanFromContext(ctx)
	if !span.IsRecording() {
		return
	}
	span.AddEvent("saga moved", tracing.WithAttributes(
		attribute.String("saga.name", r.name), attribute.String("saga.step", r.step), attribute.String("saga.event", what),
		attribute.String("saga.from", string(before)), attribute.String("saga.to", string(r.position.State))))
}
