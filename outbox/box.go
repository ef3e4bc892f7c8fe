package outbox

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// A Config is what a relay is made from.
type Config struct {
	// DB is the service's database, with the outbox's tables. It is not closed.
	DB *sql.DB

	// Batch is the most rows of one shard that are read at once.
	//
	// Defaults to 256. At most 4096.
	Batch int

	// Lease is how long an instance may be silent before others take its
	// shards over. It is renewed at a third.
	//
	// Defaults to 15 seconds. From 1 second to 10 minutes.
	Lease time.Duration

	// Listen tells of commits of other processes: it calls wake for each
	// notification on [Channel] until ctx ends or its connection breaks, and
	// is then called again. pgxbox.Listen makes one for Postgres.
	//
	// Defaults to none: rows of other processes are found by polling.
	Listen func(ctx context.Context, wake func()) error

	// Poll is how often a relay that has nothing to do looks for rows by
	// itself. A relay that had something to do lately looks every 10 ms.
	//
	// Defaults to 1 second. From 10 milliseconds to 1 minute.
	Poll time.Duration
}

func (c Config) withDefaults() Config {
	c.Batch = cmp.Or(c.Batch, 256)
	c.Lease = cmp.Or(c.Lease, 15*time.Second)
	c.Poll = cmp.Or(c.Poll, time.Second)
	return c
}

func (c Config) validate() error {
	var faults []string
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Sprintf(format, args...))
		}
	}
	refuse(c.DB == nil, "DB is missing")
	refuse(c.Batch < 1 || c.Batch > 4096, "Batch is %d, want 1 to 4096", c.Batch)
	refuse(c.Lease < time.Second || c.Lease > 10*time.Minute, "Lease is %v, want 1s to 10m", c.Lease)
	refuse(c.Poll < 10*time.Millisecond || c.Poll > time.Minute, "Poll is %v, want 10ms to 1m", c.Poll)
	if len(faults) == 0 {
		return nil
	}
	return diag.New(diag.OutboxConfig, "open outbox: %s", strings.Join(faults, "; "))
}

// A Box is an outbox with the relay that empties it.
type Box struct {
	relay *relay
}

// Open registers a relay with the app, for all topics that its contract
// produces via: outbox. The relay runs from the app's start to its shutdown,
// when it gives its shards back. The tables must be there when the app starts.
func Open(app *slipway.App, cfg Config) (*Box, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	var topics []string
	for name, p := range app.Contract().Produces {
		if p.Via == contract.Outbox {
			topics = append(topics, name)
		}
	}
	slices.Sort(topics)
	app.Relays(topics...)
	r := newRelay(cfg, app, app.Logger(), rand.Text())
	r.health = app.Tell
	r.grace = app.Environment().ShutdownTimeout / 3
	box := &Box{relay: r}
	app.OnStart("check outbox", func(ctx context.Context) error {
		if err := box.check(ctx); err != nil {
			return err
		}
		return r.meter(app.MeterProvider())
	})
	if app.Contract().RelaysByDebezium() {
		leaveToDebezium(app, cfg.DB)
	} else {
		app.Go("relay outbox", r.run)
	}
	app.Deduplicates()
	app.Go("forget handled messages", func(ctx context.Context) error { return forget(ctx, cfg.DB, app.Logger()) })
	return box, nil
}

// check has the relay know its database, before it runs.
func (b *Box) check(ctx context.Context) error {
	s, err := b.store(ctx)
	if err != nil {
		return err
	}
	b.relay.store.dialect = s.dialect
	return nil
}

// store asks the database what it is, and for the tables. What it returns is
// the caller's: the relay has its own.
func (b *Box) store(ctx context.Context) (*store, error) {
	d, err := DialectOf(ctx, b.relay.cfg.DB)
	if err != nil {
		return nil, err
	}
	return &store{db: b.relay.cfg.DB, dialect: d}, ready(ctx, b.relay.cfg.DB)
}

// Wake has the relay look for rows at once. [Do] does so after its commit, and
// a service may after one of its own.
func (b *Box) Wake() { b.relay.wake() }

// Backlog is how many rows wait to be published and since when the oldest does;
// zero for none. At most 100,000 rows are counted. Rows that are not due yet do
// not wait.
func (b *Box) Backlog(ctx context.Context) (rows int, oldest time.Time, err error) {
	s, err := b.store(ctx)
	if err != nil {
		return 0, time.Time{}, err
	}
	return s.backlog(ctx, all())
}

// A Stuck is a row that the cluster refused for good, so far. It is tried again
// from time to time; later rows of its key wait for it.
type Stuck struct {
	ID      string // the event's
	Topic   string // on the cluster
	Key     []byte
	Since   time.Time // when it was put into the outbox
	Problem string
}

// Stuck lists rows that the cluster refused, of all instances, oldest first; at
// most 1,000.
func (b *Box) Stuck(ctx context.Context) ([]Stuck, error) {
	s, err := b.store(ctx)
	if err != nil {
		return nil, err
	}
	return s.stuck(ctx)
}
