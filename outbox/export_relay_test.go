package outbox

import (
	"context"
	"database/sql"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// What tests of the relay look into.
type (
	Relay     = relay
	Publisher = publisher
)

const Shards = shards

// NewRelay makes a relay that publishes to a test's own topic.
func NewRelay(cfg Config, d Dialect, pub Publisher, log *slog.Logger, owner string) *Relay {
	r := newRelay(cfg.withDefaults(), pub, log, owner)
	r.store.dialect = d
	return r
}

func (r *relay) Run(ctx context.Context) error { return r.run(ctx) }

// OnHealth has health told to the test.
func (r *relay) OnHealth(tell func(thing, problem string)) { r.health = tell }

// Problem is what the relay says of its health at a time.
func (r *relay) Problem(at time.Time) string { return r.state.problem(at) }

// Held is how many shards the relay has.
func (r *relay) Held() int { return int(r.meters.held.Load()) }

// Refused is how many of its marks did not hold.
func (r *relay) Refused() int64 { return r.meters.refused.Load() }

// Stop stops the relay as SIGSTOP does a process: it neither renews its leases
// nor sees that they are over.
func (r *relay) Stop() (resume func()) {
	r.leases.turn.Lock()
	r.leases.mu.Lock()
	return func() {
		r.leases.mu.Unlock()
		r.leases.turn.Unlock()
	}
}

// Box is a box of the relay, without an app.
func (r *relay) Box() *Box { return &Box{relay: r} }

// Wake is what Do calls after its commit.
func Wake(db *sql.DB) { wake(db) }

var (
	AppendHeaders = appendHeaders
	ParseHeaders  = parseHeaders
	TurnOf        = turnOf
	PostgresOf    = postgresOf
)

// SendDue puts a record into the outbox that is due at a time.
func SendDue(ctx context.Context, tx Tx, rec *kgo.Record, at time.Time) error {
	d, err := dialectOf(ctx, tx)
	if err != nil {
		return err
	}
	r := newRow(rec, time.Now())
	r.due, r.shard = at.UnixMicro(), asleep(r.shard)
	_, err = tx.ExecContext(ctx, insert[d], r.args()...)
	return err
}

// Floor is the number up to which the relay knows that nothing is to come.
func (r *relay) Floor() int64 {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	return r.state.horizon
}
