// Outbox takes payments and books each once, however often it is asked to:
// the database and the topics never disagree.
package main

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/outbox"
	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/avro"
	"github.com/slipway-go/slipway/serve"
	"github.com/slipway-go/slipway/telemetry"
	"github.com/slipway-go/slipway/telemetry/prometheus"

	"example.com/features/internal/sqlite"
)

//go:embed slipway.yaml schemas
var files embed.FS

func main() {
	serve.Service{
		Files: files, Wire: wire, Codecs: []schema.Codec{avro.Codec()},
		Exporters: []telemetry.Exporter{prometheus.Exporter()},
	}.Main()
}

type paid struct {
	Account string `avro:"account"`
	Minor   int64  `avro:"minor"`
}

type booked struct {
	Account      string `avro:"account"`
	BalanceMinor int64  `avro:"balance_minor"`
}

const tables = `
CREATE TABLE IF NOT EXISTS payments (account TEXT NOT NULL, minor INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS balances (account TEXT PRIMARY KEY, minor INTEGER NOT NULL);`

type till struct {
	db     *sql.DB
	paid   *slipway.Producer[paid]
	booked *slipway.Producer[booked]
}

func wire(app *slipway.App) error {
	db, err := sqlite.Open(app, tables, outbox.Migrate)
	if err != nil {
		return err
	}
	if _, err := outbox.Open(app, outbox.Config{DB: db}); err != nil {
		return err
	}
	t := &till{
		db:     db,
		paid:   slipway.NewProducer[paid](app, "till.paid.v1"),
		booked: slipway.NewProducer[booked](app, "till.booked.v1"),
	}
	slipway.Handle(app, "till.paid.v1", t.book)
	app.Mux().HandleFunc("POST /payments/{account}/{minor}", t.pay)
	app.Mux().HandleFunc("GET /balances/{account}", t.balance)
	return nil
}

// pay takes a payment. A request that is repeated with its Idempotency-Key goes
// through the inbox as a message does, and is answered in the same way.
func (t *till) pay(w http.ResponseWriter, r *http.Request) {
	p := paid{Account: r.PathValue("account")}
	var err error
	if p.Minor, err = strconv.ParseInt(r.PathValue("minor"), 10, 64); err != nil {
		http.Error(w, "the amount is no number of minor units", http.StatusBadRequest)
		return
	}
	ctx := r.Context()
	if key := r.Header.Get("Idempotency-Key"); key != "" {
		ctx = slipway.WithDelivery(ctx, slipway.Delivery{Entry: "POST /payments", Group: "http", ID: key, Keep: 24 * time.Hour})
	}
	err = outbox.Do(ctx, t.db, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO payments (account, minor) VALUES ($1, $2)`, p.Account, p.Minor); err != nil {
			return err
		}
		return outbox.Send(ctx, tx, t.paid, &p)
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// book handles a payment: its id in the inbox, the balance and the event in the
// outbox are one commit. For a payment that comes again nothing runs.
func (t *till) book(ctx context.Context, m *slipway.Message[paid]) error {
	return outbox.Do(ctx, t.db, func(ctx context.Context, tx *sql.Tx) error {
		b := booked{Account: m.Value.Account}
		err := tx.QueryRowContext(ctx, `
			INSERT INTO balances (account, minor) VALUES ($1, $2)
			ON CONFLICT (account) DO UPDATE SET minor = minor + excluded.minor
			RETURNING minor`, m.Value.Account, m.Value.Minor).Scan(&b.BalanceMinor)
		if err != nil {
			return err
		}
		return outbox.Send(ctx, tx, t.booked, &b)
	})
}

func (t *till) balance(w http.ResponseWriter, r *http.Request) {
	var minor int64
	err := t.db.QueryRowContext(r.Context(), `SELECT coalesce(sum(minor), 0) FROM balances WHERE account = $1`, r.PathValue("account")).Scan(&minor)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprintln(w, minor)
}
