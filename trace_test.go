package slipway_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/slipwaytest"
)

// A viewer keeps the spans of what is under test.
type viewer struct {
	kept     *tracetest.InMemoryExporter
	provider *sdktrace.TracerProvider
}

func newViewer(opts ...sdktrace.TracerProviderOption) *viewer {
	kept := tracetest.NewInMemoryExporter()
	return &viewer{kept, sdktrace.NewTracerProvider(append(opts, sdktrace.WithSyncer(kept))...)}
}

func (v *viewer) configure(cfg *slipway.Config) { cfg.TracerProvider = v.provider }

// root begins a span as a caller of the service would.
func (v *viewer) root(ctx context.Context) (context.Context, trace.Span) {
	return v.provider.Tracer("test").Start(ctx, "request")
}

// spans are those of a name, in the order they began.
func (v *viewer) spans(name string) []tracetest.SpanStub {
	all := slices.DeleteFunc(v.kept.GetSpans(), func(s tracetest.SpanStub) bool { return s.Name != name })
	slices.SortStableFunc(all, func(a, b tracetest.SpanStub) int { return a.StartTime.Compare(b.StartTime) })
	return all
}

// only is the one span of a name.
func (v *viewer) only(t *testing.T, name string) tracetest.SpanStub {
	t.Helper()
	all := v.spans(name)
	if len(all) != 1 {
		t.Fatalf("%d spans %q, want one; there are %v", len(all), name, v.names())
	}
	return all[0]
}

func (v *viewer) names() []string {
	var names []string
	for _, s := range v.kept.GetSpans() {
		names = append(names, s.Name)
	}
	return names
}

// requireParent fails unless a span is the child of another.
func requireParent(t *testing.T, child tracetest.SpanStub, parent trace.SpanContext) {
	t.Helper()
	if child.Parent.SpanID() != parent.SpanID() || child.SpanContext.TraceID() != parent.TraceID() {
		t.Errorf("span %q is the child of %s in %s, want %s in %s", child.Name, child.Parent.SpanID(), child.SpanContext.TraceID(), parent.SpanID(), parent.TraceID())
	}
}

// about are the attributes of a span as text.
func about(s tracetest.SpanStub) map[string]string {
	all := make(map[string]string)
	for _, a := range s.Attributes {
		all[string(a.Key)] = a.Value.String()
	}
	return all
}

// traceparent is a span context as a record carries it.
func traceparent(sc trace.SpanContext) string {
	return fmt.Sprintf("00-%s-%s-%s", sc.TraceID(), sc.SpanID(), sc.TraceFlags())
}

// shipping are two services: what seller sends, shipper handles.
func shipping(v *viewer, then string, h handle, out **slipway.Producer[order]) []slipwaytest.Service {
	return []slipwaytest.Service{
		{Files: selling("{}"), Configure: v.configure, Wire: func(app *slipway.App) error {
			*out = slipway.NewProducer[order](app, orders)
			return nil
		}},
		{Files: files(then), Configure: v.configure, Wire: ship(h)},
	}
}

func TestAnEventIsOneTraceFromServiceToService(t *testing.T) {
	t.Parallel()
	v := newViewer()
	var out *slipway.Producer[order]
	var inside trace.SpanContext
	handle := func(ctx context.Context, m *slipway.Message[order], out *slipway.Producer[order]) error {
		inside = trace.SpanContextFromContext(ctx)
		return forward(ctx, m, out)
	}
	slipwaytest.RunAll(t, shipping(v, "dead-letter", handle, &out), func(t *testing.T, k *slipwaytest.Kit) {
		ctx, request := v.root(t.Context())
		receipt, err := out.Send(ctx, &order{"o-1", 1})
		if err != nil {
			t.Fatal(err)
		}
		k.RequireProduced(shipments, 1)
		sent, processed, sentOn := v.only(t, "send "+orders), v.only(t, "process "+orders), v.only(t, "send "+shipments)
		requireParent(t, sent, request.SpanContext())
		requireParent(t, processed, sent.SpanContext)
		requireParent(t, sentOn, processed.SpanContext)
		if !inside.Equal(processed.SpanContext) {
			t.Errorf("the handler's context is in %v, want its own span", inside)
		}
		if got := headersOf(k.Records(shipments)[0])["traceparent"]; got != traceparent(sentOn.SpanContext) {
			t.Errorf("the record carries %s, want the span that wrote it", got)
		}
		at := map[string]string{"messaging.destination.partition.id": fmt.Sprint(receipt.Partition), "messaging.kafka.offset": fmt.Sprint(receipt.Offset), "messaging.system": "kafka", "messaging.destination.name": orders}
		with := func(more map[string]string) map[string]string {
			maps.Copy(more, at)
			return more
		}
		if diff := cmp.Diff(with(map[string]string{
			"messaging.operation.name": "send", "messaging.operation.type": "send", "messaging.client.id": "svc-seller-dev.0",
		}), about(sent)); diff != "" || sent.SpanKind != trace.SpanKindProducer {
			t.Errorf("attributes of send (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(with(map[string]string{
			"messaging.operation.name": "process", "messaging.operation.type": "process", "messaging.client.id": "svc-shipper-dev.0",
			"messaging.consumer.group.name": "svc-shipper-dev", "slipway.attempt": "1", "slipway.outcome": "done",
		}), about(processed)); diff != "" || processed.SpanKind != trace.SpanKindConsumer {
			t.Errorf("attributes of process (-want +got):\n%s", diff)
		}
	})
}

