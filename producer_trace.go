package slipway

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// spanKey is under what the OpenTelemetry API looks for the span of a context.
// The API does not name it, so it is asked.
var spanKey = func() any {
	s := &listener{Context: context.Background()}
	trace.SpanFromContext(s)
	return s.asked
}()

// A listener is a context that notes what it is asked for.
type listener struct {
	context.Context
	asked any
}

// Value implements [context.Context].
func (l *listener) Value(key any) any {
	l.asked = key
	return nil
}

// spanOf is the span that a record was written in, nil if it does not say. It
// is what a handler's context holds, so that what the handler sends belongs to
// the same trace.
func spanOf(rec *kgo.Record) any {
	ctx := propagation.TraceContext{}.Extract(context.Background(), (*headerCarrier)(&rec.Headers))
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return nil
	}
	return trace.SpanFromContext(ctx)
}
