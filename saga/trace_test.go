package saga_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/slipwaytest"
)

// Payments is away, so the saga has both: transitions that records cause, in the
// trace of the order, and timers, which link to it.
func TestATransitionBelongsToTheTraceOfWhatCausedIt(t *testing.T) {
	kept := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(kept))
	urls := make(map[string]string)
	services := shop(urls, 5*time.Second)
	for i := range services {
		services[i].Configure = func(cfg *slipway.Config) { cfg.TracerProvider = provider }
	}
	slipwaytest.RunAll(t, services, func(t *testing.T, k *slipwaytest.Kit) {
		k.Stop("payments")
		_, request := provider.Tracer("test").Start(t.Context(), "request")
		request.End()
		root := request.SpanContext()
		k.Send(placed, work{OrderID: "o-secret"}, slipwaytest.Header("traceparent", fmt.Sprintf("00-%s-%s-01", root.TraceID(), root.SpanID())))
		k.Advance(20 * time.Second)
		k.Start("payments")
		eventually(t, k, urls, "o-secret", "compensated, stock 0, payment 0")

		byID := make(map[trace.SpanID]tracetest.SpanStub)
		named := make(map[string][]tracetest.SpanStub)
		for _, s := range kept.GetSpans() {
			byID[s.SpanContext.SpanID()] = s
			named[s.Name] = append(named[s.Name], s)
			if text := fmt.Sprint(s.Name, s.Attributes, s.Events); strings.Contains(text, "o-secret") {
				t.Errorf("the span says whose saga it is: %s", text)
			}
		}
		started := named["process "+placed][0]
		timeouts := named["saga order timeout"]
		if len(timeouts) < 2 {
			t.Fatalf("%d timers have a span, want that of another try and that of the way back", len(timeouts))
		}
		for _, s := range timeouts {
			if s.Parent.IsValid() || len(s.Links) != 1 || s.Links[0].SpanContext.SpanID() != started.SpanContext.SpanID() {
				t.Errorf("a timer's span is the child of %v and links to %v, want no parent and the start of the saga", s.Parent, s.Links)
			}
			if len(s.Events) != 1 || s.Events[0].Name != "saga moved" {
				t.Errorf("a timer's span tells %v, want one transition", s.Events)
			}
		}
		if len(started.Events) != 1 {
			t.Errorf("the span that started the saga tells %v", started.Events)
		}
		causes := func(topic string) (all []string) {
			for _, s := range named["send "+topic] {
				all = append(all, byID[s.Parent.SpanID()].Name)
			}
			return all
		}
		if got := causes(stockAsk); got[0] != "process "+placed {
			t.Errorf("the first command was sent by %q, want the start", got[0])
		}
		if got := causes(payAsk); got[0] != "process "+stockAns || got[1] != "saga order timeout" {
			t.Errorf("payment was asked for by %q, want the answer of stock and then a timer", got)
		}
		for _, s := range kept.GetSpans() {
			if _, known := byID[s.Parent.SpanID()]; s.Parent.IsValid() && !known {
				t.Errorf("span %q is an orphan", s.Name)
			}
		}
	})
}