func TestAttemptsAreSiblingsInTheTraceOfTheirRecord(t *testing.T) {
	t.Parallel()
	v := newViewer()
	var out *slipway.Producer[order]
	redriven := false
	handle := func(context.Context, *slipway.Message[order], *slipway.Producer[order]) error {
		if redriven {
			return nil
		}
		return errors.New("the customer Ada Lovelace has no address")
	}
	slipwaytest.RunAll(t, shipping(v, "dead-letter", handle, &out), func(t *testing.T, k *slipwaytest.Kit) {
		if _, err := out.Send(t.Context(), &order{"o-secret", 4711}, slipway.WithHeader("tenant", "acme")); err != nil {
			t.Fatal(err)
		}
		k.RequireDeadLettered("shipper", orders, 1)
		redriven = true
		k.Redrive("shipper", orders)
		k.Advance(time.Minute)
		sent := v.only(t, "send "+orders)
		attempts := v.spans("process " + orders)
		want := []struct{ attempt, outcome, class string }{
			{"1", "retried", "*errors.errorString"}, {"2", "postponed", "*errors.errorString"}, {"3", "dead-lettered", "*errors.errorString"}, {"1", "done", ""},
		}
		if len(attempts) != len(want) {
			t.Fatalf("%d attempts have a span, want %d", len(attempts), len(want))
		}
		for i, s := range attempts {
			requireParent(t, s, sent.SpanContext)
			a := about(s)
			if a["slipway.attempt"] != want[i].attempt || a["slipway.outcome"] != want[i].outcome || a["error.type"] != want[i].class {
				t.Errorf("attempt %d: %v, want %v", i+1, a, want[i])
			}
			if (s.Status.Code == codes.Error) != (want[i].class != "") {
				t.Errorf("attempt %d has the status %v", i+1, s.Status)
			}
		}
		dead := v.only(t, "send "+k.DeadLetterTopic("shipper", orders))
		requireParent(t, dead, attempts[2].SpanContext)
		if a := about(dead); a["slipway.reason"] != "exhausted" || a["messaging.kafka.offset"] != "0" {
			t.Errorf("the dead letter's span has %v", a)
		}
		letter := k.Records(k.DeadLetterTopic("shipper", orders))[0]
		if got := headersOf(letter)["traceparent"]; got != traceparent(sent.SpanContext) {
			t.Errorf("the dead letter carries %s, want the record's own trace", got)
		}
		for _, s := range v.kept.GetSpans() {
			text := fmt.Sprint(s.Name, s.Attributes, s.Events, s.Status)
			for _, private := range []string{"o-secret", "4711", "Ada", "acme"} {
				if strings.Contains(text, private) {
					t.Errorf("span %s says %q", text, private)
				}
			}
		}
	})
}

