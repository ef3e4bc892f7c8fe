package outbox

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"sync"
	"time"
	"weak"

	"github.com/slipway-go/slipway/diag"
)

// A Dialect is the kind of database that holds the tables.
type Dialect string

// The databases that are supported: Postgres from 13 on, SQLite from 3.38 on.
const (
	Postgres Dialect = "postgres"
	SQLite   Dialect = "sqlite"
)

// now is the SQL expression of the present in microseconds since 1970. Leases
// of several machines are judged by one clock, that of the Postgres server; a
// SQLite file belongs to one machine, whose clock everybody has.
func (d Dialect) now() string {
	if d == Postgres {
		return "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
	}
	return strconv.FormatInt(time.Now().UnixMicro(), 10)
}

// dialects remembers what databases of this process answered, for as long as
// they are in use.
var dialects struct {
	sync.Mutex
	of map[weak.Pointer[sql.DB]]Dialect
}

// DialectOf asks a database what it is, once. A database that is neither
// Postgres nor SQLite is an error with the code [diag.OutboxDatabase].
func DialectOf(ctx context.Context, db *sql.DB) (Dialect, error) {
	key := weak.Make(db)
	dialects.Lock()
	d, known := dialects.of[key]
	dialects.Unlock()
	if known {
		return d, nil
	}
	d, err := probe(ctx, db)
	if err != nil {
		return "", err
	}
	dialects.Lock()
	defer dialects.Unlock()
	if dialects.of == nil {
		dialects.of = make(map[weak.Pointer[sql.DB]]Dialect)
	}
	for old := range dialects.of {
		if old.Value() == nil {
			delete(dialects.of, old)
		}
	}
	dialects.of[key] = d
	return d, nil
}

// A speaker is a [Tx] that knows its dialect.
type speaker interface{ Dialect() Dialect }

// dialectOf is the dialect of a transaction. database/sql does not say whose a
// transaction is; where all databases that the process uses are of one kind,
// that is it, and elsewhere the transaction is asked, which costs a round trip.
// The statements of one dialect are syntax errors in the other, so a wrong
// guess is an error and never a row in the wrong order.
func dialectOf(ctx context.Context, tx Tx) (Dialect, error) {
	if s, ok := tx.(speaker); ok {
		return s.Dialect(), nil
	}
	var only Dialect
	dialects.Lock()
	for _, d := range dialects.of {
		if only != "" && d != only {
			only = ""
			break
		}
		only = d
	}
	dialects.Unlock()
	if only != "" {
		return only, nil
	}
	return probe(ctx, tx)
}

// asker is what *sql.DB and [Tx] have in common.
type asker interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// probe asks in an order that does not break a transaction: a failed statement
// ends one of Postgres, but not one of SQLite.
func probe(ctx context.Context, db asker) (Dialect, error) {
	version, first := text(ctx, db, `SELECT current_setting('server_version_num')`)
	if first == nil {
		return postgresOf(version)
	}
	if _, err := text(ctx, db, `SELECT sqlite_version()`); err == nil {
		return SQLite, nil
	}
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	return "", fmt.Errorf("ask database what it is: %w", first)
}

// postgresOf judges a server by its number. Older ones cannot tell which
// transactions are running.
func postgresOf(version string) (Dialect, error) {
	if n, err := strconv.Atoi(version); err != nil || n < 130000 {
		return "", diag.New(diag.OutboxDatabase, "the outbox's tables cannot be in Postgres %s, want 13 or newer", version)
	}
	return Postgres, nil
}

// text reads one value.
func text(ctx context.Context, db asker, query string, args ...any) (string, error) {
	var s string
	return s, one(ctx, db, []any{&s}, query, args...)
}

// one reads the first row of a query into dest; none is [sql.ErrNoRows].
func one(ctx context.Context, db asker, dest []any, query string, args ...any) error {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return err
		}
		return sql.ErrNoRows
	}
	if err := rows.Scan(dest...); err != nil {
		return err
	}
	return rows.Close()
}
