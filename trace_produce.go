package slipway

import (
	"context"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/slipway-go/slipway/contract"
)

// sends is what the spans of sends to a topic have in common, and scheduling
// those of what is put on disk until its time.
func (l *link) sends(topic string) operation {
	return l.operation(trace.SpanKindProducer, "send", "send", topic)
}

func (l *link) schedules(topic string) operation {
	return l.operation(trace.SpanKindProducer, "schedule", "create", topic)
}

// trace begins the span of a send, under that of ctx, and returns the context
// that the record is to carry on. A caller that gives the record a trace of its
// own keeps it; the span links to that.
func (p *producer) trace(ctx context.Context, o *sendOptions) (context.Context, trace.Span) {
	t := &p.app.tracing
	if t.off() {
		return ctx, nil
	}
	op := &p.sends
	if o.later() && p.via == contract.Direct {
		op = &p.schedules
	}
	if own, ok := o.traced(); ok {
		return t.start(ctx, op, trace.WithLinks(trace.Link{SpanContext: own}))
	}
	return t.start(ctx, op)
}

// traced is the trace that the caller gave the record by a header, if it did.
func (o *sendOptions) traced() (trace.SpanContext, bool) {
	if !o.carries() {
		return trace.SpanContext{}, false
	}
	own := trace.SpanContextFromContext(origin(&kgo.Record{Headers: o.headers}))
	return own, own.IsValid()
}

// carries reports whether the caller gave the record a header of a trace.
func (o *sendOptions) carries() bool {
	return slices.ContainsFunc(o.headers, func(h kgo.RecordHeader) bool { return h.Key == traceParent })
}

// inject writes the trace of ctx into headers.
func inject(ctx context.Context, headers []kgo.RecordHeader) []kgo.RecordHeader {
	if trace.SpanContextFromContext(ctx).IsValid() {
		propagation.TraceContext{}.Inject(ctx, (*headerCarrier)(&headers))
	}
	return headers
}

// resume begins the span of a record that comes complete: from an outbox, from
// disk, from whoever publishes it. It goes on under the span that the record was
// made in, or that of ctx, and the record then carries it. The record's headers
// are replaced and not changed, since they may be in use elsewhere.
func (q *pipe) resume(ctx context.Context, rec *kgo.Record) trace.Span {
	t := &q.app.tracing
	if t.off() || unsampled(rec.Headers) {
		return nil
	}
	from := origin(rec)
	known := trace.SpanContextFromContext(from).IsValid()
	if !known {
		from = trace.ContextWithSpan(from, trace.SpanFromContext(ctx))
	}
	within, span := t.start(from, &q.sends)
	if span != nil && (span.IsRecording() || !known) {
		headers := make([]kgo.RecordHeader, 0, len(rec.Headers)+2)
		for _, h := range rec.Headers {
			if h.Key != traceParent && h.Key != traceState {
				headers = append(headers, h)
			}
		}
		rec.Headers = inject(within, headers)
	}
	return span
}

// endSend ends the span of a record's way. One without a place on the cluster
// and without an error is on disk; there is none where nobody knows.
func endSend(span trace.Span, rec *kgo.Record, err error) {
	if span == nil || !span.IsRecording() {
		return
	}
	switch {
	case err != nil:
		fail(span, err)
	case rec.Offset >= 0:
		span.SetAttributes(location(rec)...)
	default:
		span.SetAttributes(outcomeKey.String("spilled"))
	}
	span.End()
}

// traceDone has the outcome of what has no place end a span.
func traceDone(span trace.Span, outcome string, done func(Receipt, error)) func(Receipt, error) {
	if span == nil || !span.IsRecording() {
		return done
	}
	return func(r Receipt, err error) {
		if err != nil {
			fail(span, err)
		} else {
			span.SetAttributes(outcomeKey.String(outcome))
		}
		span.End()
		done(r, err)
	}
}

// hold keeps the span of a record until its transaction is through.
func hold(rec *kgo.Record, span trace.Span) {
	if span != nil && span.IsRecording() {
		ctx := rec.Context
		if ctx == nil {
			ctx = context.Background()
		}
		rec.Context = trace.ContextWithSpan(ctx, span)
	}
}

// settleSpans ends the spans of records that were to be part of a transaction.
func settleSpans(records []*kgo.Record, outcome string) {
	for _, rec := range records {
		if rec.Context == nil {
			continue
		}
		if span := trace.SpanFromContext(rec.Context); span.IsRecording() {
			span.SetAttributes(outcomeKey.String(outcome))
			span.End()
		}
	}
}
