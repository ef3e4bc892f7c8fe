package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// Serial stands in a schema for the type of a primary key that counts up with
// every row and never gives a number twice.
const Serial = "SERIAL_KEY"

// A DB is the database of one service. It is safe for concurrent use.
type DB interface {
	// Update runs fn in a transaction that may write. The transaction is
	// committed if fn returns nil and rolled back if not; whatever ends
	// between the two ends as if it had never begun. ctx bounds the wait for
	// the transaction's turn, not the transaction, which is short.
	Update(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error

	// Reader reads what has been committed.
	Reader() Querier

	Close() error
}

// A Querier reads. *sql.DB and *sql.Tx are Queriers.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// A Tx is a transaction under way. *sql.Tx is one. Read or close the rows of a
// query before running the same query again.
type Tx interface {
	Querier
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// Open opens the database that a DATABASE_URL names and applies the schema,
// statements that can be repeated (CREATE TABLE IF NOT EXISTS). The only
// scheme so far is sqlite:, as in sqlite:/var/lib/orders/orders.db; the file is
// made if it is missing.
func Open(ctx context.Context, url string, schema ...string) (DB, error) {
	scheme, rest, ok := strings.Cut(url, ":")
	switch {
	case url == "":
		return nil, fmt.Errorf("open database: DATABASE_URL is not set: set it to sqlite:/path/to/file.db, or start the service with slipway up")
	case !ok || scheme != "sqlite":
		return nil, fmt.Errorf("open database: DATABASE_URL has the scheme %q: use sqlite:/path/to/file.db", scheme)
	}
	db, err := openSQLite(ctx, rest, schema)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", url, err)
	}
	return db, nil
}

// Changed returns how many rows a statement changed. It takes the results of
// ExecContext as they are: Changed(tx.ExecContext(…)).
func Changed(result sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}
