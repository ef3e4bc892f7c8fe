package stock

import (
	"context"
	"database/sql"
	"errors"

	"example.com/shop/internal/store"
)

const schema = `
CREATE TABLE IF NOT EXISTS stock (
	sku       TEXT   PRIMARY KEY,
	available BIGINT NOT NULL CHECK (available >= 0),
	reserved  BIGINT NOT NULL CHECK (reserved >= 0),
	committed BIGINT NOT NULL CHECK (committed >= 0)
);
CREATE TABLE IF NOT EXISTS reservations (
	order_id       TEXT   PRIMARY KEY,
	status         TEXT   NOT NULL,
	sku            TEXT   NOT NULL,
	quantity       BIGINT NOT NULL CHECK (quantity > 0),
	amount         BIGINT NOT NULL,
	currency       TEXT   NOT NULL,
	payment_method TEXT   NOT NULL
);`

// An Item is how much there is of one SKU.
type Item struct {
	SKU       string `json:"sku"`
	Available int64  `json:"available"`
	Reserved  int64  `json:"reserved"`
	Committed int64  `json:"committed"` // sold since the beginning
}

var (
	errUnknownSKU    = errors.New("SKU is unknown")
	errNoReservation = errors.New("there is no reservation")
)

// seed sets how much of a SKU is available. What is reserved stays so.
func seed(ctx context.Context, tx store.Tx, sku string, available int64) error {
	_, err := tx.ExecContext(ctx,
		`INSERT INTO stock (sku, available, reserved, committed) VALUES ($1, $2, 0, 0)
		 ON CONFLICT (sku) DO UPDATE SET available = excluded.available`, sku, available)
	return err
}

func item(ctx context.Context, q store.Querier, sku string) (Item, error) {
	i := Item{SKU: sku}
	err := q.QueryRowContext(ctx, `SELECT available, reserved, committed FROM stock WHERE sku = $1`, sku).
		Scan(&i.Available, &i.Reserved, &i.Committed)
	if errors.Is(err, sql.ErrNoRows) {
		return Item{}, errUnknownSKU
	}
	return i, err
}

// take reserves a quantity. It reports false, and takes nothing, if that much
// is not available.
func take(ctx context.Context, tx store.Tx, sku string, quantity int64) (bool, error) {
	n, err := store.Changed(tx.ExecContext(ctx,
		`UPDATE stock SET available = available - $2, reserved = reserved + $2 WHERE sku = $1 AND available >= $2`, sku, quantity))
	return n == 1, err
}

// commit turns a reserved quantity into a sold one.
func commit(ctx context.Context, tx store.Tx, sku string, quantity int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE stock SET reserved = reserved - $2, committed = committed + $2 WHERE sku = $1`, sku, quantity)
	return err
}

// release gives a reserved quantity back.
func release(ctx context.Context, tx store.Tx, sku string, quantity int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE stock SET reserved = reserved - $2, available = available + $2 WHERE sku = $1`, sku, quantity)
	return err
}

// A reservation is what is kept for one order.
type reservation struct {
	OrderCreated
	status Status
}

// insert keeps what is to be kept for an order. It reports false, and keeps
// nothing, if there is something for the order already.
func insert(ctx context.Context, tx store.Tx, r reservation) (bool, error) {
	n, err := store.Changed(tx.ExecContext(ctx,
		`INSERT INTO reservations (order_id, status, sku, quantity, amount, currency, payment_method) VALUES ($1, $2, $3, $4, $5, $6, $7)
		 ON CONFLICT (order_id) DO NOTHING`,
		r.OrderID, string(r.status), r.SKU, r.Quantity, r.Amount, r.Currency, r.PaymentMethod))
	return n == 1, err
}

// claim takes the row of an order until the end of the transaction, so that an
// order and the command to take it back cannot pass each other.
func claim(ctx context.Context, tx store.Tx, orderID string) (reservation, error) {
	if _, err := tx.ExecContext(ctx, `UPDATE reservations SET status = status WHERE order_id = $1`, orderID); err != nil {
		return reservation{}, err
	}
	return find(ctx, tx, orderID)
}

func find(ctx context.Context, q store.Querier, orderID string) (reservation, error) {
	r := reservation{OrderCreated: OrderCreated{OrderID: orderID}}
	err := q.QueryRowContext(ctx, `SELECT status, sku, quantity, amount, currency, payment_method FROM reservations WHERE order_id = $1`, orderID).
		Scan(&r.status, &r.SKU, &r.Quantity, &r.Amount, &r.Currency, &r.PaymentMethod)
	if errors.Is(err, sql.ErrNoRows) {
		return reservation{}, errNoReservation
	}
	return r, err
}

func setStatus(ctx context.Context, tx store.Tx, orderID string, s Status) error {
	_, err := tx.ExecContext(ctx, `UPDATE reservations SET status = $2 WHERE order_id = $1`, orderID, string(s))
	return err
}
