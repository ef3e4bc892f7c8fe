package outbox

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A store is the relay's side of the tables. Its calls are one transaction
// each, so what is not committed has not happened.
type store struct {
	db      *sql.DB
	dialect Dialect
	owner   string        // of leases: this process's relay
	lease   time.Duration // after which a session that has gone silent is ended
}

// A mark says that a row was published and may go. It holds if the shard still
// belongs to this owner under this generation.
type mark struct {
	shard      int
	seq        int64
	generation int64
}

// A want is a shard to be read: so many rows, lowest number first, from above
// the floor.
type want struct {
	shard int
	floor int64
	rows  int
}

// turn deletes what was published and reads what is next, at one go. It returns
// how many of the marks held. Rows of the turns in except are left out: their
// keys have something under way.
func (s *store) turn(ctx context.Context, done []mark, wants []want, except []int64) (marked int, rows []*row, err error) {
	if s.dialect == SQLite && len(done) == 0 { // reading must not wait for the turn to write
		if rows, err = s.claim(ctx, s.db, wants, except); err != nil {
			return 0, nil, fmt.Errorf("read rows: %w", err)
		}
		return 0, rows, nil
	}
	err = s.within(ctx, func(tx *sql.Tx) error {
		if len(done) > 0 {
			if marked, err = s.delete(ctx, tx, done); err != nil {
				return fmt.Errorf("delete published rows: %w", err)
			}
		}
		if len(wants) > 0 {
			if rows, err = s.claim(ctx, tx, wants, except); err != nil {
				return fmt.Errorf("read rows: %w", err)
			}
		}
		return nil
	})
	if err != nil {
		return 0, nil, err
	}
	return marked, rows, nil
}

