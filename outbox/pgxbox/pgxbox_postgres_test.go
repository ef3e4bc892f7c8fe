//go:build postgres

package pgxbox_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/internal/postgres/pgtest"
	"github.com/slipway-go/slipway/outbox"
	"github.com/slipway-go/slipway/outbox/pgxbox"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func connect(t *testing.T) (url string, pool *pgxpool.Pool) {
	t.Helper()
	url = pgtest.New(t)
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	db := stdlib.OpenDBFromPool(pool)
	t.Cleanup(func() { db.Close() })
	if err := outbox.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	return url, pool
}

var errUndone = errors.New("undone")

func TestARowIsPartOfATransactionOfPgx(t *testing.T) {
	t.Parallel()
	_, pool := connect(t)
	for name, tt := range map[string]struct {
		err  error
		want int
	}{"committed": {nil, 1}, "rolled back": {errUndone, 0}} {
		err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
			rec := &kgo.Record{Topic: "orders", Key: []byte(name), Value: []byte("v"), Headers: []kgo.RecordHeader{{Key: "ce_id", Value: []byte(name)}}}
			return errors.Join(pgxbox.SendRecord(t.Context(), tx, rec), tt.err)
		})
		if !errors.Is(err, tt.err) {
			t.Fatal(err)
		}
		var n int
		if err := pool.QueryRow(t.Context(), `SELECT count(*) FROM slipway_outbox WHERE id = $1 AND payload = 'v'::bytea`, name).Scan(&n); err != nil || n != tt.want {
			t.Errorf("%s: %d rows (error %v), want %d", name, n, err, tt.want)
		}
	}
}

// A relay that sleeps is told of a commit, and one that does not is left alone.
func TestOnlyASleepingRelayIsNotified(t *testing.T) {
	t.Parallel()
	url, pool := connect(t)
	ctx, cancel := context.WithCancel(t.Context())
	woken := make(chan struct{}, 10)
	over := make(chan error, 1)
	go func() { over <- pgxbox.Listen(url)(ctx, func() { woken <- struct{}{} }) }()
	<-woken // it listens
	send := func() {
		t.Helper()
		if err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
			return pgxbox.SendRecord(t.Context(), tx, &kgo.Record{Topic: "orders", Key: []byte("k")})
		}); err != nil {
			t.Fatal(err)
		}
	}
	send() // nobody sleeps
	if _, err := pool.Exec(t.Context(), `UPDATE slipway_outbox_lease SET idle = 1`); err != nil {
		t.Fatal(err)
	}
	send()
	select {
	case <-woken:
	case <-time.After(20 * time.Second):
		t.Fatal("a commit did not wake the relay")
	}
	if _, err := pool.Exec(t.Context(), "NOTIFY "+outbox.Channel); err != nil { // in order after the others
		t.Fatal(err)
	}
	<-woken
	if n := len(woken); n != 0 {
		t.Errorf("%d notifications too many", n)
	}
	cancel()
	if err := <-over; !errors.Is(err, context.Canceled) {
		t.Errorf("Listen = %v, want %v", err, context.Canceled)
	}
}