func TestABatchHasOneSpanThatLinksToItsMessages(t *testing.T) {
	t.Parallel()
	v := newViewer()
	var whole trace.SpanContext
	ofMessage, own := make(map[string]trace.SpanContext), false
	wire := func(app *slipway.App) error {
		out := slipway.NewProducer[order](app, shipments)
		slipway.HandleBatch(app, orders, func(ctx context.Context, batch []*slipway.Message[order]) []error {
			whole = trace.SpanContextFromContext(ctx)
			within, span := v.provider.Tracer("test").Start(ctx, "work")
			defer span.End()
			outcomes := make([]error, len(batch))
			for i, m := range batch {
				ofMessage[m.ID()] = trace.SpanContextFromContext(m.Context(ctx))
				own = trace.SpanContextFromContext(m.Context(within)).Equal(span.SpanContext())
				_, outcomes[i] = out.Send(m.Context(ctx), &m.Value, slipway.WithID(m.ID()))
			}
			outcomes[len(batch)-1] = slipway.Reject(errors.New("never"))
			return outcomes
		})
		return nil
	}
	slipwaytest.RunAll(t, []slipwaytest.Service{{Files: files("dead-letter"), Wire: wire, Configure: v.configure}}, func(t *testing.T, k *slipwaytest.Kit) {
		k.Stop("shipper")
		origins := make(map[string]trace.SpanContext)
		for n := range int64(4) {
			_, span := v.root(t.Context())
			id := fmt.Sprint("e-", n)
			origins[id] = span.SpanContext()
			k.Send(orders, order{"o-1", n}, slipwaytest.ID(id), slipwaytest.Header("traceparent", traceparent(span.SpanContext())))
		}
		k.Start("shipper")
		k.Advance(time.Second)
		batch := v.only(t, "process "+orders)
		if batch.Parent.IsValid() || !whole.Equal(batch.SpanContext) {
			t.Errorf("the batch is the child of %v, and its handler's span is %v", batch.Parent, whole)
		}
		if a := about(batch); a["messaging.batch.message_count"] != "4" || a["slipway.outcome"] != "failed" || a["slipway.batch.failed"] != "1" {
			t.Errorf("the batch's span has %v", a)
		}
		linked := make(map[trace.SpanID]bool)
		for _, l := range batch.Links {
			linked[l.SpanContext.SpanID()] = true
		}
		sends := v.spans("send " + shipments)
		if len(sends) != 4 || !own {
			t.Fatalf("%d messages were sent on, want 4; a span of the handler's own stays: %v", len(sends), own)
		}
		for id, from := range origins {
			if !linked[from.SpanID()] {
				t.Errorf("the batch has no link to the span of %s", id)
			}
			if got := ofMessage[id]; !got.Equal(from.WithRemote(true)) {
				t.Errorf("Message.Context is in %v, want the trace of %s", got, id)
			}
			if !slices.ContainsFunc(sends, func(s tracetest.SpanStub) bool { return s.Parent.SpanID() == from.SpanID() }) {
				t.Errorf("nothing was sent in the trace of %s", id)
			}
		}
		dead := v.only(t, "send "+k.DeadLetterTopic("shipper", orders))
		requireParent(t, dead, origins["e-3"])
	})
}

func TestATraceThatIsNotKeptGoesOnWithoutSpans(t *testing.T) {
	t.Parallel()
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
	v := newViewer()
	var inside trace.SpanContext
	handle := func(ctx context.Context, m *slipway.Message[order], out *slipway.Producer[order]) error {
		inside = trace.SpanContextFromContext(ctx)
		return forward(ctx, m, out)
	}
	var out *slipway.Producer[order]
	slipwaytest.RunAll(t, shipping(v, "dead-letter", handle, &out), func(t *testing.T, k *slipwaytest.Kit) {
		k.Send(orders, order{"o-1", 1}, slipwaytest.Header("traceparent", parent))
		k.RequireProduced(shipments, 1)
		if got := headersOf(k.Records(shipments)[0])["traceparent"]; got != parent {
			t.Errorf("the record carries %q, want %q", got, parent)
		}
		if inside.TraceID().String() != "0af7651916cd43dd8448eb211c80319c" || inside.IsSampled() {
			t.Errorf("the handler's context is in %v", inside)
		}
		if names := v.names(); len(names) != 0 {
			t.Errorf("there are spans %v of a trace that is not kept", names)
		}
	})
}