// within runs fn in a transaction. On Postgres its plans use the indexes,
// whatever the statistics of a table say that is empty one moment and full the
// next, and the server ends it if this process is stopped in the midst of it.
func (s *store) within(ctx context.Context, fn func(tx *sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if s.dialect == Postgres {
		_, err = tx.ExecContext(ctx, fmt.Sprintf(`SET LOCAL enable_seqscan = off; SET LOCAL idle_in_transaction_session_timeout = %d`, s.lease.Milliseconds()))
	}
	if err == nil {
		err = fn(tx)
	}
	if err != nil {
		_ = tx.Rollback() // err says why
		return err
	}
	return tx.Commit()
}

func (s *store) delete(ctx context.Context, tx Tx, done []mark) (int, error) {
	if s.dialect == SQLite {
		list := make([][3]int64, len(done))
		for i, m := range done {
			list[i] = [3]int64{int64(m.shard), m.seq, m.generation}
		}
		return changed(tx.ExecContext(ctx, `DELETE FROM slipway_outbox WHERE seq IN (
			SELECT d.value ->> '$[1]' FROM json_each(?1) d JOIN slipway_outbox_lease l
			ON l.shard = d.value ->> '$[0]' AND l.generation = d.value ->> '$[2]' WHERE l.owner = ?2)`, encode(list), s.owner))
	}
	in, seq, generation := make([]int64, len(done)), make([]int64, len(done)), make([]int64, len(done))
	for i, m := range done {
		in[i], seq[i], generation[i] = int64(m.shard), m.seq, m.generation
	}
	return changed(tx.ExecContext(ctx, `DELETE FROM slipway_outbox o
		USING unnest($1::smallint[], $2::bigint[], $3::bigint[]) AS d (shard, seq, generation), slipway_outbox_lease l
		WHERE o.shard = d.shard AND o.seq = d.seq AND l.shard = d.shard AND l.generation = d.generation AND l.owner = $4`,
		array(in), array(seq), array(generation), s.owner))
}

// columns are those of a row, in the order in which read scans them. Drivers of
// SQLite read an empty value as if it were none.
const columns = `shard, seq, turn, id, aggregatetype, aggregateid, aggregateid IS NULL AS keyless, payload, payload IS NULL AS dead, headers, created`

func (s *store) claim(ctx context.Context, tx Tx, wants []want, except []int64) ([]*row, error) {
	if s.dialect == Postgres {
		in, floor, limit := make([]int64, len(wants)), make([]int64, len(wants)), make([]int64, len(wants))
		for i, w := range wants {
			in[i], floor[i], limit[i] = int64(w.shard), w.floor, int64(w.rows)
		}
		rows, err := read(tx.QueryContext(ctx, `SELECT o.* FROM unnest($1::smallint[], $2::bigint[], $3::bigint[]) AS s (shard, floor, most)
			CROSS JOIN LATERAL (SELECT `+columns+` FROM slipway_outbox
				WHERE shard = s.shard AND seq > s.floor AND turn <> ALL ($4::bigint[]) ORDER BY seq LIMIT s.most) o`,
			array(in), array(floor), array(limit), array(except)))
		slices.SortStableFunc(rows, func(a, b *row) int { return cmp.Or(cmp.Compare(a.shard, b.shard), cmp.Compare(a.seq, b.seq)) })
		return rows, err
	}
	full, err := s.full(ctx, tx)
	if err != nil {
		return nil, err
	}
	var all []*row
	for _, w := range wants {
		if !full[w.shard] {
			continue
		}
		rows, err := read(tx.QueryContext(ctx, `SELECT `+columns+` FROM slipway_outbox
			WHERE shard = ?1 AND seq > ?2 AND turn NOT IN (SELECT value FROM json_each(?3)) ORDER BY seq LIMIT ?4`,
			w.shard, w.floor, encode(except), w.rows))
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
	}
	return all, nil
}

// full is which shards have rows: SQLite reads each by a statement of its own,
// and most are empty most of the time.
func (s *store) full(ctx context.Context, tx Tx) (map[int]bool, error) {
	rows, err := tx.QueryContext(ctx, `SELECT shard FROM slipway_outbox_lease l WHERE EXISTS (SELECT 1 FROM slipway_outbox o WHERE o.shard = l.shard)`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	full := make(map[int]bool)
	for rows.Next() {
		var shard int
		if err := rows.Scan(&shard); err != nil {
			return nil, err
		}
		full[shard] = true
	}
	return full, rows.Err()
}

func read(rows *sql.Rows, err error) ([]*row, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []*row
	for rows.Next() {
		r := new(row)
		var keyless, tombstone bool
		if err := rows.Scan(&r.shard, &r.seq, &r.turn, &r.id, &r.topic, &r.key, &keyless, &r.value, &tombstone, &r.headers, &r.created); err != nil {
			return nil, err
		}
		if !keyless && r.key == nil {
			r.key = []byte{}
		}
		if !tombstone && r.value == nil {
			r.value = []byte{}
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// rouse gives rows that have come due a number as if they were written now, at
// most a thousand of each shard.
func (s *store) rouse(ctx context.Context, of []int) (int, error) {
	n := 0
	for _, shard := range of {
		moved, err := s.rouseShard(ctx, shard)
		if err != nil {
			return n, fmt.Errorf("find rows that are due: %w", err)
		}
		n += moved
	}
	return n, nil
}

// rouseShard asks first and writes then, so that on SQLite the transaction
// begins with the write, and waits for its turn there.
func (s *store) rouseShard(ctx context.Context, shard int) (moved int, err error) {
	const rest = `turn, id, aggregatetype, aggregateid, type, payload, headers, created, due`
	ready := fmt.Sprintf(`SELECT seq FROM slipway_outbox WHERE shard = %d AND due <= %s ORDER BY due, seq LIMIT 1000`, asleep(shard), s.dialect.now())
	var found int
	if err := one(ctx, s.db, []any{&found}, fmt.Sprintf(`SELECT count(*) FROM (%s) AS ready`, ready)); err != nil || found == 0 {
		return 0, err
	}
	err = s.within(ctx, func(tx *sql.Tx) error {
		if s.dialect == Postgres { // the deletion gives the transaction its id before numbers are drawn
			moved, err = changed(tx.ExecContext(ctx, fmt.Sprintf(`WITH ready AS MATERIALIZED (%s FOR UPDATE SKIP LOCKED),
				gone AS (DELETE FROM slipway_outbox WHERE shard = %d AND seq IN (SELECT seq FROM ready) RETURNING seq, %s),
				sorted AS MATERIALIZED (SELECT * FROM gone ORDER BY due, seq)
				INSERT INTO slipway_outbox (shard, %s) SELECT %d, %s FROM sorted`, ready, asleep(shard), rest, rest, shard, rest)))
			return err
		}
		moved, err = changed(tx.ExecContext(ctx, fmt.Sprintf(`INSERT INTO slipway_outbox (shard, %s)
			SELECT %d, %s FROM slipway_outbox WHERE seq IN (%s) ORDER BY due, seq`, rest, shard, rest, ready)))
		if err == nil {
			_, err = tx.ExecContext(ctx, fmt.Sprintf(`DELETE FROM slipway_outbox WHERE seq IN (%s)`, ready))
		}
		return err
	})
	return moved, err
}

// tell notes in a row why the cluster refuses it, for operators to see.
func (s *store) tell(ctx context.Context, shard int, seq int64, problem string) error {
	_, err := s.db.ExecContext(ctx, `UPDATE slipway_outbox SET problem = $1 WHERE shard = $2 AND seq = $3`, problem, shard, seq)
	if err != nil {
		return fmt.Errorf("note why a row is stuck: %w", err)
	}
	return nil
}

func (s *store) stuck(ctx context.Context) ([]Stuck, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, aggregatetype, aggregateid, created, problem FROM slipway_outbox
		WHERE problem IS NOT NULL ORDER BY seq LIMIT 1000`)
	if err != nil {
		return nil, fmt.Errorf("read stuck rows: %w", err)
	}
	defer rows.Close()
	var all []Stuck
	for rows.Next() {
		var one Stuck
		var created int64
		if err := rows.Scan(&one.ID, &one.Topic, &one.Key, &created, &one.Problem); err != nil {
			return nil, fmt.Errorf("read stuck rows: %w", err)
		}
		one.Since = time.UnixMicro(created)
		all = append(all, one)
	}
	return all, rows.Err()
}

// most is how many rows a backlog is counted to.
const most = 100_000

// backlog counts what waits in shards, and since when the first does.
func (s *store) backlog(ctx context.Context, of []int) (n int, oldest time.Time, err error) {
	if len(of) == 0 {
		return 0, time.Time{}, nil
	}
	parts := make([]string, len(of))
	for i, shard := range of {
		parts[i] = fmt.Sprintf(`SELECT * FROM (SELECT created FROM slipway_outbox WHERE shard = %d ORDER BY seq LIMIT 1) AS s%d`, shard, i)
	}
	var first sql.NullInt64
	query := fmt.Sprintf(`SELECT (SELECT count(*) FROM (SELECT 1 FROM slipway_outbox WHERE shard IN (%s) LIMIT %d) AS c), (SELECT min(created) FROM (%s) AS f)`,
		join(of), most, strings.Join(parts, " UNION ALL "))
	if err := one(ctx, s.db, []any{&n, &first}, query); err != nil {
		return 0, time.Time{}, fmt.Errorf("count outbox rows: %w", err)
	}
	if first.Valid {
		oldest = time.UnixMicro(first.Int64)
	}
	return n, oldest, nil
}

// all lists the shards.
func all() []int {
	of := make([]int, shards)
	for i := range of {
		of[i] = i
	}
	return of
}

func changed(result sql.Result, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return int(n), err
}

// array is a list as Postgres reads it from text, with any driver.
func array(list []int64) string {
	b := []byte{'{'}
	for i, n := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, n, 10)
	}
	return string(append(b, '}'))
}

func join(list []int) string {
	parts := make([]string, len(list))
	for i, n := range list {
		parts[i] = strconv.Itoa(n)
	}
	return strings.Join(parts, ", ")
}

// encode is a list for SQLite's json_each.
func encode[T any](list []T) string {
	b, err := json.Marshal(list)
	if err != nil {
		panic("outbox: " + err.Error()) // numbers always can be
	}
	if list == nil {
		return "[]"
	}
	return string(b)
}
