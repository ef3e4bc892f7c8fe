package arm

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/benchmarks/internal/broker"
)

// An outboxRelay is a table of events in Postgres and what publishes them.
type outboxRelay struct {
	// prepare makes the tables.
	prepare func(ctx context.Context, db *sql.DB) error

	// insert adds one event to a transaction.
	insert func(ctx context.Context, tx *sql.Tx, key, value []byte) error

	// run publishes until ctx ends.
	run func(ctx context.Context) error
}

// relays are the outboxes, by name.
var relays = map[string]func(Spec, *sql.DB) (*outboxRelay, error){
	"slipway":   slipwayRelay,
	"watermill": watermillRelay,
	"debezium":  debeziumRelay,
}

// relayStart is how long a relay may take to be up.
var relayStart = map[string]time.Duration{"slipway": 5 * time.Second, "watermill": 5 * time.Second, "debezium": 40 * time.Second}

const (
	relayTimeout = 4 * time.Minute
	relayBatch   = 1_000 // rows of one transaction that fills the table
	relayCallers = 32    // transactions at a time, at a fixed rate
)

// relay measures an outbox: a backlog that is published from the first record to
// the last (Count), or the time from a transaction's commit until a consumer
// has its event (Rate). Either way every event must come, and those of a key in
// the order of their commits.
func relay(ctx context.Context, s Spec) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, relayTimeout)
	defer cancel()
	db, err := sql.Open("pgx", s.Database)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	db.SetMaxOpenConns(2 * relayCallers)
	db.SetMaxIdleConns(2 * relayCallers)
	open := relays[s.Client]
	if open == nil {
		return nil, fmt.Errorf("no relay %q", s.Client)
	}
	r, err := open(s, db)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(broker.Create(ctx, s.Endpoint, s.Topic), r.prepare(ctx, db)); err != nil {
		return nil, err
	}
	if s.Rate > 0 {
		return relayLatency(ctx, s, db, r)
	}
	return relayBacklog(ctx, s, db, r)
}

