package outbox_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/slipway-go/slipway/internal/database"
	"github.com/slipway-go/slipway/outbox"
)

// commitFault does something around every commit of a database.
type commitFault struct {
	real   driver.Driver
	name   string
	commit func(tx driver.Tx) error
}

func (f *commitFault) Connect(context.Context) (driver.Conn, error) {
	c, err := f.real.Open(f.name)
	if err != nil {
		return nil, err
	}
	return &faultyConn{c, f}, nil
}

func (f *commitFault) Driver() driver.Driver { return f.real }

type faultyConn struct {
	driver.Conn
	fault *commitFault
}

func (c *faultyConn) Begin() (driver.Tx, error) {
	tx, err := c.Conn.Begin() //nolint:staticcheck // the plain interface is all that is wrapped
	if err != nil {
		return nil, err
	}
	return &faultyTx{tx, c.fault}, nil
}

type faultyTx struct {
	driver.Tx
	fault *commitFault
}

func (t *faultyTx) Commit() error { return t.fault.commit(t.Tx) }

// withCommits opens a file again with a fault in its commits.
func withCommits(t testing.TB, file string, commit func(tx driver.Tx) error) *sql.DB {
	t.Helper()
	plain, err := database.Open(t.Context(), "sqlite:"+file+"?mode=rwc")
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	db := sql.OpenDB(&commitFault{plain.Driver(), "file:" + file + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_txlock=immediate", commit})
	t.Cleanup(func() { db.Close() })
	return db
}

// A commit whose answer is lost may have been made or not. In a handler the
// inbox tells, and the effect is there once; elsewhere the caller is told.
func TestACommitWithoutAnAnswerIsSettledByTheInbox(t *testing.T) {
	t.Parallel()
	for name, made := range map[string]bool{"made": true, "not made": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "service.db")
			withEffects(t, openFile(t, file))
			var armed atomic.Bool
			db := withCommits(t, file, func(tx driver.Tx) error {
				if !armed.CompareAndSwap(true, false) {
					return tx.Commit()
				}
				end := tx.Rollback // as the server does when the connection is gone
				if made {
					end = tx.Commit
				}
				if err := end(); err != nil {
					return err
				}
				return io.ErrUnexpectedEOF
			})
			armed.Store(true)
			if err := outbox.Do(from(t.Context(), "a"), db, effect("a")); err != nil {
				t.Errorf("Do in a handler = %v, want nil", err)
			}
			requireEffects(t, db, "a", 1)
			armed.Store(true)
			if err := outbox.Do(t.Context(), db, effect("b")); !errors.Is(err, outbox.ErrUnknownOutcome) {
				t.Errorf("Do outside of handlers = %v, want %v", err, outbox.ErrUnknownOutcome)
			}
			want := 0
			if made {
				want = 1
			}
			requireEffects(t, db, "b", want)
		})
	}
}

func openFile(t testing.TB, file string) *sql.DB {
	t.Helper()
	db, err := database.Open(t.Context(), "sqlite:"+file+"?mode=rwc")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// What the database refuses for a while is tried again; what the handler says
// of the network is its own.
func TestOnlyTheDatabasesOwnTroubleIsTriedAgain(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err  error
		runs int
	}{
		"deadlock":      {stateError("40P01"), 3},
		"serialization": {stateError("40001"), 3},
		"too many":      {stateError("53300"), 3},
		"unique":        {stateError("23505"), 1},
		"a lost call":   {io.ErrUnexpectedEOF, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := withEffects(t, openSQLite(t))
			runs := 0
			err := outbox.Do(from(t.Context(), "a"), db, func(ctx context.Context, tx *sql.Tx) error {
				if runs++; runs < 3 {
					return tt.err
				}
				return effect("a")(ctx, tx)
			})
			if runs != tt.runs || (err == nil) != (tt.runs == 3) {
				t.Errorf("Do = %v after %d runs, want %d", err, runs, tt.runs)
			}
		})
	}
}

// A stateError is what a driver of Postgres says.
type stateError string

func (s stateError) Error() string    { return "ERROR " + string(s) }
func (s stateError) SQLState() string { return string(s) }
