package stock

import (
	"context"
	"net/http"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/outbox"

	"example.com/shop/internal/ledger"
	"example.com/shop/internal/store"
	"example.com/shop/internal/web"
)

// A Sender puts an event into the outbox of a transaction.
type Sender func(ctx context.Context, tx outbox.Tx, r *Reserved, opts ...slipway.SendOption) error

// A Service is the service inventory on its database.
type Service struct {
	db   store.DB
	send Sender
}

// Wire connects the service to Kafka and HTTP, with the database of the
// environment, which is closed when nothing uses it any more.
func Wire(app *slipway.App) error {
	db, err := Open(context.Background(), app.Environment().DatabaseURL)
	if err != nil {
		return err
	}
	app.OnStop("close database", db.Close)
	reserved := slipway.NewProducer[Reserved](app, reservedTopic)
	s := New(db, func(ctx context.Context, tx outbox.Tx, r *Reserved, opts ...slipway.SendOption) error {
		return outbox.Send(ctx, tx, reserved, r, opts...)
	})
	if _, err := outbox.Open(app, store.Outbox(db)); err != nil {
		return err
	}
	slipway.Handle(app, createdTopic, s.onOrderCreated)
	slipway.Handle(app, commandTopic, s.onCommand)
	s.Routes(app.Mux())
	app.Mux().Handle("GET /consumption", web.Handler(func(*http.Request) (web.Response, error) {
		return web.OK(app.Consumption()), nil
	}))
	return nil
}

// Open opens the service's database.
func Open(ctx context.Context, url string) (store.DB, error) {
	db, err := store.Open(ctx, url, ledger.Schema, schema, jamSchema)
	if err != nil {
		return nil, err
	}
	return db, outbox.Migrate(ctx, db.SQL())
}

// New returns the service on its database; its events go to send.
func New(db store.DB, send Sender) *Service { return &Service{db: db, send: send} }
