//go:build postgres

package postgres_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/database"
	"github.com/slipway-go/slipway/internal/postgres"
	"github.com/slipway-go/slipway/internal/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// What was committed is there after the whole server got SIGKILL, under the
// same URL; what was not is not.
func TestAKilledServerComesBackWithWhatWasCommitted(t *testing.T) {
	t.Parallel()
	s := pgtest.Server(t, nil)
	if err := s.Create(t.Context(), "shop"); err != nil {
		t.Fatal(err)
	}
	db, err := database.Open(t.Context(), s.URL("shop"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE t (n int)"); err != nil {
		t.Fatal(err)
	}
	for n := range 100 {
		if _, err := db.ExecContext(t.Context(), "INSERT INTO t VALUES ($1)", n); err != nil {
			t.Fatal(err)
		}
	}
	open, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := open.ExecContext(t.Context(), "INSERT INTO t VALUES (100)"); err != nil {
		t.Fatal(err)
	}
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := open.Commit(); err == nil {
		t.Error("a killed server committed")
	}
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	again, err := database.Open(t.Context(), s.URL("shop"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { again.Close() })
	var rows int
	if err := again.QueryRowContext(t.Context(), "SELECT count(*) FROM t").Scan(&rows); err != nil || rows != 100 {
		t.Errorf("%d rows after the kill, %v; want the 100 committed ones", rows, err)
	}
}

func TestDatabasesAreApart(t *testing.T) {
	t.Parallel()
	for range 2 {
		db, err := database.Open(t.Context(), pgtest.New(t))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.ExecContext(t.Context(), "CREATE TABLE only_here (n int)"); err != nil {
			t.Error(err)
		}
		db.Close()
	}
}

func TestADatabaseThatExistsIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	s := pgtest.Server(t, nil)
	for range 2 {
		if err := s.Create(t.Context(), "shop"); err != nil {
			t.Error(err)
		}
	}
}

func TestAServerThatCannotStartSaysWhy(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "slipway-postgres-") //nolint:usetesting // t.TempDir is closed to the user that a server of root runs as
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	_, err = postgres.Start(t.Context(), postgres.Config{Dir: dir, Settings: map[string]string{"no_such_setting": "1"}})
	if errors.Is(err, diag.PostgresMissing) {
		t.Skip(err)
	}
	if !errors.Is(err, diag.PostgresNotStarted) || len(diag.Of(err)[0].Evidence) == 0 {
		t.Errorf("Start with an unknown setting: %v, want %s with evidence", err, diag.PostgresNotStarted)
	}
	if os.Geteuid() != 0 {
		return
	}
	_, err = postgres.Start(t.Context(), postgres.Config{Dir: filepath.Join(dir, "closed", "pg")})
	if err == nil {
		t.Error("started below a directory that its user may not enter")
	}
	if !errors.Is(err, diag.PostgresDirectory) {
		t.Errorf("Start below a closed directory: %v, want %s", err, diag.PostgresDirectory)
	}
}
