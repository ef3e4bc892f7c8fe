package pgxbox

import (
	"context"
	"database/sql"
	"database/sql/driver"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/outbox"
)

// Send puts a value into the outbox, as a row of a transaction of pgx. See
// [outbox.Send] for what holds.
func Send[T any](ctx context.Context, tx pgx.Tx, p *slipway.Producer[T], value *T, opts ...slipway.SendOption) error {
	return outbox.Send(ctx, adapter{tx}, p, value, opts...)
}

// Delete puts a tombstone into the outbox. See [outbox.Delete].
func Delete[T any](ctx context.Context, tx pgx.Tx, p *slipway.Producer[T], key string, opts ...slipway.SendOption) error {
	return outbox.Delete(ctx, adapter{tx}, p, key, opts...)
}

// SendRecord puts a complete record into the outbox. See [outbox.SendRecord].
func SendRecord(ctx context.Context, tx pgx.Tx, rec *kgo.Record) error {
	return outbox.SendRecord(ctx, adapter{tx}, rec)
}

// An adapter is a transaction of pgx for package outbox, which only executes in
// it: the dialect is known, so there is nothing to ask.
type adapter struct{ tx pgx.Tx }

var _ outbox.Tx = adapter{}

func (adapter) Dialect() outbox.Dialect { return outbox.Postgres }

func (a adapter) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	tag, err := a.tx.Exec(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return driver.RowsAffected(tag.RowsAffected()), nil
}

func (a adapter) QueryContext(context.Context, string, ...any) (*sql.Rows, error) {
	panic("pgxbox: rows of database/sql cannot be made of pgx's")
}
