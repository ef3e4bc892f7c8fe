package outbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/record"
)

// logged are the topics that Debezium publishes from the database's log, as the
// cluster names them. A transaction does not say whose it is, so Send knows
// them by what [Open] was told.
var logged struct {
	sync.RWMutex
	topics map[string]bool
}

func isLogged(topic string) bool {
	logged.RLock()
	defer logged.RUnlock()
	return logged.topics[topic]
}

// leaveToDebezium notes that a connector relays the app's outbox: rows get the
// columns that its event router makes headers of, and are deleted once the
// replication slot says that they are through.
func leaveToDebezium(app *slipway.App, db *sql.DB) {
	svc := app.Contract()
	logged.Lock()
	if logged.topics == nil {
		logged.topics = make(map[string]bool)
	}
	for name, p := range svc.Produces {
		if p.Via == contract.Outbox {
			logged.topics[app.Environment().At(p.Cluster).TopicPrefix+name] = true
		}
	}
	logged.Unlock()
	app.OnStart("check outbox for Debezium", func(ctx context.Context) error {
		if d, err := DialectOf(ctx, db); err != nil || d == Postgres {
			return err
		}
		return diag.New(diag.OutboxDatabase, "the contract has the outbox relayed by Debezium, which reads Postgres, and the database is another").
			WithFix("open a Postgres database, or write outbox: {relay: slipway} for environment %s", svc.Env)
	})
	s := &sweeper{db: db, slot: svc.OutboxSlot(), log: app.Logger()}
	app.Go("delete rows that Debezium has published", s.run)
}

// insertLogged adds a row for Debezium. The log has rows in the order of commits
// by itself; what lies in the table when the connector begins is read in the
// order of numbers, so the key's turn is taken here, too.
const insertLogged = `WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock($2::bigint))
	INSERT INTO slipway_outbox (shard, turn, id, aggregatetype, aggregateid, type, payload, headers, created, source, occurred, mime, trace, specversion)
	SELECT $1::smallint, $2::bigint, $3::text, $4::text, $5::bytea, $6::text, $7::bytea, $8::bytea, $9::bigint,
		$10::text, $11::text, $12::text, $13::text, $14::text FROM turn`

// logRecord puts a record into the outbox for Debezium.
func logRecord(ctx context.Context, tx Tx, d Dialect, rec *kgo.Record) error {
	switch {
	case d != Postgres:
		return fmt.Errorf("put into outbox for %s: Debezium relays it, which reads Postgres and not %s", rec.Topic, d)
	case rec.Key == nil:
		return fmt.Errorf("put into outbox for %s: a record without a key cannot be relayed by Debezium", rec.Topic)
	case !slipway.DueTime(rec).IsZero():
		return fmt.Errorf("put into outbox for %s: Debezium publishes at once, and not at a time", rec.Topic)
	}
	r := newRow(rec, time.Now())
	var source, occurred, mime, trace, specversion any
	for _, h := range rec.Headers {
		switch h.Key {
		case record.EventID, record.EventType, "tracestate": // in the row already; of no use alone
		case record.EventSpecVersion:
			specversion = string(h.Value)
		case record.EventSource:
			source = string(h.Value)
		case record.EventTime:
			occurred = string(h.Value)
		case record.ContentType:
			mime = string(h.Value)
		case "traceparent":
			trace = string(h.Value)
		default:
			return fmt.Errorf("put into outbox for %s: Debezium cannot relay the header %s: put it into the value, or use relay: slipway", rec.Topic, h.Key)
		}
	}
	_, err := tx.ExecContext(ctx, insertLogged, r.shard, r.turn, r.id, r.topic, null(r.key), r.kind, null(r.value), null(r.headers), r.created, source, occurred, mime, trace, specversion)
	if err != nil {
		return fmt.Errorf("put into outbox for %s: %w", rec.Topic, err)
	}
	return nil
}

