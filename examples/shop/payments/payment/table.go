package payment

import (
	"context"
	"database/sql"
	"errors"

	"example.com/shop/internal/store"
)

const schema = `
CREATE TABLE IF NOT EXISTS payments (
	order_id TEXT   PRIMARY KEY,
	status   TEXT   NOT NULL,
	reason   TEXT   NOT NULL,
	amount   BIGINT NOT NULL CHECK (amount > 0),
	currency TEXT   NOT NULL
);`

// A Payment is the payment of one order.
type Payment struct {
	OrderID  string `json:"order_id"`
	Status   Status `json:"status"`
	Reason   string `json:"reason,omitempty"`
	Amount   int64  `json:"amount"` // minor units
	Currency string `json:"currency"`
}

var errUnknown = errors.New("payment is unknown")

// insert keeps the payment of an order. It reports false, and keeps nothing, if
// there is one.
func insert(ctx context.Context, tx store.Tx, p Payment) (bool, error) {
	n, err := store.Changed(tx.ExecContext(ctx,
		`INSERT INTO payments (order_id, status, reason, amount, currency) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (order_id) DO NOTHING`,
		p.OrderID, string(p.Status), p.Reason, p.Amount, p.Currency))
	return n == 1, err
}

// void takes the payment of an order back. It reports how it stood before; the
// row is the transaction's from here on.
func void(ctx context.Context, tx store.Tx, orderID string) (Payment, error) {
	if _, err := tx.ExecContext(ctx, `UPDATE payments SET status = status WHERE order_id = $1`, orderID); err != nil {
		return Payment{}, err
	}
	before, err := find(ctx, tx, orderID)
	if err != nil {
		return Payment{}, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE payments SET status = $2 WHERE order_id = $1`, orderID, string(Voided))
	return before, err
}

func find(ctx context.Context, q store.Querier, orderID string) (Payment, error) {
	p := Payment{OrderID: orderID}
	err := q.QueryRowContext(ctx, `SELECT status, reason, amount, currency FROM payments WHERE order_id = $1`, orderID).
		Scan(&p.Status, &p.Reason, &p.Amount, &p.Currency)
	if errors.Is(err, sql.ErrNoRows) {
		return Payment{}, errUnknown
	}
	return p, err
}
