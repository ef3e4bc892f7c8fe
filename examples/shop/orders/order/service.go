package order

import (
	"context"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/outbox"
	"github.com/slipway-go/slipway/saga"

	"example.com/shop/internal/ledger"
	"example.com/shop/internal/store"
)

// A Service is the service orders on its database.
type Service struct {
	db     store.DB
	saga   *saga.Orchestrator[purchase]
	closed *slipway.Producer[Closed]
}

// Wire connects the service to Kafka and HTTP, with the database of the
// environment, which is closed when nothing uses it any more.
func Wire(app *slipway.App) error {
	ctx := context.Background()
	db, err := store.Open(ctx, app.Environment().DatabaseURL, ledger.Schema, schema)
	if err != nil {
		return err
	}
	app.OnStop("close database", db.Close)
	if err := outbox.Migrate(ctx, db.SQL()); err != nil {
		return err
	}
	if err := saga.Migrate(ctx, db.SQL()); err != nil {
		return err
	}
	s := &Service{db: db, closed: slipway.NewProducer[Closed](app, closedTopic)}
	if s.saga, err = saga.New(app, db.SQL(), s.fulfilment(app)); err != nil {
		return err
	}
	if _, err := outbox.Open(app, store.Outbox(db)); err != nil {
		return err
	}
	slipway.Handle(app, reservedTopic, s.onStockReserved)
	slipway.Handle(app, settledTopic, s.onPaymentSettled)
	s.Routes(app.Mux())
	return nil
}
