package outbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway"
)

// A Tx is a transaction of the service's database. [*sql.Tx] is one, and so is a
// [*sql.Conn] on which the service began a transaction itself.
type Tx interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Send puts a value into the outbox, as a row of the caller's transaction: it is
// published after the commit, and never without one. The value is encoded here,
// so what a topic would not take is an error before anything is committed.
//
// Rows of one topic and key are published in the order in which their
// transactions commit. For that Send waits on Postgres while another open
// transaction has sent to the same key, so send late in a transaction. Two
// transactions that send to the same keys in different order can wait for each
// other: Postgres then ends one of them with deadlock_detected (40P01), and
// [Do] runs it again. A transaction that sends to thousands of keys needs a
// max_locks_per_transaction to match.
func Send[T any](ctx context.Context, tx Tx, p *slipway.Producer[T], value *T, opts ...slipway.SendOption) error {
	rec, err := p.Record(ctx, value, opts...)
	if err != nil {
		return fmt.Errorf("put into outbox: %w", err)
	}
	return SendRecord(ctx, tx, rec)
}

// Delete puts a tombstone into the outbox: the record that deletes a key from a
// compacted topic. It is ordered as by [Send].
func Delete[T any](ctx context.Context, tx Tx, p *slipway.Producer[T], key string, opts ...slipway.SendOption) error {
	rec, err := p.Tombstone(ctx, key, opts...)
	if err != nil {
		return fmt.Errorf("put into outbox: %w", err)
	}
	return SendRecord(ctx, tx, rec)
}

// SendRecord puts a complete record into the outbox, such as one that
// [slipway.Producer.Record] made. The record's partition is not kept: it is
// chosen by the key when the record is published.
func SendRecord(ctx context.Context, tx Tx, rec *kgo.Record) error {
	if rec.Topic == "" {
		return errors.New("put into outbox: record has no topic")
	}
	d, err := dialectOf(ctx, tx)
	if err != nil {
		return fmt.Errorf("put into outbox: %w", err)
	}
	if isLogged(rec.Topic) {
		return logRecord(ctx, tx, d, rec)
	}
	row := newRow(rec, time.Now())
	if _, err := tx.ExecContext(ctx, insert[d], row.args()...); err != nil {
		return fmt.Errorf("put into outbox for %s: %w", rec.Topic, err)
	}
	return nil
}

// insert adds one row.
//
// On Postgres the key's turn is taken before the row's number is drawn: rows of
// a key are then numbered in the order of commits, because a turn lasts until
// the commit can be seen. A row without a key has no turn to wait for (its first
// argument is null). The transaction also gets its id before the number is
// drawn, so that whoever sees that all transactions up to an id have ended knows
// that no row with a lower number is still to appear.
//
// A relay is notified only where it has gone to sleep. NOTIFY makes commits
// queue up behind each other on one lock of the whole server, so it must not be
// part of every commit of a busy service; a busy relay looks often by itself.
//
// On SQLite writers take turns anyway. Its placeholders are a syntax error on
// Postgres, which never lets this statement put in a row without its turn.
var insert = map[Dialect]string{
	Postgres: `WITH turn AS MATERIALIZED (
	SELECT pg_advisory_xact_lock($1::bigint), pg_current_xact_id()
), added AS (
	INSERT INTO slipway_outbox (shard, turn, id, aggregatetype, aggregateid, type, payload, headers, created, due)
	SELECT $2::smallint, $3::bigint, $4::text, $5::text, $6::bytea, $7::text, $8::bytea, $9::bytea, $10::bigint, $11::bigint FROM turn
	RETURNING shard
)
SELECT pg_notify('` + Channel + `', '') FROM added JOIN slipway_outbox_lease l ON l.shard = added.shard WHERE l.idle = 1`,

	SQLite: `INSERT INTO slipway_outbox (shard, turn, id, aggregatetype, aggregateid, type, payload, headers, created, due)
	SELECT ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11 WHERE ?1 IS NULL OR ?1 IS NOT NULL`,
}

// Channel is the one that a sleeping relay listens on in Postgres.
const Channel = "slipway_outbox"
