package notice

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"

	"github.com/slipway-go/slipway"

	"example.com/shop/internal/store"
	"example.com/shop/internal/web"
	"example.com/shop/mail"
)

// A Service is the service notifications on its database.
type Service struct {
	db     store.DB
	sender mail.Sender
}

// Wire connects the service to Kafka and to the mail server at SMTP_ADDRESS.
// Where that is not set, as under slipway up, the service is its own mail
// server: a sink on this machine, which shows what it got.
func Wire(app *slipway.App) error {
	if address := os.Getenv("SMTP_ADDRESS"); address != "" {
		return WireTo(mail.To(address))(app)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for mail: %w", err)
	}
	return WireSink(l, mail.To(l.Addr().String()))(app)
}

// WireSink connects the service to Kafka and to a sink that listens at l and is
// reached by dial; GET /mails?to=… shows what it got.
func WireSink(l net.Listener, dial mail.Dialer) func(*slipway.App) error {
	return func(app *slipway.App) error {
		sink := mail.NewSink()
		served := make(chan error, 1)
		go func() { served <- sink.Serve(l) }() // until all mail is sent, which is after the shutdown has begun
		app.OnStop("close mail sink", func() error {
			_ = l.Close() // or Serve, if it has not come to that yet, would listen on
			return errors.Join(sink.Close(), <-served)
		})
		app.Mux().Handle("GET /mails", web.Handler(func(r *http.Request) (web.Response, error) {
			return web.OK(map[string]any{"smtp": l.Addr().String(), "mails": sink.Letters(r.FormValue("to"))}), nil
		}))
		return WireTo(dial)(app)
	}
}

// WireTo connects the service to Kafka and a mail server, with the database of
// the environment, which is closed when nothing uses it any more.
func WireTo(dial mail.Dialer) func(*slipway.App) error {
	return func(app *slipway.App) error {
		db, err := store.Open(context.Background(), app.Environment().DatabaseURL, schema)
		if err != nil {
			return err
		}
		app.OnStop("close database", db.Close)
		s := &Service{db: db, sender: mail.Sender{Dial: dial}}
		slipway.Handle(app, userTopic, s.onUserCreated)
		slipway.Handle(app, orderTopic, s.onOrderClosed)
		return nil
	}
}
