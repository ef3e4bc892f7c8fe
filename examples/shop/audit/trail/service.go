package trail

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-go/slipway"

	"example.com/shop/internal/store"
	"example.com/shop/internal/web"
)

// The topics, as the contract names them.
const (
	createdTopic  = "orders.created.v1"
	paymentTopic  = "orders.payment.v1"
	stockTopic    = "orders.stock.v1"
	closedTopic   = "orders.closed.v1"
	reservedTopic = "inventory.reserved.v1"
	settledTopic  = "payments.settled.v1"
	userTopic     = "users.created.v1"
	webhookTopic  = "webhooks.deliveries.v1"
)

// A Service is the service audit on its database.
type Service struct{ db store.DB }

// Wire connects the service to Kafka and HTTP, with the database of the
// environment, which is closed when nothing uses it any more.
func Wire(app *slipway.App) error {
	db, err := Open(context.Background(), app.Environment().DatabaseURL)
	if err != nil {
		return err
	}
	app.OnStop("close database", db.Close)
	s := New(db)
	keep[OrderCreated](app, s, createdTopic)
	keep[OrderClosed](app, s, closedTopic)
	keep[PaymentCommand](app, s, paymentTopic)
	keep[StockCommand](app, s, stockTopic)
	keep[StockReserved](app, s, reservedTopic)
	keep[PaymentSettled](app, s, settledTopic)
	keep[UserCreated](app, s, userTopic)
	keep[WebhookDelivery](app, s, webhookTopic)
	s.Routes(app.Mux())
	return nil
}

// Open opens the service's database.
func Open(ctx context.Context, url string) (store.DB, error) {
	return store.Open(ctx, url, schema, sqliteGuard, postgresGuard)
}

// New returns the service on its database.
func New(db store.DB) *Service { return &Service{db: db} }

// Keep writes rows down, all or none, behind what is there. Rows that are there
// already it leaves out.
func (s *Service) Keep(ctx context.Context, rows ...Row) error {
	return s.db.Update(ctx, func(ctx context.Context, tx store.Tx) error { return appendRows(ctx, tx, rows) })
}

// keep writes down what a topic holds, a batch in one transaction.
func keep[T event](app *slipway.App, s *Service, topic string) {
	slipway.HandleBatch(app, topic, func(ctx context.Context, batch []*slipway.Message[T]) []error {
		rows := make([]Row, len(batch))
		for i, m := range batch {
			var err error
			if rows[i], err = rowOf(topic, m); err != nil {
				return fail(len(batch), err)
			}
		}
		return fail(len(batch), s.Keep(ctx, rows...))
	})
}

// fail is the outcome of a batch that is one: all of it, or nothing.
func fail(n int, err error) []error {
	if err == nil {
		return nil
	}
	all := make([]error, n)
	for i := range all {
		all[i] = err
	}
	return all
}

func rowOf[T event](topic string, m *slipway.Message[T]) (Row, error) {
	r := Row{
		Topic: topic, Partition: m.Partition, Offset: m.Offset, Key: string(m.Key), Subject: string(m.Key),
		Source: strings.TrimPrefix(m.Header("ce_source"), "/"), EventID: m.ID(), At: when(m.Timestamp), Value: json.RawMessage("null"),
	}
	if at, err := time.Parse(time.RFC3339Nano, m.Header("ce_time")); err == nil {
		r.At = when(at)
	}
	if m.Tombstone {
		return r, nil
	}
	value, err := json.Marshal(m.Value)
	r.Subject, r.Value = m.Value.subject(), value
	return r, err
}

const (
	defaultPage = 100
	maxPage     = 1000
	maxHistory  = 10_000 // rows of one order
)

// Routes serves the API:
//
//	GET /audit?subject=S&after=N&limit=M   what was said, oldest first
//	GET /audit/orders/{id}                 an order's history, made from it
//	GET /audit/verify                      whether it is what was written
func (s *Service) Routes(mux *http.ServeMux) {
	mux.Handle("GET /audit", web.Handler(s.getRows))
	mux.Handle("GET /audit/orders/{id}", web.Handler(s.getHistory))
	mux.Handle("GET /audit/verify", web.Handler(func(r *http.Request) (web.Response, error) {
		v, err := s.Verify(r.Context())
		return web.OK(v), err
	}))
}

func (s *Service) getRows(r *http.Request) (web.Response, error) {
	after, err := strconv.ParseInt("0"+r.FormValue("after"), 10, 64)
	if err != nil {
		return web.Response{}, web.BadRequest("after_invalid", "after is %.80q, want a position, 0 or more", r.FormValue("after"))
	}
	limit := defaultPage
	if text := r.FormValue("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > maxPage {
			return web.Response{}, web.BadRequest("limit_invalid", "limit is %.80q, want 1 to %d", text, maxPage)
		}
	}
	rows, err := read(r.Context(), s.db.Reader(), r.FormValue("subject"), after, limit)
	return web.OK(map[string]any{"rows": rows}), err
}

func (s *Service) getHistory(r *http.Request) (web.Response, error) {
	rows, err := read(r.Context(), s.db.Reader(), r.PathValue("id"), 0, maxHistory)
	if err != nil {
		return web.Response{}, err
	}
	if len(rows) == 0 {
		return web.Response{}, web.NotFound("order_unknown", "nothing was said of an order %.80q", r.PathValue("id"))
	}
	h, err := Replay(r.PathValue("id"), rows)
	return web.OK(h), err
}
