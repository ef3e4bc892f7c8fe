// Package ledger is a service's own record of what it did: a table that only
// grows, written in the transaction of the effect it tells of.
//
// It is not the inbox that keeps effects from happening twice, and nothing in
// it is unique but the position. So if an effect ever happened twice, the
// ledger would say so. Whoever wants to know whether the shop keeps its
// promises reads the ledgers of the services and compares them with what was
// ordered; that is what the driver does.
package ledger

import (
	"context"
	"database/sql"
	"time"

	"example.com/shop/internal/store"
)

// Schema makes the ledger's table.
const Schema = `
CREATE TABLE IF NOT EXISTS ledger (
	position ` + store.Serial + `,
	flow     TEXT   NOT NULL CHECK (flow IN ('in', 'out', 'state')),
	topic    TEXT   NOT NULL,
	event_id TEXT   NOT NULL,
	order_id TEXT   NOT NULL,
	kind     TEXT   NOT NULL,
	sequence BIGINT NOT NULL,
	sku      TEXT   NOT NULL,
	quantity BIGINT NOT NULL,
	amount   BIGINT NOT NULL,
	currency TEXT   NOT NULL,
	at       BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS ledger_turn (
	id BIGINT PRIMARY KEY
);
INSERT INTO ledger_turn (id) VALUES (1) ON CONFLICT (id) DO NOTHING;`

// A Flow says which way an entry points.
type Flow string

// The flows.
const (
	In    Flow = "in"    // an event or a request was applied
	Out   Flow = "out"   // an event was decided on; it leaves after the commit
	State Flow = "state" // an entity reached a final state
)

// An Entry is one line of a ledger.
type Entry struct {
	Position int64     `json:"position"` // given by the ledger, ascending
	Flow     Flow      `json:"flow"`
	Topic    string    `json:"topic,omitempty"` // or the request: "POST /orders"
	EventID  string    `json:"event_id,omitempty"`
	OrderID  string    `json:"order_id,omitempty"`
	Kind     string    `json:"kind"`               // what happened: placed, reserved, confirmed …
	Sequence int64     `json:"sequence,omitempty"` // of the event among those of its topic and order, from 1
	SKU      string    `json:"sku,omitempty"`
	Quantity int64     `json:"quantity,omitempty"`
	Amount   int64     `json:"amount,omitempty"` // in minor units of the currency
	Currency string    `json:"currency,omitempty"`
	At       time.Time `json:"at"` // given by the ledger
}

// A Writer is a transaction under way.
type Writer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// Append writes entries. Position and time are filled in.
//
// Whoever reads on from a position must not miss what is committed later, so
// transactions that append take turns until they are committed. On SQLite they do
// so anyway; on Postgres append last, so that others do not wait for long.
func Append(ctx context.Context, tx Writer, entries ...Entry) error {
	if _, err := tx.ExecContext(ctx, `UPDATE ledger_turn SET id = id WHERE id = 1`); err != nil {
		return err
	}
	now := time.Now().UnixNano()
	for _, e := range entries {
		_, err := tx.ExecContext(ctx,
			`INSERT INTO ledger (flow, topic, event_id, order_id, kind, sequence, sku, quantity, amount, currency, at)
			 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			string(e.Flow), e.Topic, e.EventID, e.OrderID, e.Kind, e.Sequence, e.SKU, e.Quantity, e.Amount, e.Currency, now)
		if err != nil {
			return err
		}
	}
	return nil
}

// A Page is a stretch of a ledger.
type Page struct {
	Entries []Entry `json:"entries"`
	Next    int64   `json:"next"` // ask for entries after this one next
	Last    int64   `json:"last"` // the ledger's last position
}

// Read returns at most limit entries after a position.
func Read(ctx context.Context, q store.Querier, after int64, limit int) (Page, error) {
	page := Page{Entries: []Entry{}, Next: after}
	err := q.QueryRowContext(ctx, `SELECT COALESCE(MAX(position), 0) FROM ledger`).Scan(&page.Last)
	if err != nil {
		return Page{}, err
	}
	rows, err := q.QueryContext(ctx,
		`SELECT position, flow, topic, event_id, order_id, kind, sequence, sku, quantity, amount, currency, at
		 FROM ledger WHERE position > $1 ORDER BY position LIMIT $2`, after, limit)
	if err != nil {
		return Page{}, err
	}
	defer rows.Close()
	for rows.Next() {
		var e Entry
		var at int64
		err := rows.Scan(&e.Position, &e.Flow, &e.Topic, &e.EventID, &e.OrderID, &e.Kind, &e.Sequence, &e.SKU, &e.Quantity, &e.Amount, &e.Currency, &at)
		if err != nil {
			return Page{}, err
		}
		e.At = time.Unix(0, at).UTC()
		page.Entries = append(page.Entries, e)
		page.Next = e.Position
	}
	page.Last = max(page.Last, page.Next) // rows may have come between the two reads
	return page, rows.Err()
}