func relayBacklog(ctx context.Context, s Spec, db *sql.DB, r *outboxRelay) (Result, error) {
	events := newEvents(s, s.Count)
	for n := 0; n < s.Count; n += relayBatch {
		if err := inTx(ctx, db, func(tx *sql.Tx) error {
			for i := n; i < min(n+relayBatch, s.Count); i++ {
				key, value := events.event(i)
				if err := r.insert(ctx, tx, key, value); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return nil, fmt.Errorf("fill the outbox: %w", err)
		}
	}
	if _, err := db.ExecContext(ctx, "ANALYZE"); err != nil {
		return nil, err
	}
	before := use(0)
	if err := events.relayed(ctx, s, r, func(context.Context) error { return nil }); err != nil {
		return nil, err
	}
	after := use(int64(s.Count))
	out := Result{"rss": peakMiB()}
	out.since(before, after)
	out["rate"] = float64(s.Count-1) / (time.Duration(events.last.Load() - events.first.Load())).Seconds()
	out["disorders"] = float64(events.disorders)
	out["repeats"] = float64(events.repeats)
	return out, nil
}

func relayLatency(ctx context.Context, s Spec, db *sql.DB, r *outboxRelay) (Result, error) {
	total := int(float64(s.Rate) * (s.Warmup + s.Window).Seconds())
	warm := int(float64(s.Rate) * s.Warmup.Seconds())
	events := newEvents(s, total)
	committed := make([]int64, total)
	err := events.relayed(ctx, s, r, func(ctx context.Context) error {
		if err := pause(ctx, relayStart[s.Client]); err != nil { // the relay is up by then
			return err
		}
		return events.commit(ctx, s, db, r, committed)
	})
	if err != nil {
		return nil, err
	}
	took := make([]int64, 0, total-warm)
	for n := warm; n < total; n++ {
		took = append(took, max(events.seen[n]-committed[n], 0))
	}
	slices.Sort(took)
	at := func(share float64) float64 { return float64(took[int(share*float64(len(took)-1))]) / 1e6 }
	return Result{"p50": at(0.50), "p99": at(0.99), "p999": at(0.999), "rss": peakMiB(), "repeats": float64(events.repeats), "disorders": 0}, nil
}

// commit writes one event a transaction, each at its time.
func (e *events) commit(ctx context.Context, s Spec, db *sql.DB, r *outboxRelay, committed []int64) error {
	due := make(chan int, len(committed))
	var callers sync.WaitGroup
	var failed atomic.Pointer[error]
	for range relayCallers {
		callers.Go(func() {
			for n := range due {
				key, value := e.event(n)
				if err := inTx(ctx, db, func(tx *sql.Tx) error { return r.insert(ctx, tx, key, value) }); err != nil {
					failed.Store(&err)
					return
				}
				committed[n] = time.Now().UnixNano()
			}
		})
	}
	began, gap := time.Now(), time.Second/time.Duration(s.Rate)
	for n := range committed {
		if wait := time.Until(began.Add(time.Duration(n) * gap)); wait > 0 {
			time.Sleep(wait)
		}
		due <- n
	}
	close(due)
	callers.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

// events are numbered; a value begins with its number.
type events struct {
	keys  []uint32
	noise []byte

	first, last atomic.Int64
	seen        []int64 // when each came, by number
	after       []int64 // the last number of each key
	repeats     int
	disorders   int // of a backlog, whose numbers are the order of commits
}

func newEvents(s Spec, total int) *events {
	random := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // the same events each time
	e := &events{keys: make([]uint32, total), noise: make([]byte, s.Size), seen: make([]int64, total), after: make([]int64, s.Keys)}
	for i := range e.keys {
		e.keys[i] = random.Uint32N(uint32(s.Keys))
	}
	for i := range e.noise {
		e.noise[i] = 'a' + byte(random.Uint32N(26))
	}
	return e
}

// event is the key and the value of a number; the value is JSON, which some
// tables want.
func (e *events) event(n int) (key, value []byte) {
	return broker.Key(int(e.keys[n])), fmt.Appendf(nil, `{"n":%10d,"text":"%s"}`, n, e.noise)
}

// relayed runs the relay beside write, until every event has come.
func (e *events) relayed(ctx context.Context, s Spec, r *outboxRelay, write func(context.Context) error) error {
	opts, err := s.Endpoint.Options()
	if err != nil {
		return err
	}
	client, err := kgo.NewClient(append(opts, kgo.ConsumeTopics(s.Topic), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
		kgo.FetchMaxWait(100*time.Millisecond))...)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var all sync.WaitGroup
	defer all.Wait()
	defer stop(nil)
	all.Go(func() {
		if err := r.run(ctx); err != nil && ctx.Err() == nil {
			stop(fmt.Errorf("the relay ended: %w", err))
		}
	})
	written := make(chan error, 1)
	all.Go(func() { written <- write(ctx) })
	for open := len(e.seen); open > 0; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("%d of %d events have not come: %w", open, len(e.seen), errors.Join(err, context.Cause(ctx)))
		}
		for iter := fetches.RecordIter(); !iter.Done(); {
			if e.take(iter.Next()) {
				open--
			}
		}
	}
	return <-written
}

// take notes an event, and reports whether it is new.
func (e *events) take(r *kgo.Record) bool {
	now := time.Now().UnixNano()
	var n int
	if _, err := fmt.Sscanf(string(r.Value[:min(len(r.Value), 20)]), `{"n":%d`, &n); err != nil || n < 0 || n >= len(e.seen) {
		e.disorders++
		return false
	}
	e.first.CompareAndSwap(0, now)
	e.last.Store(now)
	if e.seen[n] != 0 {
		e.repeats++
		return false
	}
	e.seen[n] = now
	if key := e.keys[n]; e.after[key] > int64(n) {
		e.disorders++
	} else {
		e.after[key] = int64(n)
	}
	return true
}

func inTx(ctx context.Context, db *sql.DB, fn func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}
