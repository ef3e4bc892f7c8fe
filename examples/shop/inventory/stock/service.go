package stock

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/slipway-go/slipway"

	"example.com/shop/internal/ledger"
	"example.com/shop/internal/store"
	"example.com/shop/internal/unsent"
	"example.com/shop/internal/web"
)

// A Service is the service inventory on its database.
type Service struct {
	db       store.DB
	box      *unsent.Box
	reserved *unsent.Topic[Reserved]
}

// Wire connects the service to Kafka and HTTP, with the database of the
// environment, which is closed when nothing uses it any more.
func Wire(app *slipway.App) error {
	db, err := Open(context.Background(), app.Environment().DatabaseURL)
	if err != nil {
		return err
	}
	app.OnStop("close database", db.Close)
	s, box := New(db, app.Logger())
	s.reserved.Connect(app)
	box.Attach(app)
	slipway.Handle(app, createdTopic, s.onOrderCreated)
	slipway.Handle(app, settledTopic, s.onPaymentSettled)
	s.Routes(app.Mux())
	app.Mux().Handle("GET /consumption", web.Handler(func(*http.Request) (web.Response, error) {
		return web.OK(app.Consumption()), nil
	}))
	return nil
}

// Open opens the service's database.
func Open(ctx context.Context, url string) (store.DB, error) {
	return store.Open(ctx, url, unsent.Schema, ledger.Schema, schema, jamSchema)
}

// New returns the service on its database, and the box that holds its events.
func New(db store.DB, log *slog.Logger) (*Service, *unsent.Box) {
	box := unsent.New(db, log)
	return &Service{db: db, box: box, reserved: unsent.NewTopic[Reserved](box, reservedTopic)}, box
}
