//go:build postgres

package outbox_test

import (
	"database/sql"
	"strconv"
	"testing"
	"time"

	"github.com/slipway-go/slipway/internal/postgres/pgtest"
)

func TestRelayOnPostgres(t *testing.T) {
	t.Parallel()
	for name, test := range relaySuite {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.New(t)
			hasty(t, openPostgres(t, url))
			db := openPostgres(t, url)
			migrated(t, db)
			test(t, db)
		})
	}
}

// hasty has a database not wait for its disk: what these tests kill is not the
// server.
func hasty(t testing.TB, db *sql.DB) {
	t.Helper()
	_, err := db.ExecContext(t.Context(), `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$`)
	if err != nil {
		t.Fatal(err)
	}
}

// A server that is killed and recovers has lost nothing that was committed, and
// the relay's connections come back by themselves.
func TestAKilledServerLosesNothing(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t, nil)
	if err := server.Create(t.Context(), "service"); err != nil {
		t.Fatal(err)
	}
	db := openPostgres(t, server.URL("service"))
	migrated(t, db)
	topic := newSink()
	r, _ := start(t, db, topic, quick)
	for n := 1; n <= 60; n++ {
		put(t, db, strconv.Itoa(n%5), strconv.Itoa((n-1)/5+1))
		if n == 30 {
			if err := server.Kill(); err != nil {
				t.Fatal(err)
			}
			if err := server.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the database to answer", func() bool { return db.PingContext(t.Context()) == nil })
		}
	}
	topic.await(t, 60)
	empty(t, db)
	t.Logf("%d records came twice", topic.inOrder(t))
	eventually(t, "health", func() bool { return r.Problem(time.Now()) == "" })
}

// What a transaction that stays open keeps in the table does not slow reading
// down, and rows that come after it are seen.
func TestDeadRowsAreNotPassedOver(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	hasty(t, openPostgres(t, url))
	db := openPostgres(t, url)
	migrated(t, db)
	old, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer old.Rollback()
	if _, err := old.ExecContext(t.Context(), `SELECT count(*) FROM slipway_outbox`); err != nil {
		t.Fatal(err)
	}
	topic := newSink()
	r, _ := start(t, db, topic, quick)
	for n := 1; n <= 200; n++ {
		put(t, db, strconv.Itoa(n%5), strconv.Itoa((n-1)/5+1))
	}
	topic.await(t, 200)
	eventually(t, "the horizon to pass the rows", func() bool { return r.Floor() >= 200 })
	put(t, db, "0", "41")
	topic.await(t, 201)
	empty(t, db)
	topic.inOrder(t)
}
