package hook

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"example.com/shop/internal/store"
	"example.com/shop/internal/web"
)

const schema = `
CREATE TABLE IF NOT EXISTS endpoints (
	id     TEXT PRIMARY KEY,
	url    TEXT NOT NULL,
	secret TEXT NOT NULL,
	events TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS delivered (
	endpoint TEXT   NOT NULL,
	event_id TEXT   NOT NULL,
	status   BIGINT NOT NULL,
	at       BIGINT NOT NULL,
	PRIMARY KEY (endpoint, event_id)
);`

// Events are what can be subscribed to.
var Events = []string{"order.confirmed", "order.declined", "order.rejected"}

// An Endpoint is a subscription as the API has it.
type Endpoint struct {
	ID        string   `json:"webhook_id"`
	URL       string   `json:"url"`
	Secret    string   `json:"secret,omitempty"` // only ever in requests
	Events    []string `json:"events"`
	Delivered int64    `json:"delivered"` // only ever in answers
}

var (
	idPattern     = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)
	secretPattern = regexp.MustCompile(`^[\x21-\x7e]{16,128}$`)
)

func (e Endpoint) validate() error {
	if !idPattern.MatchString(e.ID) {
		return web.BadRequest("webhook_id_invalid", "the id is %.80q, want up to 64 lower-case letters, digits and -", e.ID)
	}
	u, err := url.Parse(e.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || len(e.URL) > 500 {
		return web.BadRequest("url_invalid", "url is %.80q, want an address such as https://example.com/hooks, without a password", e.URL)
	}
	if !secretPattern.MatchString(e.Secret) {
		return web.BadRequest("secret_invalid", "secret is not 16 to 128 visible characters")
	}
	for _, event := range e.Events {
		if !slices.Contains(Events, event) {
			return web.BadRequest("events_invalid", "there is no event %.80q; there are %s", event, strings.Join(Events, ", "))
		}
	}
	if len(e.Events) == 0 {
		return web.BadRequest("events_invalid", "events is empty; there are %s", strings.Join(Events, ", "))
	}
	return nil
}

// Routes serves the API:
//
//	PUT    /webhooks/{id}   subscribes: {"url": …, "secret": …, "events": ["order.confirmed"]}
//	GET    /webhooks/{id}   the subscription without its secret, and how much was delivered
//	DELETE /webhooks/{id}   ends it; what is on its way is not delivered any more
func (s *Service) Routes(mux *http.ServeMux) {
	mux.Handle("PUT /webhooks/{id}", web.Handler(s.put))
	mux.Handle("GET /webhooks/{id}", web.Handler(s.get))
	mux.Handle("DELETE /webhooks/{id}", web.Handler(s.delete))
}

func (s *Service) put(r *http.Request) (web.Response, error) {
	var e Endpoint
	if err := web.Decode(r, &e); err != nil {
		return web.Response{}, err
	}
	e.ID = r.PathValue("id")
	if err := e.validate(); err != nil {
		return web.Response{}, err
	}
	err := s.db.Update(r.Context(), func(ctx context.Context, tx store.Tx) error {
		_, err := tx.ExecContext(ctx,
			`INSERT INTO endpoints (id, url, secret, events) VALUES ($1, $2, $3, $4)
			 ON CONFLICT (id) DO UPDATE SET url = excluded.url, secret = excluded.secret, events = excluded.events`,
			e.ID, e.URL, e.Secret, strings.Join(e.Events, " "))
		return err
	})
	if err != nil {
		return web.Response{}, err
	}
	return s.show(r.Context(), e.ID)
}

func (s *Service) get(r *http.Request) (web.Response, error) {
	return s.show(r.Context(), r.PathValue("id"))
}

func (s *Service) delete(r *http.Request) (web.Response, error) {
	id := r.PathValue("id")
	return web.OK(map[string]string{"webhook_id": id}), s.forget(r.Context(), id)
}

func (s *Service) show(ctx context.Context, id string) (web.Response, error) {
	e, err := find(ctx, s.db.Reader(), id)
	if errors.Is(err, errUnknown) {
		return web.Response{}, web.NotFound("webhook_unknown", "there is no webhook %.80q", id)
	}
	if err != nil {
		return web.Response{}, err
	}
	e.Secret = ""
	err = s.db.Reader().QueryRowContext(ctx, `SELECT COUNT(*) FROM delivered WHERE endpoint = $1`, id).Scan(&e.Delivered)
	return web.OK(e), err
}

var errUnknown = errors.New("webhook is unknown")

func find(ctx context.Context, q store.Querier, id string) (Endpoint, error) {
	e := Endpoint{ID: id}
	var events string
	err := q.QueryRowContext(ctx, `SELECT url, secret, events FROM endpoints WHERE id = $1`, id).Scan(&e.URL, &e.Secret, &events)
	if errors.Is(err, sql.ErrNoRows) {
		return Endpoint{}, errUnknown
	}
	e.Events = strings.Fields(events)
	return e, err
}

// wanting are the endpoints that want an event.
func wanting(ctx context.Context, q store.Querier, event string) ([]string, error) {
	rows, err := q.QueryContext(ctx, `SELECT id, events FROM endpoints ORDER BY id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id, events string
		if err := rows.Scan(&id, &events); err != nil {
			return nil, err
		}
		if slices.Contains(strings.Fields(events), event) {
			ids = append(ids, id)
		}
	}
	return ids, rows.Err()
}

// forget ends a subscription.
func (s *Service) forget(ctx context.Context, id string) error {
	return s.db.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM endpoints WHERE id = $1`, id)
		return err
	})
}

// done reports whether an endpoint was told of an event.
func done(ctx context.Context, q store.Querier, id, event string) (bool, error) {
	var n int
	err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM delivered WHERE endpoint = $1 AND event_id = $2`, id, event).Scan(&n)
	return n > 0, err
}

// note keeps that an endpoint was told of an event.
func (s *Service) note(ctx context.Context, id, event string, status int) error {
	return s.db.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO delivered (endpoint, event_id, status, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
			id, event, status, time.Now().UnixNano())
		return err
	})
}
