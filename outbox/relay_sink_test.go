package outbox_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/outbox"
)

// A sink is a topic of the test's own: it keeps what is published.
type sink struct {
	mu      sync.Mutex
	records []*kgo.Record
	changed chan struct{}
	refuse  func(*kgo.Record) error // nil takes everything
	silent  bool                    // keeps answers back
	kept    []func()
}

func newSink() *sink { return &sink{changed: make(chan struct{})} }

func (s *sink) Publish(_ context.Context, rec *kgo.Record, done func(error)) {
	s.mu.Lock()
	var err error
	if s.refuse != nil {
		err = s.refuse(rec)
	}
	if err == nil {
		s.records = append(s.records, rec)
		close(s.changed)
		s.changed = make(chan struct{})
	}
	if s.silent {
		s.kept = append(s.kept, func() { done(err) })
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	done(err)
}

// answer ends the silence.
func (s *sink) answer() {
	s.mu.Lock()
	kept := s.kept
	s.kept, s.silent = nil, false
	s.mu.Unlock()
	for _, done := range kept {
		done()
	}
}

func (s *sink) setRefuse(refuse func(*kgo.Record) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = refuse
}

// values are what was published, as text.
func (s *sink) values() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]string, len(s.records))
	for i, r := range s.records {
		all[i] = string(r.Value)
	}
	return all
}

// await waits until so many records are there.
func (s *sink) await(t testing.TB, n int) {
	t.Helper()
	late := time.After(time.Minute)
	for {
		s.mu.Lock()
		have, changed := len(s.records), s.changed
		s.mu.Unlock()
		if have >= n {
			return
		}
		select {
		case <-changed:
		case <-late:
			t.Fatalf("%d records are published after a minute, want %d", have, n)
		}
	}
}

// inOrder checks that the values of each key count up from 1 without a gap,
// counting each by its first occurrence, and returns how many came again.
func (s *sink) inOrder(t testing.TB) (again int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	next := map[string]int{}
	for _, r := range s.records {
		key := string(r.Key)
		n, err := strconv.Atoi(string(r.Value))
		switch {
		case err != nil:
			t.Fatal(err)
		case n == next[key]+1:
			next[key] = n
		case n <= next[key]:
			again++
		default:
			t.Fatalf("key %s: %d follows %d", key, n, next[key])
		}
	}
	return again
}

// eventually waits until a condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	late := time.After(time.Minute)
	for !holds() {
		select {
		case <-late:
			t.Fatalf("waited in vain for %s", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

var quick = outbox.Config{Poll: 20 * time.Millisecond, Lease: time.Second}

// start runs a relay for the test, or until the returned function is called.
func start(t testing.TB, db *sql.DB, pub outbox.Publisher, cfg outbox.Config) (r *outbox.Relay, stop func()) {
	t.Helper()
	d, err := outbox.DialectOf(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	cfg.DB = db
	r = outbox.NewRelay(cfg, d, pub, slog.New(slog.NewTextHandler(t.Output(), nil)), fmt.Sprintf("relay-%d", rand.Int64()))
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() {
		defer close(over)
		if err := r.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	stop = func() { cancel(); <-over }
	t.Cleanup(stop)
	return r, stop
}

// put sends one record in a transaction of its own.
func put(t testing.TB, db *sql.DB, key, value string, headers ...kgo.RecordHeader) {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := outbox.SendRecord(t.Context(), tx, &kgo.Record{Topic: "orders", Key: []byte(key), Value: []byte(value), Headers: headers}); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// left is how many rows are in the table.
func left(t testing.TB, db *sql.DB) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM slipway_outbox`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func empty(t testing.TB, db *sql.DB) {
	t.Helper()
	eventually(t, "an empty outbox", func() bool { return left(t, db) == 0 })
}

// A gate is a publisher that is a function.
type gate func(context.Context, *kgo.Record, func(error))

func (g gate) Publish(ctx context.Context, rec *kgo.Record, done func(error)) { g(ctx, rec, done) }

// A silent publisher writes and keeps the answers back until it is told to give
// them.
type silent struct {
	to    *sink
	mu    sync.Mutex
	kept  []func()
	open  bool
	total int
}

func (s *silent) Publish(ctx context.Context, rec *kgo.Record, done func(error)) {
	s.to.Publish(ctx, rec, func(err error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.total++
		if s.open {
			done(err)
			return
		}
		s.kept = append(s.kept, func() { done(err) })
	})
}

func (s *silent) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total
}

func (s *silent) answer() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = true
	for _, done := range s.kept {
		done()
	}
}

// pairs are the keys and values of what was published.
func (s *sink) pairs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]string, len(s.records))
	for i, r := range s.records {
		all[i] = string(r.Key) + " " + string(r.Value)
	}
	return all
}
