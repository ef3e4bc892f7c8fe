package unsent

import (
	"context"
	"fmt"
	"hash/maphash"
	"log/slog"
	"slices"
	"time"

	"github.com/slipway-go/slipway"

	"example.com/shop/internal/store"
)

// Schema makes the tables of a box.
const Schema = `
CREATE TABLE IF NOT EXISTS inbox (
	event_id TEXT PRIMARY KEY,
	done_at  BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS unsent (
	position   ` + store.Serial + `,
	event_id   TEXT   NOT NULL,
	cause      TEXT   NOT NULL,
	topic      TEXT   NOT NULL,
	key        TEXT   NOT NULL,
	payload    TEXT   NOT NULL,
	created_at BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS unsent_key ON unsent (key, position);
CREATE INDEX IF NOT EXISTS unsent_cause ON unsent (cause);`

// Remember is how long the inbox knows an event: longer than the shop's topics
// keep it, so that no topic can hold an event that the inbox has forgotten.
const Remember = 8 * 24 * time.Hour

// stripes is the number of locks that keep the events of a key in order. Keys
// that share one wait for each other now and then.
const stripes = 1024

// An Event is a row of the table unsent.
type Event struct {
	Position int64
	ID       string
	Topic    string
	Key      string
	Payload  []byte // JSON
	Time     time.Time
}

// A Route sends one event and returns when the cluster has it.
type Route func(ctx context.Context, e Event) error

// A Box is a service's inbox and its unsent events. It is safe for concurrent
// use once its topics are connected.
type Box struct {
	db     store.DB
	log    *slog.Logger
	routes map[string]Route // by topic
	seed   maphash.Seed
	locks  [stripes]chan struct{}
}

// New returns the box that keeps its tables in db.
func New(db store.DB, log *slog.Logger) *Box {
	b := &Box{db: db, log: log, routes: make(map[string]Route), seed: maphash.MakeSeed()}
	for i := range b.locks {
		b.locks[i] = make(chan struct{}, 1)
	}
	return b
}

// Attach lets the box send what an earlier life of the service left unsent
// before the service consumes anything, and what is left over while it runs.
func (b *Box) Attach(app *slipway.App) {
	app.OnStart("send what was left unsent", b.Resend)
	app.Go("send unsent events", b.Run)
}

// Connect says how the events of a topic are sent. [Topic.Connect] does it with
// a producer of Slipway.
func (b *Box) Connect(topic string, route Route) { b.routes[topic] = route }

// A Tx is the transaction of one event. What it sends with [Topic.Send] leaves
// when it has been committed.
type Tx struct {
	store.Tx
	cause string
	keys  []string // of what it sends
}

// Do handles the event with the given id: fn runs in a transaction together
// with the note that the event is done. If that note is there already, fn does
// not run. Either way Do then sends what the event left unsent.
//
// An error of fn undoes everything and is returned as it is. After the commit
// the only errors are those that waiting does not cure, such as an event that
// is too large; when the cluster does not answer, Do returns nil and the
// events leave later.
func (b *Box) Do(ctx context.Context, id string, fn func(ctx context.Context, tx *Tx) error) error {
	var keys []string
	err := b.db.Update(ctx, func(ctx context.Context, raw store.Tx) error {
		tx := &Tx{Tx: raw, cause: id}
		first, err := tx.note(ctx)
		if err != nil {
			return fmt.Errorf("note event %s: %w", id, err)
		}
		if !first {
			keys, err = texts(tx.QueryContext(ctx, `SELECT DISTINCT key FROM unsent WHERE cause = $1`, id))
			return err
		}
		if err := fn(ctx, tx); err != nil {
			return err
		}
		keys = tx.keys
		return nil
	})
	if err != nil {
		return err
	}
	return b.deliver(ctx, keys)
}

// note puts the event into the inbox and reports whether it is new there.
func (tx *Tx) note(ctx context.Context) (bool, error) {
	n, err := store.Changed(tx.ExecContext(ctx,
		`INSERT INTO inbox (event_id, done_at) VALUES ($1, $2) ON CONFLICT (event_id) DO NOTHING`, tx.cause, time.Now().UnixNano()))
	return n == 1, err
}

// put keeps an event until it is sent.
func (tx *Tx) put(ctx context.Context, e Event) error {
	_, err := tx.ExecContext(ctx,
		`INSERT INTO unsent (event_id, cause, topic, key, payload, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		e.ID, tx.cause, e.Topic, e.Key, string(e.Payload), e.Time.UnixNano())
	if err != nil {
		return fmt.Errorf("keep event for %s: %w", e.Topic, err)
	}
	if !slices.Contains(tx.keys, e.Key) {
		tx.keys = append(tx.keys, e.Key)
	}
	return nil
}
