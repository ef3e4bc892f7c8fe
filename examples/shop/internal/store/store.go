package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// Serial stands in a schema for the type of a primary key that counts up with
// every row and never gives a number twice.
const Serial = "SERIAL_KEY"

// A schema that begins with one of these is for that database alone.
const (
	OnSQLite   = "/* sqlite */"
	OnPostgres = "/* postgres */"
)

// A DB is the database of one service. It is safe for concurrent use.
type DB interface {
	// Update runs fn in a transaction that may write. The transaction is
	// committed if fn returns nil and rolled back if not; whatever ends
	// between the two ends as if it had never begun. A transaction that the
	// database gave up because of another one is run again. ctx bounds the
	// wait for the transaction's turn, not the transaction, which is short.
	Update(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error

	// Reader reads what has been committed.
	Reader() Querier

	// SQL is the pool that writes.
	SQL() *sql.DB

	Close() error
}

// A Querier reads. *sql.DB and *sql.Tx are Queriers.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// A Tx is a transaction under way. *sql.Tx is one.
type Tx interface {
	Querier
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// Open opens the database that a DATABASE_URL names and applies the schema,
// statements that can be repeated (CREATE TABLE IF NOT EXISTS). The URL is as
// in sqlite:/var/lib/orders/orders.db, whose file is made if it is missing, or
// as in postgres://orders@127.0.0.1:5432/orders.
func Open(ctx context.Context, url string, schema ...string) (DB, error) {
	scheme, rest, ok := strings.Cut(url, ":")
	var db *pool
	var err error
	switch {
	case url == "":
		return nil, errors.New("open database: DATABASE_URL is not set: set it to sqlite:/path/to/file.db, or start the service with slipway up")
	case ok && scheme == "sqlite":
		db, err = openSQLite(ctx, rest, schema)
	case ok && (scheme == "postgres" || scheme == "postgresql"):
		db, err = openPostgres(ctx, url, schema)
	default:
		return nil, fmt.Errorf("open database: DATABASE_URL has the scheme %q: use sqlite:/path/to/file.db or postgres://user@host:port/database", scheme)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s database: %w", scheme, err) // a URL may hold a password
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

// A pool is a database with connections that write and connections that read;
// they may be the same.
type pool struct{ write, read *sql.DB }

// attempts is how often a transaction is run that loses against others.
const attempts = 10

// Update implements [DB].
func (p *pool) Update(ctx context.Context, fn func(context.Context, Tx) error) error {
	for n := 1; ; n++ {
		err := p.once(ctx, fn)
		if n == attempts || !lost(err) {
			return err
		}
	}
}

func (p *pool) once(ctx context.Context, fn func(context.Context, Tx) error) error {
	conn, err := p.write.Conn(ctx)
	if err != nil {
		return errors.Join(context.Cause(ctx), err)
	}
	defer func() { _ = conn.Close() }()
	ctx = context.WithoutCancel(ctx) // never stop half-way through a commit
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	defer tx.Rollback() // if fn failed or panicked
	if err := fn(ctx, tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit transaction: %w", err)
	}
	return nil
}

// lost reports whether the database gave a transaction up in favour of another.
func lost(err error) bool {
	told, ok := errors.AsType[interface {
		error
		SQLState() string
	}](err)
	return ok && (told.SQLState() == "40001" || told.SQLState() == "40P01")
}

// Reader implements [DB].
func (p *pool) Reader() Querier { return p.read }

// SQL implements [DB].
func (p *pool) SQL() *sql.DB { return p.write }

// Close implements [DB].
func (p *pool) Close() error {
	if p.read == p.write {
		return p.write.Close()
	}
	return errors.Join(p.read.Close(), p.write.Close())
}
