package saga

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/metric"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/internal/database"
	"github.com/slipway-go/slipway/internal/record"
	"github.com/slipway-go/slipway/outbox"
)

// purchase is what the sagas of these tests know.
type purchase struct {
	Reservation string
	Spoilt      string // the topic whose command cannot be made
}

var errSpoilt = errors.New("the command cannot be made")

// to is a command that needs no cluster.
func to(topic string) Command[purchase] {
	return Command[purchase]{record: func(_ context.Context, p *purchase, ref Ref) (*kgo.Record, error) {
		if p.Spoilt == topic {
			return nil, errSpoilt
		}
		return &kgo.Record{
			Topic: topic, Key: []byte(ref.ID), Value: []byte(p.Reservation),
			Headers: []kgo.RecordHeader{{Key: record.EventID, Value: []byte(ref.Key())}},
		}, nil
	}}
}

// ordering is the saga of these tests: reserve, pay, ship.
func ordering() Definition[purchase] {
	return Definition[purchase]{Name: "order", Steps: []Step[purchase]{
		{Name: "reserve", Do: to("reserve"), Undo: to("release")},
		{Name: "pay", Do: to("pay"), Undo: to("refund")},
		{Name: "ship", Do: to("ship")},
	}}
}

// A bench is an orchestrator on a database, without a cluster.
type bench struct {
	*Orchestrator[purchase]
	t  testing.TB
	db *sql.DB
}

var contracts = fstest.MapFS{"slipway.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Service
metadata: {name: shop, owner: team-shop}
identity: {auth: scram-sha-512}
topics:
  payments.asked.v1: {partitions: 3}
produces:
  payments.asked.v1: {}
`)}}

func newApp(t testing.TB, provider metric.MeterProvider) *slipway.App {
	t.Helper()
	app, err := slipway.New(slipway.Config{
		Files: contracts, Environment: slipway.Environment{Name: "dev"}, Logger: slog.New(slog.DiscardHandler), MeterProvider: provider,
	})
	if err != nil {
		t.Fatal(err)
	}
	return app
}

// open makes the orchestrator of a definition, with the tables if they are
// missing.
func open(t testing.TB, db *sql.DB, def Definition[purchase], former ...Definition[purchase]) *bench {
	t.Helper()
	if err := errors.Join(outbox.Migrate(t.Context(), db), Migrate(t.Context(), db)); err != nil {
		t.Fatal(err)
	}
	o, err := New(newApp(t, nil), db, def, former...)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &bench{o, t, db}
}

func openSQLite(t testing.TB) *sql.DB {
	t.Helper()
	db, err := database.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "service.db")+"?mode=rwc")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// do runs fn in a transaction.
func (b *bench) do(fn func(ctx context.Context, tx outbox.Tx) error) error {
	return outbox.Do(b.t.Context(), b.db, func(ctx context.Context, tx *sql.Tx) error { return fn(ctx, tx) })
}

func (b *bench) start(id string, p purchase) {
	b.t.Helper()
	if err := b.do(func(ctx context.Context, tx outbox.Tx) error { return b.Start(ctx, tx, id, p) }); err != nil {
		b.t.Fatal(err)
	}
}

// say reports an outcome.
func (b *bench) say(id, step string, o Outcome) {
	b.t.Helper()
	b.observe(Event[purchase]{Saga: id, Step: step, Outcome: o, Reason: "because"})
}

func (b *bench) observe(e Event[purchase]) {
	b.t.Helper()
	if err := b.do(func(ctx context.Context, tx outbox.Tx) error { return b.Observe(ctx, tx, e) }); err != nil {
		b.t.Fatal(err)
	}
}

// elapse makes every timer due.
func (b *bench) elapse() {
	b.t.Helper()
	b.exec("UPDATE slipway_saga SET due = $1 WHERE due IS NOT NULL", time.Now().UnixMicro())
	if err := b.repeat(b.t.Context(), b.fire); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) obeyAll() {
	b.t.Helper()
	if err := b.repeat(b.t.Context(), b.obey); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) exec(query string, args ...any) {
	b.t.Helper()
	if _, err := b.db.ExecContext(b.t.Context(), query, args...); err != nil {
		b.t.Fatal(err)
	}
}

// log is the operator's view.
func (b *bench) log() *Log {
	b.t.Helper()
	l, err := OpenLog(b.t.Context(), b.db)
	if err != nil {
		b.t.Fatal(err)
	}
	return l
}

func (b *bench) show(id string) *Detail {
	b.t.Helper()
	d, err := b.log().Show(b.t.Context(), "order", id)
	if err != nil {
		b.t.Fatal(err)
	}
	return d
}

// sent is the keys of all commands in the outbox, in order, without the saga.
func (b *bench) sent(id string) string {
	b.t.Helper()
	var all []string
	err := b.log().each(b.t.Context(), func(rows *sql.Rows) error {
		var key string
		err := rows.Scan(&key)
		if short, ok := strings.CutPrefix(key, "order/"+id+"/"); ok {
			all = append(all, short)
		}
		return err
	}, "SELECT id FROM slipway_outbox ORDER BY seq")
	if err != nil {
		b.t.Fatal(err)
	}
	return strings.Join(all, " ")
}

// require fails the test unless a saga is in a state, and has sent these
// commands so far.
func (b *bench) require(id string, want State, sent string) {
	b.t.Helper()
	if d := b.show(id); d.State != want {
		b.t.Errorf("saga %s is %s (%s), want %s", id, d.State, d.Reason, want)
	}
	if got := b.sent(id); got != sent {
		b.t.Errorf("saga %s has sent %q, want %q", id, got, sent)
	}
}

// told is a saga's history, a word for each line.
func (b *bench) told(id string) string {
	b.t.Helper()
	var all []string
	for _, e := range b.show(id).History {
		word := e.Kind
		if e.Step != "" {
			word += ":" + e.Step
		}
		if e.Actor != "" {
			word += fmt.Sprintf("(%s)", e.Actor)
		}
		all = append(all, word)
	}
	return strings.Join(all, " ")
}

const aWhile = 20 * time.Second