// A sampler that keeps nothing still gives each event a trace, so that what
// follows is not kept either.
func TestAnEventThatNobodySamplesIsNotSampledFurtherOn(t *testing.T) {
	t.Parallel()
	never, all := newViewer(sdktrace.WithSampler(sdktrace.NeverSample())), newViewer()
	var out *slipway.Producer[order]
	services := shipping(all, "dead-letter", forward, &out)
	services[0].Configure = never.configure
	slipwaytest.RunAll(t, services, func(t *testing.T, k *slipwaytest.Kit) {
		if _, err := out.Send(t.Context(), &order{"o-1", 1}); err != nil {
			t.Fatal(err)
		}
		k.RequireProduced(shipments, 1)
		before, after := headersOf(k.Records(orders)[0])["traceparent"], headersOf(k.Records(shipments)[0])["traceparent"]
		if before != after || !strings.HasSuffix(before, "-00") {
			t.Errorf("the records carry %q and %q, want one trace that is not sampled", before, after)
		}
		if names := all.names(); len(names) != 0 {
			t.Errorf("there are spans %v", names)
		}
	})
}

func TestATraceThatTheCallerGivesARecordIsKept(t *testing.T) {
	t.Parallel()
	const given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	v := newViewer()
	var out *slipway.Producer[order]
	slipwaytest.RunAll(t, shipping(v, "dead-letter", forward, &out), func(t *testing.T, k *slipwaytest.Kit) {
		ctx, request := v.root(t.Context())
		ctx = trace.ContextWithSpan(ctx, request)
		if _, err := out.Send(ctx, &order{"o-1", 1}, slipway.WithHeader("traceparent", given)); err != nil {
			t.Fatal(err)
		}
		k.RequireProduced(shipments, 1)
		if got := headersOf(k.Records(orders)[0])["traceparent"]; got != given {
			t.Errorf("the record carries %q, want what the caller said", got)
		}
		sent, processed := v.only(t, "send "+orders), v.only(t, "process "+orders)
		requireParent(t, sent, request.SpanContext())
		if len(sent.Links) != 1 || traceparent(sent.Links[0].SpanContext) != given {
			t.Errorf("the send links to %v", sent.Links)
		}
		if processed.SpanContext.TraceID().String() != "0af7651916cd43dd8448eb211c80319c" {
			t.Errorf("the record is handled in the trace %s", processed.SpanContext.TraceID())
		}
	})
}

func TestATraceSurvivesTheDisk(t *testing.T) {
	t.Parallel()
	v := newViewer()
	var out *slipway.Producer[order]
	slipwaytest.RunAll(t, []slipwaytest.Service{{
		Files: selling("{away: spill, buffer: {records: 1}}"), Configure: v.configure,
		Wire: func(app *slipway.App) error { out = slipway.NewProducer[order](app, orders); return nil },
	}}, func(t *testing.T, k *slipwaytest.Kit) {
		ctx, request := v.root(t.Context())
		if err := offer(ctx, out, "first"); err != nil {
			t.Fatal(err)
		}
		mend := cutAll(k)
		out.SendAsync(ctx, &order{"o-1", 1}, func(slipway.Receipt, error) {}, slipway.WithID("held"))
		if r, err := out.Send(ctx, &order{"o-1", 2}, slipway.WithID("spilled")); err != nil || r.Offset != -1 {
			t.Fatalf("sent to %v, %v, want it on disk", r, err)
		}
		if _, err := out.SendAt(ctx, time.Now().Add(time.Minute), &order{"o-1", 3}, slipway.WithID("scheduled")); err != nil {
			t.Fatal(err)
		}
		k.Stop("seller")
		mend()
		k.Start("seller")
		k.Advance(2 * time.Minute)
		carried := make(map[string]string)
		for _, r := range k.Records(orders) {
			carried[headersOf(r)["ce_id"]] = headersOf(r)["traceparent"]
		}
		put := map[string]tracetest.SpanStub{"scheduled": v.only(t, "schedule "+orders)}
		byID := make(map[trace.SpanID]tracetest.SpanStub)
		for _, s := range v.spans("send " + orders) {
			byID[s.SpanContext.SpanID()] = s
			if about(s)["slipway.outcome"] == "spilled" {
				put["spilled"] = s
			}
		}
		for id, s := range put {
			requireParent(t, s, request.SpanContext())
			if about(s)["slipway.outcome"] != id {
				t.Errorf("the span of what was put on disk has %v", about(s))
			}
			written := false
			for _, last := range byID {
				if traceparent(last.SpanContext) == carried[id] {
					written = true
					requireParent(t, last, s.SpanContext)
					if about(last)["messaging.kafka.offset"] == "" {
						t.Errorf("the span of the replay has %v", about(last))
					}
				}
			}
			if !written {
				t.Errorf("%s carries %q, which is the span of no send", id, carried[id])
			}
		}
	})
}

