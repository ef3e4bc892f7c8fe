// Package sqlite opens the database file that an example is given.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"strings"

	_ "modernc.org/sqlite" // the driver "sqlite", in Go alone

	"github.com/slipway-go/slipway"
)

// Open opens the file of DATABASE_URL, which slipway up sets, makes the tables
// that migrations make, and has the app close it at its end.
func Open(app *slipway.App, tables string, migrations ...func(context.Context, *sql.DB) error) (*sql.DB, error) {
	file, ok := strings.CutPrefix(app.Environment().DatabaseURL, "sqlite:")
	if !ok {
		return nil, errors.New("open database: DATABASE_URL is no sqlite:FILE; start the service with slipway up")
	}
	// A transaction takes the turn to write when it begins, so that none fails
	// for having read before. With one connection they wait here, in Go; for
	// another process, such as the one that goes as this one comes, in SQLite.
	name := url.URL{Scheme: "file", Opaque: (&url.URL{Path: file}).EscapedPath(), RawQuery: "_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_txlock=immediate"}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	app.OnStop("close database", db.Close)
	if err := migrate(context.Background(), db, tables, migrations); err != nil {
		return nil, errors.Join(err, db.Close()) // the app does not run, nor does its OnStop
	}
	return db, nil
}

func migrate(ctx context.Context, db *sql.DB, tables string, migrations []func(context.Context, *sql.DB) error) error {
	for _, migrate := range migrations {
		if err := migrate(ctx, db); err != nil {
			return err
		}
	}
	_, err := db.ExecContext(ctx, tables)
	return err
}
