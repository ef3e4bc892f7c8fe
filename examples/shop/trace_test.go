package shop_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/serve"
	"github.com/slipway-go/slipway/slipwaytest"

	"example.com/shop/audit/trail"
	"example.com/shop/inventory/stock"
	"example.com/shop/notifications/notice"
	"example.com/shop/orders/order"
	"example.com/shop/payments/payment"
	"example.com/shop/recommendations/taste"
	"example.com/shop/users/user"
	"example.com/shop/webhooks/hook"
)

// spans are those of all services, as a collector gets them.
type spans struct{ *tracetest.InMemoryExporter }

// provider is that of one service.
func (s spans) provider(service string) *sdktrace.TracerProvider {
	return sdktrace.NewTracerProvider(sdktrace.WithSyncer(s), sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", service))))
}

func (s spans) traced(dir string, wire func(*slipway.App) error) slipwaytest.Service {
	return slipwaytest.Service{Files: os.DirFS(dir), Wire: wire, Configure: func(cfg *slipway.Config) { cfg.TracerProvider = s.provider(dir) }}
}

func service(s tracetest.SpanStub) string {
	name, _ := s.Resource.Set().Value("service.name")
	return name.AsString()
}

// show is a span as a line.
func show(s tracetest.SpanStub) string {
	line := service(s) + ": " + s.Name
	for _, a := range s.Attributes {
		switch a.Key {
		case "slipway.outcome":
			if a.Value.AsString() != "done" {
				line += ", " + a.Value.AsString()
			}
		case "slipway.reason":
			line += " (" + a.Value.AsString() + ")"
		}
	}
	return line
}

// tree shows what lies below a span: by service, and then in the order of time.
func (s spans) tree(of trace.SpanID, indent string, b *strings.Builder) {
	var below []tracetest.SpanStub
	for _, span := range s.GetSpans() {
		if span.Parent.SpanID() == of {
			below = append(below, span)
		}
	}
	slices.SortFunc(below, func(a, b tracetest.SpanStub) int {
		return cmp.Or(cmp.Compare(service(a), service(b)), a.StartTime.Compare(b.StartTime))
	})
	for _, span := range below {
		fmt.Fprintf(b, "%s%s\n", indent, show(span))
		s.tree(span.SpanContext.SpanID(), indent+"  ", b)
	}
}

// The shelf of the lamp is jammed at first, and the customer is one that
// notifications does not know.
const wayOfAnOrder = `orders: POST /orders
  orders: send orders.created.v1
    inventory: process orders.created.v1, retried
    inventory: process orders.created.v1, retried
    inventory: process orders.created.v1
      inventory: send inventory.reserved.v1
        orders: process inventory.reserved.v1
          orders: send orders.payment.v1
            payments: process orders.payment.v1
              payments: send payments.settled.v1
                orders: process payments.settled.v1
                  orders: send orders.stock.v1
                    inventory: process orders.stock.v1
                      inventory: send inventory.reserved.v1
                        orders: process inventory.reserved.v1
                          orders: send orders.closed.v1
                            notifications: process orders.closed.v1, retried
                            notifications: process orders.closed.v1, postponed
                            notifications: process orders.closed.v1, dead-lettered (exhausted)
                              notifications: send svc-notifications-dev.orders.closed.v1.dlq (exhausted)
                            webhooks: process orders.closed.v1
`

func TestAnOrderIsOneTraceThroughTheWholeShop(t *testing.T) {
	t.Parallel()
	all := spans{tracetest.NewInMemoryExporter()}
	var edge http.Handler
	noMail := func(context.Context) (net.Conn, error) { return nil, errors.New("there is no mail server") }
	services := []slipwaytest.Service{
		all.traced("orders", func(app *slipway.App) error {
			edge = serve.Edge(app, app.Mux())
			return order.Wire(app)
		}),
		all.traced("inventory", stock.Wire), all.traced("payments", payment.Wire),
		hasty(t, all.traced("notifications", notice.WireTo(noMail))), all.traced("recommendations", taste.Wire), all.traced("audit", trail.Wire),
		all.traced("users", user.Wire), all.traced("webhooks", hook.Wire), // without which audit has nothing to read
	}
	slipwaytest.RunAll(t, services, func(t *testing.T, k *slipwaytest.Kit) {
		seed(t, k, "lamp", 10)
		jam(t, k, "lamp")
		ctx, click := all.provider("browser").Tracer("test").Start(t.Context(), "click")
		body := `{"sku": "lamp", "quantity": 2, "unit_price": {"amount": 1250, "currency": "EUR"}, "payment_method": "card", "user_id": "u-1"}`
		w := httptest.NewRecorder()
		edge.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodPost, "/orders", strings.NewReader(body)))
		if w.Code != http.StatusCreated {
			t.Fatalf("place order: %d %s", w.Code, w.Body)
		}
		for range 100 { // until two attempts have failed
			if all.count("inventory: process orders.created.v1, retried") == 2 {
				break
			}
			k.Advance(50 * time.Millisecond)
		}
		repair(t, k, "lamp")
		k.RequireProduced("orders.closed.v1", 1)
		k.Advance(15 * time.Second)
		k.RequireDeadLettered("notifications", "orders.closed.v1", 1)
		click.End()

		var got strings.Builder
		all.tree(click.SpanContext().SpanID(), "", &got)
		if got.String() != wayOfAnOrder {
			t.Errorf("the order went\n%s, want\n%s", got.String(), wayOfAnOrder)
		}
		all.requireWhole(t, click.SpanContext())
	})
}

// count is how many spans show as a line.
func (s spans) count(line string) (n int) {
	for _, span := range s.GetSpans() {
		if show(span) == line {
			n++
		}
	}
	return n
}

// hasty gives a service up sooner that tries again for a quarter of an hour.
func hasty(t *testing.T, s slipwaytest.Service) slipwaytest.Service {
	t.Helper()
	files := make(fstest.MapFS)
	for _, name := range []string{"slipway.yaml", "schemas/user-created.avsc", "schemas/order-closed.avsc"} {
		text, err := fs.ReadFile(s.Files, name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: bytes.ReplaceAll(text, []byte("[200ms, 1s, 5s, 30s, 2m, 10m]"), []byte("[200ms, 10s]"))}
	}
	s.Files = files
	return s
}

// requireWhole fails unless every span of the trace has its parent, and every
// record that services read in batches is linked to from each of them.
func (s spans) requireWhole(t *testing.T, root trace.SpanContext) {
	t.Helper()
	known, linked := make(map[trace.SpanID]bool), make(map[string]bool)
	for _, span := range s.GetSpans() {
		known[span.SpanContext.SpanID()] = true
		for _, l := range span.Links {
			linked[show(span)+" "+l.SpanContext.SpanID().String()] = true
		}
	}
	for _, span := range s.GetSpans() {
		if span.SpanContext.TraceID() != root.TraceID() {
			continue
		}
		if span.Parent.IsValid() && !known[span.Parent.SpanID()] {
			t.Errorf("%s is an orphan", show(span))
		}
		topic, sent := strings.CutPrefix(span.Name, "send ")
		if !sent || strings.HasSuffix(topic, ".dlq") {
			continue
		}
		readers := []string{"audit"}
		if topic == "orders.closed.v1" {
			readers = append(readers, "recommendations")
		}
		for _, reader := range readers {
			if !linked[reader+": process "+topic+" "+span.SpanContext.SpanID().String()] {
				t.Errorf("no batch of %s links to %s", reader, show(span))
			}
		}
	}
}
