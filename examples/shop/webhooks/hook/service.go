package hook

import (
	"context"
	"database/sql"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/outbox"

	"example.com/shop/internal/store"
)

// The topics, as the contract names them.
const (
	closedTopic   = "orders.closed.v1"
	deliveryTopic = "webhooks.deliveries.v1"
)

// OrderClosed is what webhooks reads of an order, and what it tells of it.
type OrderClosed struct {
	OrderID  string `avro:"order_id" json:"order_id"`
	UserID   string `avro:"user_id" json:"user_id,omitempty"`
	State    string `avro:"state" json:"-"` // the event's type says it
	Reason   string `avro:"reason" json:"reason,omitempty"`
	SKU      string `avro:"sku" json:"sku"`
	Quantity int64  `avro:"quantity" json:"quantity"`
	Amount   int64  `avro:"amount" json:"amount"` // minor units
	Currency string `avro:"currency" json:"currency"`
}

// A Delivery is the event that an endpoint is to be told something.
type Delivery struct {
	WebhookID string `avro:"webhook_id"`
	EventID   string `avro:"event_id"`
	Event     string `avro:"event"`
	OrderID   string `avro:"order_id"`
	Body      string `avro:"body"`
}

// A Service is the service webhooks on its database.
type Service struct {
	db         store.DB
	client     *http.Client
	deliveries *slipway.Producer[Delivery]
}

// Wire connects the service to Kafka, HTTP and the world.
func Wire(app *slipway.App) error {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil // what is next door is reached without one
	return WireTo(transport)(app)
}

// WireTo connects the service to Kafka and HTTP, with the database of the
// environment, which is closed when nothing uses it any more; its requests go
// out through transport.
func WireTo(transport http.RoundTripper) func(*slipway.App) error {
	return func(app *slipway.App) error {
		db, err := store.Open(context.Background(), app.Environment().DatabaseURL, schema)
		if err != nil {
			return err
		}
		app.OnStop("close database", db.Close)
		if err := outbox.Migrate(context.Background(), db.SQL()); err != nil {
			return err
		}
		s := &Service{db: db, client: newClient(transport), deliveries: slipway.NewProducer[Delivery](app, deliveryTopic)}
		if _, err := outbox.Open(app, store.Outbox(db)); err != nil {
			return err
		}
		slipway.Handle(app, closedTopic, s.onOrderClosed)
		slipway.Handle(app, deliveryTopic, s.onDelivery)
		s.Routes(app.Mux())
		return nil
	}
}

// onOrderClosed makes a delivery for each endpoint that wants to know, all in
// one commit with the note that the event is done.
func (s *Service) onOrderClosed(ctx context.Context, m *slipway.Message[OrderClosed]) error {
	event := "order." + strings.ToLower(m.Value.State)
	return outbox.Do(ctx, s.db.SQL(), func(ctx context.Context, tx *sql.Tx) error {
		ids, err := wanting(ctx, tx, event)
		if err != nil || len(ids) == 0 {
			return err
		}
		body, err := json.Marshal(map[string]any{"type": event, "timestamp": m.Timestamp.UTC(), "data": m.Value})
		if err != nil {
			return err
		}
		for _, id := range ids {
			d := Delivery{WebhookID: id, EventID: "msg_" + m.Value.OrderID, Event: event, OrderID: m.Value.OrderID, Body: string(body)}
			if err := outbox.Send(ctx, tx, s.deliveries, &d); err != nil {
				return err
			}
		}
		return nil
	})
}