const (
	sweepEvery = 10 * time.Second
	sweepRows  = 5000
	sweepMarks = 12 // that are waited for at a time
)

// A sweeper deletes rows that Debezium has published. What lies in the table
// when the log is at some position is through when the slot is behind that
// position; and positions are taken only while the slot is there, so that it has
// to come through the first snapshot, too. Rows are named one by one: a number
// lower than others may still become visible.
type sweeper struct {
	db    *sql.DB
	slot  string
	log   *slog.Logger
	marks []sweepMark
	told  bool // that there is no slot
}

type sweepMark struct {
	lsn        string
	shard, seq []int64
}

func (s *sweeper) run(ctx context.Context) error {
	for {
		if err := s.sweep(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("published rows could not be deleted from the outbox, trying again", "error", err, "wait", sweepEvery)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(sweepEvery):
		}
	}
}

// sweep deletes what is through, and notes what is there.
func (s *sweeper) sweep(ctx context.Context) error {
	for len(s.marks) > 0 {
		m := s.marks[0]
		through, err := s.through(ctx, m.lsn)
		if err != nil {
			return err
		}
		if !through {
			break
		}
		if _, err := s.db.ExecContext(ctx, `DELETE FROM slipway_outbox o USING unnest($1::smallint[], $2::bigint[]) AS d (shard, seq)
			WHERE o.shard = d.shard AND o.seq = d.seq`, array(m.shard), array(m.seq)); err != nil {
			return fmt.Errorf("delete published rows: %w", err)
		}
		s.marks = s.marks[1:]
	}
	if len(s.marks) >= sweepMarks {
		return nil
	}
	return s.mark(ctx)
}

// through reports whether the slot is behind a position. Without a slot nothing
// is: what was noted is forgotten, for a slot that is made anew begins anew.
func (s *sweeper) through(ctx context.Context, lsn string) (bool, error) {
	var through bool
	err := one(ctx, s.db, []any{&through}, `SELECT coalesce(confirmed_flush_lsn > $1::pg_lsn, false) FROM pg_replication_slots WHERE slot_name = $2`, lsn, s.slot)
	if errors.Is(err, sql.ErrNoRows) {
		s.marks = nil
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look at replication slot: %w", err)
	}
	return through, nil
}

// mark notes the rows that are there, and then where the log is.
func (s *sweeper) mark(ctx context.Context) error {
	var slots int
	if err := one(ctx, s.db, []any{&slots}, `SELECT count(*) FROM pg_replication_slots WHERE slot_name = $1`, s.slot); err != nil {
		return fmt.Errorf("look at replication slot: %w", err)
	}
	if slots == 0 {
		if !s.told {
			s.told = true
			s.log.Warn("Debezium's replication slot is not there: rows of the outbox wait until its connector runs", "slot", s.slot)
		}
		return nil
	}
	s.told = false
	known := make(map[[2]int64]bool)
	for _, m := range s.marks {
		for i := range m.shard {
			known[[2]int64{m.shard[i], m.seq[i]}] = true
		}
	}
	rows, err := s.db.QueryContext(ctx, `SELECT shard, seq FROM slipway_outbox ORDER BY seq LIMIT $1`, sweepRows+len(known))
	if err != nil {
		return fmt.Errorf("look at outbox: %w", err)
	}
	defer rows.Close()
	var m sweepMark
	for rows.Next() {
		var row [2]int64
		if err := rows.Scan(&row[0], &row[1]); err != nil {
			return fmt.Errorf("look at outbox: %w", err)
		}
		if !known[row] {
			m.shard, m.seq = append(m.shard, row[0]), append(m.seq, row[1])
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil || len(m.seq) == 0 {
		return err
	}
	if err := one(ctx, s.db, []any{&m.lsn}, `SELECT pg_current_wal_insert_lsn()::text`); err != nil {
		return fmt.Errorf("look at the log's position: %w", err)
	}
	s.marks = append(s.marks, m)
	return nil
}
