package slipway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/record"
)

// Traces, after OpenTelemetry's semantic conventions for messaging (1.43).
//
// A record carries the trace that it was written in as W3C's traceparent. One
// rule says which span that is: what wrote the record to the cluster, or, for
// what never reached it, what last had it in hand. So every span has one parent,
// and the way of an event through services is one trace:
//
//	POST /orders → send orders.v1 → process orders.v1 → send stock.v1 → …
//
// Attempts at a record are siblings, because retries keep the record's bytes.
// A handler of batches has one span, which is no record's child and links to all
// of them.
//
// Spans hold no key, no value, no header and no text of an error: those are what
// a service's customers wrote. They say where a record is, and the log says the
// rest beside the trace's id.
//
// Whether a trace is kept is decided where it begins. What belongs to one that is
// not kept gets no span and costs no allocation; its headers go on, so that the
// next service knows as much. It is the same where there is no provider.
//
// A trace that begins here and is not kept is the dearest thing that nobody sees,
// so a span begins with its name and its kind alone, which is all that a sampler
// is told of it, and gets its attributes when it is known that it records.

// scope names what writes spans.
const scope = "github.com/slipway-go/slipway"

// A tracing makes an app's spans. The zero tracing makes none.
type tracing struct {
	tracer trace.Tracer
	silent atomic.Bool // nobody hears it
}

// off reports whether there are no spans to be made.
func (t *tracing) off() bool { return t.tracer == nil || t.silent.Load() }

// start begins a span under that of ctx. The span is nil where the trace is not
// kept, and where there is no provider, which the first one tells: a tracer
// without a provider makes no span of its own but hands out its parent.
func (t *tracing) start(ctx context.Context, o *operation, opts ...trace.SpanStartOption) (context.Context, trace.Span) {
	parent := trace.SpanContextFromContext(ctx)
	if parent.IsValid() && !parent.IsSampled() {
		return ctx, nil
	}
	if len(opts) > 0 {
		opts = append(opts, o.kind...)
	} else {
		opts = o.kind
	}
	within, span := t.tracer.Start(ctx, o.name, opts...)
	if span.SpanContext().SpanID() == parent.SpanID() {
		t.silent.Store(true)
		return ctx, nil
	}
	if span.IsRecording() {
		span.SetAttributes(o.attributes...)
	}
	return within, span
}

// An operation is what the spans of one kind and topic have in common. It is
// made once, so that a record does not pay for it.
type operation struct {
	name       string
	kind       []trace.SpanStartOption
	attributes []attribute.KeyValue
}

// operation describes what is done with a topic of the cluster. The type is one of
// those that the conventions know; the name is Slipway's own. The conventions have
// no word for the cluster, which the default one needs no more than its series do.
func (l *link) operation(kind trace.SpanKind, name, typ, topic string, more ...attribute.KeyValue) operation {
	if alias := l.other(); alias != "" {
		more = append(more, attribute.String("slipway.kafka.cluster", alias))
	}
	return operation{name + " " + topic, []trace.SpanStartOption{trace.WithSpanKind(kind)}, append(more,
		attribute.String("messaging.system", "kafka"),
		attribute.String("messaging.operation.name", name),
		attribute.String("messaging.operation.type", typ),
		attribute.String("messaging.destination.name", topic),
		attribute.String("messaging.client.id", l.contract.ClientID(l.cfg.Instance)),
	)}
}

// during is a context of the span that a measurement belongs to, so that the
// figure leads to its trace; an empty one where there is no trace that is kept.
func during(span trace.Span) context.Context {
	if span == nil || !span.SpanContext().IsSampled() {
		return context.Background()
	}
	return trace.ContextWithSpan(context.Background(), span)
}

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

// origin is a context of the span that a record was written in, or one of none.
func origin(rec *kgo.Record) context.Context {
	return propagation.TraceContext{}.Extract(context.Background(), (*headerCarrier)(&rec.Headers))
}

// spanOf is the span that a record was written in, nil if it does not say. It
// is what a handler's context holds where no span of its own is, so that what
// the handler sends belongs to the same trace.
func spanOf(rec *kgo.Record) any {
	ctx := origin(rec)
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return nil
	}
	return trace.SpanFromContext(ctx)
}

// unsampled reports whether headers say that their trace is not kept, which is the
// usual thing where few are and thus costs no more than a look.
func unsampled(headers []kgo.RecordHeader) bool {
	for _, h := range slices.Backward(headers) {
		if h.Key == traceParent {
			flags := len("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-")
			return len(h.Value) >= flags+2 && strings.IndexByte("02468ace", h.Value[flags+1]) >= 0
		}
	}
	return false
}

// Which attempt at a record a span is of, and what became of the record.
const (
	attemptKey = attribute.Key("slipway.attempt")
	outcomeKey = attribute.Key("slipway.outcome")
)

// fail notes in a span that what it stands for has failed: the error's class,
// and not its text.
func fail(span trace.Span, err error) {
	class := classOf(err)
	span.SetAttributes(attribute.String("error.type", class))
	span.SetStatus(codes.Error, class)
}

// classOf is one of few words for an error: its code, what Kafka calls it, or
// its type.
func classOf(err error) string {
	if all := diag.Of(err); len(all) > 0 && all[0].Code != "" {
		return string(all[0].Code)
	}
	if answer, ok := errors.AsType[*kerr.Error](err); ok {
		return answer.Message
	}
	switch {
	case is[*panicked](err):
		return "panic"
	case is[*undecodable](err):
		return record.Undecodable
	case errors.Is(err, ErrTimeout), errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "canceled"
	}
	return fmt.Sprintf("%T", root(err))
}
