package slipway

import (
	"context"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/slipway-go/slipway/internal/record"
)

// processing is what the spans of an entry's attempts have in common.
func (c *consumer) processing(e *entry) operation {
	return c.link.operation(trace.SpanKindConsumer, "process", "process", c.link.physical(e.Topic),
		attribute.String("messaging.consumer.group.name", c.group))
}

// trace begins the span of an attempt at a record, under the span that the
// record was written in. It is nil where there are none.
func (c *consumer) trace(e *entry, w *work) trace.Span {
	t := &c.app.tracing
	if t.off() || unsampled(w.rec.Headers) {
		return nil
	}
	_, span := t.start(origin(w.rec), &e.processing)
	return span
}

// which says which attempt at which record a span is of, and what became of it:
// all at once, because each call of SetAttributes may make the span grow.
func which(rec *kgo.Record, attempt int, outcome string) []attribute.KeyValue {
	about := append(location(rec), attemptKey.Int(attempt), outcomeKey.String(outcome))
	if rec.Value == nil {
		about = append(about, attribute.Bool("messaging.kafka.message.tombstone", true))
	}
	return about
}

// location says where a record is, with room for what else is to be said.
func location(rec *kgo.Record) []attribute.KeyValue {
	return append(make([]attribute.KeyValue, 0, 5),
		attribute.String("messaging.destination.partition.id", strconv.Itoa(int(rec.Partition))),
		attribute.Int64("messaging.kafka.offset", rec.Offset),
	)
}

// traced is after within the span of the attempt, which it ends: it is known
// only then what became of the record.
func (c *consumer) traced(span trace.Span, w *work, err error) fate {
	if !span.IsRecording() {
		return c.after(w, err)
	}
	defer span.End()
	attempt := w.failed() + 1
	if err == nil {
		span.SetAttributes(which(w.rec, attempt, "done")...)
		if w.trouble != nil || w.partition.entry.meter.freshness != nil {
			w.troubled().span = span
		}
		return c.after(w, nil)
	}
	w.troubled().span = span
	f := c.after(w, err)
	span.SetAttributes(which(w.rec, attempt, w.outcome(f, err))...)
	if w.reason != "" {
		span.SetAttributes(attribute.String("slipway.reason", w.reason))
	}
	if f.state != returned && !is[*skip](err) || w.decided() {
		fail(span, err)
	}
	return f
}

// outcome is what became of a record whose attempt has failed.
func (w *work) outcome(f fate, err error) string {
	switch {
	case is[*skip](err):
		return "skipped"
	case f.state == returned && w.decided():
		return "stopped"
	case f.state == returned:
		return "given back"
	case f.state == handed && w.reason == record.Parked:
		return "parked"
	case f.state == handed:
		return "postponed"
	case f.state == finished:
		return "dead-lettered"
	case is[*trip](err), unheard(err), refusedHandler(err), w.decided():
		return "held"
	default:
		return "retried"
	}
}

// traceBatch begins the span of an attempt at a batch. It links to the spans
// that the records were written in and is the child of none of them.
func (c *consumer) traceBatch(e *entry, batch []work) trace.Span {
	t := &c.app.tracing
	if t.off() {
		return nil
	}
	links := make([]trace.Link, 0, len(batch))
	for _, w := range batch {
		if unsampled(w.rec.Headers) {
			continue
		}
		if from := trace.SpanContextFromContext(origin(w.rec)); from.IsValid() {
			links = append(links, trace.Link{SpanContext: from, Attributes: location(w.rec)})
		}
	}
	if len(links) == 0 && carried(batch) {
		return nil // none of the traces is kept
	}
	_, span := t.start(context.Background(), &e.processing, trace.WithLinks(links...),
		trace.WithAttributes(attribute.Int("messaging.batch.message_count", len(batch))))
	return span
}

// carried reports whether every record of a batch was written in a trace.
func carried(batch []work) bool {
	return !slices.ContainsFunc(batch, func(w work) bool {
		return !slices.ContainsFunc(w.rec.Headers, func(h kgo.RecordHeader) bool { return h.Key == traceParent })
	})
}

// traced returns ctx in the trace of the message, where it is in no other than
// the batch's.
func (h *parcel) traced(ctx context.Context) context.Context {
	now := trace.SpanContextFromContext(ctx)
	if now.IsValid() && (h.span == nil || !now.Equal(h.span.SpanContext())) {
		return ctx
	}
	if from := trace.SpanContextFromContext(origin(h.rec)); from.IsValid() {
		return trace.ContextWithRemoteSpanContext(ctx, from)
	}
	return ctx
}

// endBatch ends the span of a batch. What becomes of each of its records is in
// the record's own trace, or in the log.
func endBatch(span trace.Span, outcomes []error) {
	if span == nil || !span.IsRecording() {
		return
	}
	failed := 0
	for _, err := range outcomes {
		if err != nil && !is[*skip](err) {
			failed++
		}
	}
	outcome := "done"
	if failed > 0 {
		outcome = "failed"
		span.SetAttributes(attribute.Int("slipway.batch.failed", failed))
		fail(span, worst(outcomes))
	}
	span.SetAttributes(outcomeKey.String(outcome))
	span.End()
}

// traceDead begins the span of a dead letter's way to its topic, under the
// attempt that was the last, or where the record came from. The letter itself
// keeps the record's trace.
func (c *consumer) traceDead(w *work, letter *kgo.Record) trace.Span {
	t := &c.app.tracing
	if t.off() || unsampled(w.rec.Headers) {
		return nil
	}
	ctx := origin(w.rec)
	if w.span != nil {
		ctx = trace.ContextWithSpan(ctx, w.span)
	}
	o := c.link.operation(trace.SpanKindClient, "send", "send", letter.Topic, attribute.String("slipway.reason", w.reason))
	_, span := t.start(ctx, &o)
	return span
}

// abandon ends the span of a call whose goroutine ends.
func (c call) abandon(first *work) {
	if c.span != nil {
		if c.entry.handler.many == nil {
			c.span.SetAttributes(append(location(first.rec), attemptKey.Int(first.failed()+1))...)
		}
		fail(c.span, errGone)
		c.span.End()
	}
}
