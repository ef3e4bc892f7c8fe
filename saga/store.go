package saga

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/slipway-go/slipway/outbox"
)

// maxID is how long a saga's id may be.
const maxID = 512

// row is a saga as the database has it.
type row struct {
	name, id string
	version  int
	step     string // the one that the saga is at
	data     []byte // JSON
	position position
	due      time.Time // zero for none
	started  time.Time
}

// entry is one line of a saga's history.
type entry struct {
	at                        time.Time
	kind, step, detail, actor string
}

// store is the tables. Every statement is good for Postgres and SQLite alike;
// what locks a row is an update of it, which makes others wait in both.
type store struct{ skip string }

// open finds out which database it is, and that it has the tables.
func (s *store) open(ctx context.Context, db *sql.DB) error {
	d, err := outbox.DialectOf(ctx, db)
	if err != nil {
		return fmt.Errorf("open sagas: %w", err)
	}
	if d == outbox.Postgres {
		s.skip = " FOR UPDATE SKIP LOCKED"
	}
	var n int
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM slipway_saga_order WHERE nr < 0").Scan(&n); err != nil {
		return missing(err)
	}
	return nil
}

// insert makes a saga's row, unless there is one.
func (s *store) insert(ctx context.Context, tx outbox.Tx, r *row) (bool, error) {
	res, err := tx.ExecContext(ctx, `INSERT INTO slipway_saga (name, id, version, state, step, reason, data, position, revision, started, updated)
VALUES ($1, $2, $3, 'running', '', '', '{}', '{}', 0, $4, $4) ON CONFLICT (name, id) DO NOTHING`, r.name, r.id, r.version, r.started.UnixMicro())
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

const columns = "name, id, version, step, data, position, due, started"

// lock reads a saga and keeps others from it until the transaction ends.
func (s *store) lock(ctx context.Context, tx outbox.Tx, name, id string) (*row, error) {
	r, err := one(ctx, tx, "UPDATE slipway_saga SET revision = revision + 1 WHERE name = $1 AND id = $2 RETURNING "+columns, name, id)
	if r == nil && err == nil {
		err = ErrUnknown
	}
	return r, err
}

// take locks the saga whose timer has been due for longest, nil if there is
// none. Sagas of a version that is newer than any the program knows belong to
// another program, and are left to it for a while.
func (s *store) take(ctx context.Context, tx outbox.Tx, name string, newest int, now time.Time) (*row, error) {
	return one(ctx, tx, `UPDATE slipway_saga SET revision = revision + 1 WHERE name = $1 AND id = (
  SELECT id FROM slipway_saga WHERE name = $1 AND due <= $2 AND (version <= $3 OR due <= $4) ORDER BY due LIMIT 1`+s.skip+`
) RETURNING `+columns, name, now.UnixMicro(), newest, now.Add(-grace).UnixMicro())
}

// one is the row that a statement returns, nil for none.
func one(ctx context.Context, tx outbox.Tx, query string, args ...any) (_ *row, err error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if !rows.Next() {
		return nil, rows.Err()
	}
	r := new(row)
	var data, position string
	var due sql.NullInt64
	var started int64
	if err := rows.Scan(&r.name, &r.id, &r.version, &r.step, &data, &position, &due, &started); err != nil {
		return nil, err
	}
	r.data, r.started = []byte(data), time.UnixMicro(started)
	if due.Valid {
		r.due = time.UnixMicro(due.Int64)
	}
	if err := json.Unmarshal([]byte(position), &r.position); err != nil {
		return nil, fmt.Errorf("read position of saga %s/%s: %w", r.name, r.id, err)
	}
	return r, rows.Err()
}

// save writes where a locked saga is now.
func (s *store) save(ctx context.Context, tx outbox.Tx, r *row) error {
	position, err := json.Marshal(r.position)
	if err != nil {
		return err
	}
	due := sql.NullInt64{Int64: r.due.UnixMicro(), Valid: !r.due.IsZero()}
	_, err = tx.ExecContext(ctx, `UPDATE slipway_saga SET state = $3, step = $4, reason = $5, data = $6, position = $7, due = $8, updated = $9
WHERE name = $1 AND id = $2`, r.name, r.id, string(r.position.State), r.step, r.position.Reason, string(r.data), string(position), due, time.Now().UnixMicro())
	return err
}

// note adds lines to a saga's history.
func (s *store) note(ctx context.Context, tx outbox.Tx, r *row, lines ...entry) error {
	for _, e := range lines {
		_, err := tx.ExecContext(ctx, "INSERT INTO slipway_saga_history (name, id, at, kind, step, detail, actor) VALUES ($1, $2, $3, $4, $5, $6, $7)",
			r.name, r.id, e.at.UnixMicro(), e.kind, e.step, e.detail, e.actor)
		if err != nil {
			return fmt.Errorf("note %s of saga %s/%s: %w", e.kind, r.name, r.id, err)
		}
	}
	return nil
}

// order is what an operator asked for.
type order struct {
	nr                int64
	name, id          string
	verb, step, actor string
}

// postpone has a timer go off later, unless the saga has moved meanwhile.
func (s *store) postpone(ctx context.Context, tx outbox.Tx, r *row, to time.Time) error {
	_, err := tx.ExecContext(ctx, "UPDATE slipway_saga SET due = $3 WHERE name = $1 AND id = $2 AND due = $4", r.name, r.id, to.UnixMicro(), r.due.UnixMicro())
	if err != nil {
		return fmt.Errorf("postpone saga %s/%s: %w", r.name, r.id, err)
	}
	return nil
}

// ordered takes the oldest order for sagas of a name behind a number, nil if
// there is none.
func (s *store) ordered(ctx context.Context, tx outbox.Tx, name string, after int64) (_ *order, err error) {
	rows, err := tx.QueryContext(ctx, `DELETE FROM slipway_saga_order WHERE nr = (
  SELECT nr FROM slipway_saga_order WHERE name = $1 AND nr > $2 ORDER BY nr LIMIT 1`+s.skip+`
) RETURNING nr, name, id, verb, step, actor`, name, after)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if !rows.Next() {
		return nil, rows.Err()
	}
	o := new(order)
	if err := rows.Scan(&o.nr, &o.name, &o.id, &o.verb, &o.step, &o.actor); err != nil {
		return nil, err
	}
	return o, rows.Err()
}

// forget deletes some of the sagas that have been over since before a time,
// with their history, and returns how many.
func (s *store) forget(ctx context.Context, tx outbox.Tx, name string, before time.Time) (int64, error) {
	const old = `(SELECT id FROM slipway_saga WHERE name = $1 AND state IN ('completed', 'compensated') AND updated < $2 ORDER BY updated LIMIT 100)`
	if _, err := tx.ExecContext(ctx, "DELETE FROM slipway_saga_history WHERE name = $1 AND id IN "+old, name, before.UnixMicro()); err != nil {
		return 0, err
	}
	res, err := tx.ExecContext(ctx, "DELETE FROM slipway_saga WHERE name = $1 AND id IN "+old, name, before.UnixMicro())
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}