func TestWhatATransactionHoldsEndsItsSpansWithIt(t *testing.T) {
	t.Parallel()
	v := newViewer()
	handle := func(ctx context.Context, m *slipway.Message[order], out *slipway.Producer[order]) error {
		err := forward(ctx, m, out)
		if m.Attempt == 1 {
			err = errors.New("not yet")
		}
		return err
	}
	services := []slipwaytest.Service{{Files: exactFiles(""), Wire: ship(handle), Configure: v.configure}}
	slipwaytest.RunAll(t, services, func(t *testing.T, k *slipwaytest.Kit) {
		_, request := v.root(t.Context())
		k.Send(orders, order{"o-1", 1}, slipwaytest.Header("traceparent", traceparent(request.SpanContext())))
		k.RequireProduced(shipments, 1)
		k.Advance(time.Second)
		sends, attempts := v.spans("send "+shipments), v.spans("process "+orders)
		if len(sends) != 2 || len(attempts) != 2 {
			t.Fatalf("there are the spans %v", v.names())
		}
		for i, want := range []string{"dropped", "committed"} {
			requireParent(t, attempts[i], request.SpanContext())
			requireParent(t, sends[i], attempts[i].SpanContext)
			if got := about(sends[i])["slipway.outcome"]; got != want {
				t.Errorf("send of attempt %d: %q, want %q", i+1, got, want)
			}
		}
		if got := headersOf(k.Records(shipments)[0])["traceparent"]; got != traceparent(sends[1].SpanContext) {
			t.Errorf("the record carries %q", got)
		}
	})
}

func TestASendThatFailsSaysWhyInItsSpan(t *testing.T) {
	t.Parallel()
	v := newViewer()
	var out *slipway.Producer[order]
	slipwaytest.RunAll(t, shipping(v, "dead-letter", forward, &out), func(t *testing.T, _ *slipwaytest.Kit) {
		if _, err := out.Send(t.Context(), nil); err == nil {
			t.Fatal("a send of nothing succeeded")
		}
		s := v.only(t, "send "+orders)
		if s.Status.Code != codes.Error || about(s)["error.type"] == "" || s.EndTime.IsZero() {
			t.Errorf("span: %v, status %v", s.Attributes, s.Status)
		}
	})
}

// Whatever becomes of a record, its attempts say so in one word.
func TestASpanSaysWhatBecameOfItsRecord(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		then    string
		err     error
		outcome string
		failed  bool
	}{
		"skipped":   {"dead-letter", slipway.Skip(errors.New("nothing to do")), "skipped", false},
		"rejected":  {"dead-letter", slipway.Reject(errors.New("never")), "dead-lettered", true},
		"parked":    {"park", slipway.Park(errors.New("look")), "parked", true},
		"tripped":   {"dead-letter", slipway.Trip(errors.New("away")), "held", true},
		"postponed": {"dead-letter", slipway.RetryAfter(time.Hour, errors.New("later")), "postponed", true},
		"stopped":   {"stop", slipway.Reject(errors.New("never")), "stopped", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newViewer()
			handle := func(context.Context, *slipway.Message[order], *slipway.Producer[order]) error { return tt.err }
			services := []slipwaytest.Service{{Files: files(tt.then), Wire: ship(handle), Configure: v.configure}}
			slipwaytest.RunAll(t, services, func(t *testing.T, k *slipwaytest.Kit) {
				k.Send(orders, order{"o-1", 1})
				k.Advance(500 * time.Millisecond)
				all := v.spans("process " + orders)
				if len(all) == 0 {
					t.Fatalf("no attempt has a span; there are %v", v.names())
				}
				if got := about(all[0])["slipway.outcome"]; got != tt.outcome || (all[0].Status.Code == codes.Error) != tt.failed {
					t.Errorf("outcome %q, status %v, want %q", got, all[0].Status, tt.outcome)
				}
			})
		})
	}
}
