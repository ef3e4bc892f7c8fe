package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// connections is how many a service opens at most. A server that gives each of
// the shop's services so many has to allow a hundred.
const connections = 10

// schemaLock keeps instances that start together from making the same table at
// the same moment. Advisory locks belong to a database, which is the service's.
const schemaLock = 1

// openPostgres opens a database, whose tables are the service's alone.
func openPostgres(ctx context.Context, url string, schema []string) (*pool, error) {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	p := &pool{write: db, read: db}
	err = p.Update(ctx, func(ctx context.Context, tx Tx) error {
		if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, schemaLock); err != nil {
			return err
		}
		for _, statements := range schema {
			if strings.HasPrefix(statements, OnSQLite) {
				continue
			}
			text := strings.ReplaceAll(statements, Serial, "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY")
			if _, err := tx.ExecContext(ctx, text); err != nil {
				return fmt.Errorf("apply schema: %w", err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return p, nil
}
