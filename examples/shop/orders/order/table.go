package order

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"example.com/shop/internal/store"
)

const schema = `
CREATE TABLE IF NOT EXISTS orders (
	id              TEXT   PRIMARY KEY,
	idempotency_key TEXT   NOT NULL UNIQUE,
	state           TEXT   NOT NULL,
	reason          TEXT   NOT NULL,
	sku             TEXT   NOT NULL,
	quantity        BIGINT NOT NULL,
	amount          BIGINT NOT NULL,
	currency        TEXT   NOT NULL,
	payment_method  TEXT   NOT NULL,
	user_id         TEXT   NOT NULL,
	placed_at       BIGINT NOT NULL
);`

var errUnknown = errors.New("order is unknown")

// insert stores a new order. It reports false, and stores nothing, if there is
// an order of that idempotency key.
func insert(ctx context.Context, tx store.Tx, o *Order, idempotencyKey string) (bool, error) {
	n, err := store.Changed(tx.ExecContext(ctx,
		`INSERT INTO orders (id, idempotency_key, state, reason, sku, quantity, amount, currency, payment_method, user_id, placed_at)
		 VALUES ($1, $2, $3, '', $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (idempotency_key) DO NOTHING`,
		o.ID, idempotencyKey, string(o.State), o.SKU, o.Quantity, o.Total.Amount, o.Total.Currency, o.PaymentMethod, o.UserID, o.PlacedAt.UnixNano()))
	return n == 1, err
}

const columns = `SELECT id, state, reason, sku, quantity, amount, currency, payment_method, user_id, placed_at FROM orders `

// byID finds an order. The error is errUnknown if there is none.
func byID(ctx context.Context, q store.Querier, id string) (*Order, error) {
	return scan(q.QueryRowContext(ctx, columns+`WHERE id = $1`, id))
}

// byKey finds the order that was placed with an idempotency key.
func byKey(ctx context.Context, q store.Querier, key string) (*Order, error) {
	return scan(q.QueryRowContext(ctx, columns+`WHERE idempotency_key = $1`, key))
}

func scan(row *sql.Row) (*Order, error) {
	var o Order
	var placed int64
	err := row.Scan(&o.ID, &o.State, &o.Reason, &o.SKU, &o.Quantity, &o.Total.Amount, &o.Total.Currency,
		&o.PaymentMethod, &o.UserID, &placed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errUnknown
	}
	o.PlacedAt = time.Unix(0, placed).UTC()
	return &o, err
}
