//go:build postgres

package outbox_test

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/slipway-go/slipway/internal/database"
	"github.com/slipway-go/slipway/internal/postgres/pgtest"
	"github.com/slipway-go/slipway/outbox"
)

func openPostgres(t testing.TB, url string) *sql.DB {
	t.Helper()
	db, err := database.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(16)
	t.Cleanup(func() { db.Close() })
	return db
}

func TestInboxOnPostgres(t *testing.T) {
	t.Parallel()
	for name, test := range inboxSuite {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, withEffects(t, openPostgres(t, pgtest.New(t))))
		})
	}
}

// Two messages whose handlers change the same two rows in opposite order: one
// of them is the deadlock's victim, and is run again.
func TestADeadlockIsTriedAgain(t *testing.T) {
	t.Parallel()
	db := withEffects(t, openPostgres(t, pgtest.New(t)))
	for _, id := range []string{"x", "y"} {
		if err := outbox.Do(t.Context(), db, effect(id)); err != nil {
			t.Fatal(err)
		}
	}
	var runs atomic.Int64
	var both, wg sync.WaitGroup
	both.Add(2)
	for name, order := range map[string][]string{"a": {"x", "y"}, "b": {"y", "x"}} {
		wg.Go(func() {
			var meet sync.Once
			err := outbox.Do(from(t.Context(), name), db, func(ctx context.Context, tx *sql.Tx) error {
				runs.Add(1)
				for i, id := range order {
					if _, err := tx.ExecContext(ctx, "UPDATE effects SET id = id WHERE id = $1", id); err != nil {
						return err
					}
					if i == 0 {
						meet.Do(func() { both.Done(); both.Wait() })
					}
				}
				return effect(name)(ctx, tx)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if runs.Load() != 3 {
		t.Errorf("%d runs, want 3: one of the two was the victim", runs.Load())
	}
	requireEffects(t, db, "a", 1)
	requireEffects(t, db, "b", 1)
}

// A statement that failed and whose error the handler keeps to itself has ended
// the transaction: the commit is none, and Do does not say that it was one.
func TestASwallowedErrorIsNoCommit(t *testing.T) {
	t.Parallel()
	db := withEffects(t, openPostgres(t, pgtest.New(t)))
	for _, ctx := range []context.Context{t.Context(), from(t.Context(), "a")} {
		err := outbox.Do(ctx, db, func(ctx context.Context, tx *sql.Tx) error {
			_, _ = tx.ExecContext(ctx, "SELECT no_such_column")
			return nil
		})
		if err == nil || errors.Is(err, outbox.ErrUnknownOutcome) {
			t.Errorf("Do = %v, want an error that says that nothing was committed", err)
		}
	}
}

// The whole server gets SIGKILL while handlers run: Do goes on when it is back,
// and every message has had its effect once.
func TestAKilledPostgresCostsNothing(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t, nil)
	if err := server.Create(t.Context(), "shop"); err != nil {
		t.Fatal(err)
	}
	db := withEffects(t, openPostgres(t, server.URL("shop")))
	const messages = 400
	var next atomic.Int64
	var wg sync.WaitGroup
	half := make(chan struct{})
	for range 8 {
		wg.Go(func() {
			for i := next.Add(1); i <= messages; i = next.Add(1) {
				if i == messages/2 {
					close(half)
				}
				id := string(rune('A'+i%26)) + string(rune('A'+i/26%26)) + string(rune('A'+i/676))
				for outbox.Do(from(t.Context(), id), db, effect(id)) != nil { // the contract's retry
				}
			}
		})
	}
	<-half
	if err := errors.Join(server.Kill(), server.Restart(t.Context())); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	all, distinct := number(t, db, "SELECT count(*) FROM effects"), number(t, db, "SELECT count(DISTINCT id) FROM effects")
	if all != messages || distinct != messages {
		t.Errorf("%d effects of %d messages, want %d of each", all, distinct, messages)
	}
}

func BenchmarkDoOnPostgres(b *testing.B) {
	benchmarkDo(b, withEffects(b, openPostgres(b, pgtest.New(b))))
}
