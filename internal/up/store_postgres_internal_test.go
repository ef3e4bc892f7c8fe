//go:build postgres

package up

import (
	"net/url"
	"testing"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/database"
	"github.com/slipway-go/slipway/internal/postgres/pgtest"
)

func TestOnAServerEveryServiceHasADatabaseThatOthersMayNotEnter(t *testing.T) {
	admin := pgtest.Server(t, nil).URL("postgres")
	s, err := reachPostgres(t.Context(), admin, func() error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	orders, err := s.database(t.Context(), "orders")
	if err != nil {
		t.Fatal(err)
	}
	gifts, err := s.database(t.Context(), "gift-cards")
	if err != nil {
		t.Fatal(err)
	}
	db, err := database.Open(t.Context(), orders)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), `CREATE TABLE orders (id TEXT PRIMARY KEY)`); err != nil {
		t.Errorf("a service cannot make a table in its own database: %v", err)
	}

	stranger, err := url.Parse(orders)
	if err != nil {
		t.Fatal(err)
	}
	other, err := url.Parse(gifts)
	if err != nil {
		t.Fatal(err)
	}
	stranger.Path = other.Path
	if _, err := database.Open(t.Context(), stranger.String()); err == nil {
		t.Error("orders may enter the database of gift-cards")
	}

	// While a service still has it open, as one that was killed a moment ago.
	if err := s.close(); err != nil {
		t.Errorf("close() = %v", err)
	}
	db.Close()
	look, err := database.Open(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	defer look.Close()
	var left int
	if err := look.QueryRowContext(t.Context(), `SELECT (SELECT COUNT(*) FROM pg_database WHERE datname LIKE $1) + (SELECT COUNT(*) FROM pg_roles WHERE rolname LIKE $1)`, s.run+"%").Scan(&left); err != nil || left != 0 {
		t.Errorf("%d databases and roles are left (error %v), want none", left, err)
	}
}

func TestAServerThatDoesNotAnswerIsNoStore(t *testing.T) {
	stopped := false
	_, err := reachPostgres(t.Context(), "postgres://shop:hunter2@127.0.0.1:1/shop?connect_timeout=1", func() error { stopped = true; return nil })
	if all := diag.Of(err); len(all) != 1 || all[0].Code != diag.UpStore || !stopped {
		t.Errorf("reachPostgres() = %v with the server stopped %t, want %s", err, stopped, diag.UpStore)
	}
}
