package user

import (
	"context"
	"errors"
	"net/http"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/outbox"

	"example.com/shop/internal/store"
	"example.com/shop/internal/web"
)

// A Service is the service users on its database.
type Service struct {
	db      store.DB
	created *slipway.Producer[Created]
}

// Wire connects the service to Kafka and HTTP, with the database of the
// environment, which is closed when nothing uses it any more.
func Wire(app *slipway.App) error {
	db, err := store.Open(context.Background(), app.Environment().DatabaseURL, schema)
	if err != nil {
		return err
	}
	app.OnStop("close database", db.Close)
	if err := outbox.Migrate(context.Background(), db.SQL()); err != nil {
		return err
	}
	s := &Service{db: db, created: slipway.NewProducer[Created](app, createdTopic)}
	if _, err := outbox.Open(app, store.Outbox(db)); err != nil {
		return err
	}
	s.Routes(app.Mux())
	return nil
}

// Routes serves the API:
//
//	POST /users        signs somebody up; Idempotency-Key makes a repeat harmless
//	GET  /users/{id}   who that is
func (s *Service) Routes(mux *http.ServeMux) {
	mux.Handle("POST /users", web.Handler(s.postUser))
	mux.Handle("GET /users/{id}", web.Handler(s.getUser))
}

func (s *Service) postUser(r *http.Request) (web.Response, error) {
	key, err := web.Key(r)
	if err != nil {
		return web.Response{}, err
	}
	var req Request
	if err := web.Decode(r, &req); err != nil {
		return web.Response{}, err
	}
	u, fresh, err := s.SignUp(r.Context(), key, req)
	switch {
	case err != nil:
		return web.Response{}, err
	case fresh:
		return web.Created("/users/"+u.ID, u), nil
	}
	return web.OK(u), nil
}

func (s *Service) getUser(r *http.Request) (web.Response, error) {
	u, err := find(r.Context(), s.db.Reader(), `id`, r.PathValue("id"))
	if errors.Is(err, errUnknown) {
		return web.Response{}, web.NotFound("user_unknown", "there is no user %.80q", r.PathValue("id"))
	}
	return web.OK(u), err
}
