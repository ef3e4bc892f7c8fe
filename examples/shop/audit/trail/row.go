package trail

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"example.com/shop/internal/store"
)

const schema = `
CREATE TABLE IF NOT EXISTS trail (
	position ` + store.Serial + `,
	topic    TEXT   NOT NULL,
	part     BIGINT NOT NULL,
	place    BIGINT NOT NULL,
	record   TEXT   NOT NULL,
	source   TEXT   NOT NULL,
	event_id TEXT   NOT NULL,
	subject  TEXT   NOT NULL,
	at       TEXT   NOT NULL,
	value    TEXT   NOT NULL,
	hash     TEXT   NOT NULL,
	UNIQUE (topic, part, place)
);
CREATE INDEX IF NOT EXISTS trail_subject ON trail (subject, position);
CREATE TABLE IF NOT EXISTS chain (
	id   BIGINT PRIMARY KEY,
	hash TEXT   NOT NULL
);
INSERT INTO chain (id, hash) VALUES (1, '') ON CONFLICT (id) DO NOTHING;`

const sqliteGuard = store.OnSQLite + `
CREATE TRIGGER IF NOT EXISTS trail_update BEFORE UPDATE ON trail BEGIN SELECT RAISE(ABORT, 'the audit trail only grows'); END;
CREATE TRIGGER IF NOT EXISTS trail_delete BEFORE DELETE ON trail BEGIN SELECT RAISE(ABORT, 'the audit trail only grows'); END;`

const postgresGuard = store.OnPostgres + `
CREATE OR REPLACE FUNCTION trail_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the audit trail only grows'; END $$;
CREATE OR REPLACE TRIGGER trail_change BEFORE UPDATE OR DELETE OR TRUNCATE ON trail FOR EACH STATEMENT EXECUTE FUNCTION trail_refuse();`

// A Row is one record of a topic as the audit keeps it.
type Row struct {
	Position  int64           `json:"position"` // given by the audit, ascending
	Topic     string          `json:"topic"`
	Partition int32           `json:"partition"`
	Offset    int64           `json:"offset"`
	Key       string          `json:"key"`
	Source    string          `json:"source"` // the service that said it
	EventID   string          `json:"event_id"`
	Subject   string          `json:"subject"` // whom it is about: an order or a user
	At        string          `json:"at"`      // when it happened, by the service that said it
	Value     json.RawMessage `json:"value"`   // null for a tombstone
	Hash      string          `json:"hash"`    // of this row and the hash before it
}

// link is the row's hash behind another.
func (r Row) link(before string) string {
	text, err := json.Marshal([]any{
		before, r.Topic, r.Partition, r.Offset, r.Key, r.Source, r.EventID, r.Subject, r.At, string(r.Value),
	})
	if err != nil {
		panic("trail: strings and numbers are not JSON: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// appendRows writes rows behind all others; those that are there already it leaves
// out.
func appendRows(ctx context.Context, tx store.Tx, rows []Row) error {
	// The update takes the chain's end before it is read, so that two who append
	// do not build on the same row.
	if _, err := tx.ExecContext(ctx, `UPDATE chain SET hash = hash WHERE id = 1`); err != nil {
		return err
	}
	var last string
	if err := tx.QueryRowContext(ctx, `SELECT hash FROM chain WHERE id = 1`).Scan(&last); err != nil {
		return err
	}
	for _, r := range rows {
		r.Hash = r.link(last)
		n, err := store.Changed(tx.ExecContext(ctx,
			`INSERT INTO trail (topic, part, place, record, source, event_id, subject, at, value, hash)
			 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (topic, part, place) DO NOTHING`,
			r.Topic, r.Partition, r.Offset, r.Key, r.Source, r.EventID, r.Subject, r.At, string(r.Value), r.Hash))
		if err != nil {
			return fmt.Errorf("write down %s/%d/%d: %w", r.Topic, r.Partition, r.Offset, err)
		}
		if n == 1 {
			last = r.Hash
		}
	}
	_, err := tx.ExecContext(ctx, `UPDATE chain SET hash = $1 WHERE id = 1`, last)
	return err
}

// read returns rows after a position, of one subject or of all ("").
func read(ctx context.Context, q store.Querier, subject string, after int64, limit int) ([]Row, error) {
	rows, err := q.QueryContext(ctx,
		`SELECT position, topic, part, place, record, source, event_id, subject, at, value, hash FROM trail
		 WHERE position > $1 AND ($2 = '' OR subject = $2) ORDER BY position LIMIT $3`, after, subject, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := []Row{}
	for rows.Next() {
		var r Row
		var value string
		if err := rows.Scan(&r.Position, &r.Topic, &r.Partition, &r.Offset, &r.Key, &r.Source, &r.EventID, &r.Subject, &r.At, &value, &r.Hash); err != nil {
			return nil, err
		}
		r.Value = json.RawMessage(value)
		all = append(all, r)
	}
	return all, rows.Err()
}

// A Verdict says whether the trail is what was written.
type Verdict struct {
	Whole  bool   `json:"whole"`
	Rows   int64  `json:"rows"`
	Hash   string `json:"hash"`             // of the last row: note it, to compare later
	Broken int64  `json:"broken,omitempty"` // the position of the first row that does not follow from those before it
}

// Verify follows the chain from its beginning. A trail whose end was cut off is
// not whole either: the chain's own end says so.
func (s *Service) Verify(ctx context.Context) (Verdict, error) {
	var v Verdict
	var end string // read first: rows that come later are no fault
	if err := s.db.Reader().QueryRowContext(ctx, `SELECT hash FROM chain WHERE id = 1`).Scan(&end); err != nil {
		return v, err
	}
	seen := end == ""
	for after := int64(0); ; {
		rows, err := read(ctx, s.db.Reader(), "", after, maxPage)
		if err != nil {
			return v, err
		}
		for _, r := range rows {
			if r.link(v.Hash) != r.Hash {
				v.Broken = r.Position
				return v, nil
			}
			v.Rows, v.Hash, after = v.Rows+1, r.Hash, r.Position
			seen = seen || r.Hash == end
		}
		if len(rows) < maxPage {
			v.Whole = seen
			return v, nil
		}
	}
}

// when is a time as the trail has it: to the nanosecond, sorted as text.
func when(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000000Z") }
