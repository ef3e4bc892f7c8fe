package store_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"example.com/shop/internal/store"
)

const schema = `CREATE TABLE IF NOT EXISTS notes (position ` + store.Serial + `, text TEXT NOT NULL CHECK (text <> ''));`

func open(t *testing.T, url string) store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), url, schema)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func newURL(t *testing.T) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "with space & more.db")
}

func write(ctx context.Context, tx store.Tx, text string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO notes (text) VALUES ($1)`, text)
	return err
}

func count(t *testing.T, q store.Querier) int {
	t.Helper()
	var n int
	if err := q.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM notes`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestWhatIsCommittedIsThereAfterReopening(t *testing.T) {
	t.Parallel()
	url := newURL(t)
	err := open(t, url).Update(t.Context(), func(ctx context.Context, tx store.Tx) error { return write(ctx, tx, "kept") })
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, open(t, url).Reader()); n != 1 {
		t.Errorf("%d rows after reopening, want 1", n)
	}
}

func TestWhatFailsLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	cause := errors.New("changed my mind")
	for name, fail := range map[string]func(context.Context, store.Tx) error{
		"an error":     func(context.Context, store.Tx) error { return cause },
		"a constraint": func(ctx context.Context, tx store.Tx) error { return write(ctx, tx, "") },
		"a wrong query": func(ctx context.Context, tx store.Tx) error {
			return tx.QueryRowContext(ctx, `SELECT nonsense`).Scan(new(int))
		},
		"a panic": func(context.Context, store.Tx) error { panic(cause) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := open(t, newURL(t))
			err := update(t, db, func(ctx context.Context, tx store.Tx) error {
				if err := write(ctx, tx, "half"); err != nil {
					return err
				}
				return fail(ctx, tx)
			})
			if err == nil {
				t.Error("Update() = nil")
			}
			if n := count(t, db.Reader()); n != 0 {
				t.Errorf("%d rows are left, want 0", n)
			}
			if err := update(t, db, func(ctx context.Context, tx store.Tx) error { return write(ctx, tx, "next") }); err != nil {
				t.Errorf("the next Update() = %v", err)
			}
		})
	}
}

// update turns a panic of fn into an error.
func update(t *testing.T, db store.DB, fn func(context.Context, store.Tx) error) (err error) {
	t.Helper()
	defer func() {
		if v := recover(); v != nil {
			err = v.(error)
		}
	}()
	return db.Update(t.Context(), fn)
}

func TestWritersTakeTurns(t *testing.T) {
	t.Parallel()
	db := open(t, newURL(t))
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			err := db.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
				var n int
				if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM notes`).Scan(&n); err != nil {
					return err
				}
				return write(ctx, tx, strings.Repeat("x", n+1))
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	var distinct int
	if err := db.Reader().QueryRowContext(t.Context(), `SELECT COUNT(DISTINCT text) FROM notes`).Scan(&distinct); err != nil || distinct != 50 {
		t.Errorf("%d writers saw what the one before them wrote, want 50 (error %v)", distinct, err)
	}
}

func TestReadersSeeOnlyWhatIsCommitted(t *testing.T) {
	t.Parallel()
	db := open(t, newURL(t))
	err := db.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
		if err := write(ctx, tx, "open"); err != nil {
			return err
		}
		if n := count(t, db.Reader()); n != 0 {
			t.Errorf("a reader sees %d rows of an open transaction", n)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, db.Reader()); n != 1 {
		t.Errorf("a reader sees %d rows after the commit, want 1", n)
	}
}

func TestWaitingForATurnEndsWithItsContext(t *testing.T) {
	t.Parallel()
	db := open(t, newURL(t))
	err := db.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
		gone := errors.New("caller has gone")
		waiting, cancel := context.WithCancelCause(t.Context())
		cancel(gone)
		if err := db.Update(waiting, func(context.Context, store.Tx) error { return nil }); !errors.Is(err, gone) {
			t.Errorf("Update() = %v, want %v", err, gone)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAURLThatNamesNoDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ url, want string }{
		"nothing":             {"", "DATABASE_URL is not set"},
		"no scheme":           {"/tmp/x.db", "use sqlite:/path"},
		"another database":    {"mysql://localhost/shop", `scheme "mysql"`},
		"no such server":      {"postgres://shop:hunter2@127.0.0.1:1/shop?connect_timeout=1", "open postgres database"},
		"no file":             {"sqlite:", "names no file"},
		"a level of its own":  {"sqlite:/tmp/x.db?synchronous=OFF", "want NORMAL or FULL"},
		"a missing directory": {"sqlite:/nonexistent/x.db", "/nonexistent/x.db"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := store.Open(t.Context(), tt.url, schema)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Open(%q) = %v, want an error with %q", tt.url, err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error tells the password: %v", err)
			}
		})
	}
}
