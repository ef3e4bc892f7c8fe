package taste

import (
	"context"
	"database/sql"
	"errors"
	"net/http"

	"github.com/slipway-go/slipway"

	"example.com/shop/internal/store"
	"example.com/shop/internal/web"
)

// The topics, as the contract names them.
const (
	userTopic  = "users.created.v1"
	orderTopic = "orders.closed.v1"
)

// UserCreated is what recommendations reads of a user.
type UserCreated struct {
	UserID string `avro:"user_id"`
}

// OrderClosed is what recommendations reads of an order.
type OrderClosed struct {
	UserID string `avro:"user_id"`
	State  string `avro:"state"`
	SKU    string `avro:"sku"`
}

const schema = `
CREATE TABLE IF NOT EXISTS users (
	id TEXT PRIMARY KEY
);
CREATE TABLE IF NOT EXISTS purchases (
	user_id TEXT NOT NULL,
	sku     TEXT NOT NULL,
	PRIMARY KEY (user_id, sku)
);
CREATE INDEX IF NOT EXISTS purchases_sku ON purchases (sku);`

// A Service is the service recommendations on its database.
type Service struct{ db store.DB }

// Wire connects the service to Kafka and HTTP, with the database of the
// environment, which is closed when nothing uses it any more.
func Wire(app *slipway.App) error {
	db, err := store.Open(context.Background(), app.Environment().DatabaseURL, schema)
	if err != nil {
		return err
	}
	app.OnStop("close database", db.Close)
	s := &Service{db: db}
	slipway.HandleBatch(app, userTopic, s.onUsersCreated)
	slipway.HandleBatch(app, orderTopic, s.onOrdersClosed)
	app.Mux().Handle("GET /recommendations/{user_id}", web.Handler(s.get))
	return nil
}

func (s *Service) onUsersCreated(ctx context.Context, batch []*slipway.Message[UserCreated]) []error {
	return all(batch, s.db.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		for _, m := range batch {
			_, err := tx.ExecContext(ctx, `INSERT INTO users (id) VALUES ($1) ON CONFLICT DO NOTHING`, m.Value.UserID)
			if err != nil {
				return err
			}
		}
		return nil
	}))
}

func (s *Service) onOrdersClosed(ctx context.Context, batch []*slipway.Message[OrderClosed]) []error {
	var bought []OrderClosed
	for _, m := range batch {
		if m.Value.State == "CONFIRMED" && m.Value.UserID != "" { // of guests nothing is known
			bought = append(bought, m.Value)
		}
	}
	if len(bought) == 0 {
		return nil
	}
	return all(batch, s.db.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		for _, o := range bought {
			_, err := tx.ExecContext(ctx, `INSERT INTO purchases (user_id, sku) VALUES ($1, $2) ON CONFLICT DO NOTHING`, o.UserID, o.SKU)
			if err != nil {
				return err
			}
		}
		return nil
	}))
}

// all is the outcome of a batch that is one transaction.
func all[T any](batch []*slipway.Message[T], err error) []error {
	if err == nil {
		return nil
	}
	errs := make([]error, len(batch))
	for i := range errs {
		errs[i] = err
	}
	return errs
}

// A Recommendation is something a user has not bought yet.
type Recommendation struct {
	SKU    string `json:"sku"`
	Buyers int64  `json:"buyers"` // who have something in common with the user; of a new user, all
}

const most = 10

// For returns what those bought who bought what the user bought; for somebody
// who has bought nothing, what sells best.
func (s *Service) For(ctx context.Context, userID string) ([]Recommendation, error) {
	const alike = `
SELECT theirs.sku, COUNT(DISTINCT theirs.user_id) AS buyers
FROM purchases mine
JOIN purchases same ON same.sku = mine.sku AND same.user_id <> mine.user_id
JOIN purchases theirs ON theirs.user_id = same.user_id
WHERE mine.user_id = $1 AND theirs.sku NOT IN (SELECT sku FROM purchases WHERE user_id = $1)
GROUP BY theirs.sku ORDER BY buyers DESC, theirs.sku LIMIT $2`
	const best = `
SELECT sku, COUNT(*) AS buyers FROM purchases
WHERE NOT EXISTS (SELECT 1 FROM purchases WHERE user_id = $1)
GROUP BY sku ORDER BY buyers DESC, sku LIMIT $2`
	for _, query := range []string{alike, best} {
		found, err := s.query(ctx, query, userID)
		if err != nil || len(found) > 0 {
			return found, err
		}
	}
	return []Recommendation{}, nil
}

func (s *Service) query(ctx context.Context, query, userID string) ([]Recommendation, error) {
	rows, err := s.db.Reader().QueryContext(ctx, query, userID, most)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []Recommendation
	for rows.Next() {
		var r Recommendation
		if err := rows.Scan(&r.SKU, &r.Buyers); err != nil {
			return nil, err
		}
		found = append(found, r)
	}
	return found, rows.Err()
}

// get answers GET /recommendations/{user_id}.
func (s *Service) get(r *http.Request) (web.Response, error) {
	id := r.PathValue("user_id")
	err := s.db.Reader().QueryRowContext(r.Context(), `SELECT id FROM users WHERE id = $1`, id).Scan(&id)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return web.Response{}, web.NotFound("user_unknown", "there is no user %.80q", id)
	case err != nil:
		return web.Response{}, err
	}
	found, err := s.For(r.Context(), id)
	return web.OK(map[string]any{"user_id": id, "recommendations": found}), err
}
