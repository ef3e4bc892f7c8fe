package stock

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"

	"example.com/shop/internal/store"
	"example.com/shop/internal/web"
)

// A shelf can be jammed, so that there is a fault to look at: nothing of its
// SKU is reserved, sold or given back until it is repaired. The jam is in the
// database, because a restart mends no shelf.
const jamSchema = `
CREATE TABLE IF NOT EXISTS jams (
	sku TEXT PRIMARY KEY
);`

var errJammed = errors.New("its shelf is jammed")

// reach fails as long as the shelf of a SKU is jammed. The error is one like any
// other: the contract's retry decides what becomes of the event.
func reach(ctx context.Context, q store.Querier, sku string) error {
	var found string
	switch err := q.QueryRowContext(ctx, `SELECT sku FROM jams WHERE sku = $1`, sku).Scan(&found); {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return err
	}
	return fmt.Errorf("reach the stock of %s: %w", sku, errJammed)
}

// Jam jams the shelf of a SKU.
func (s *Service) Jam(ctx context.Context, sku string) error {
	return s.exec(ctx, `INSERT INTO jams (sku) VALUES ($1) ON CONFLICT (sku) DO NOTHING`, sku)
}

// Repair mends the shelf of a SKU. What failed meanwhile is not tried again by
// that: a parked key waits until somebody releases it.
func (s *Service) Repair(ctx context.Context, sku string) error {
	return s.exec(ctx, `DELETE FROM jams WHERE sku = $1`, sku)
}

func (s *Service) exec(ctx context.Context, statement, sku string) error {
	return s.db.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.ExecContext(ctx, statement, sku)
		return err
	})
}

type shelf struct {
	SKU    string `json:"sku"`
	Jammed bool   `json:"jammed"`
}

func (s *Service) putJam(r *http.Request) (web.Response, error) {
	sku, err := skuOf(r)
	if err != nil {
		return web.Response{}, err
	}
	return web.OK(shelf{sku, true}), s.Jam(r.Context(), sku)
}

func (s *Service) deleteJam(r *http.Request) (web.Response, error) {
	sku, err := skuOf(r)
	if err != nil {
		return web.Response{}, err
	}
	return web.OK(shelf{sku, false}), s.Repair(r.Context(), sku)
}
