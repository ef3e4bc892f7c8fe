package outbox_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/internal/database"
	"github.com/slipway-go/slipway/outbox"
)

var errOwn = errors.New("the handler's own")

// inboxSuite is what the inbox promises on every database.
var inboxSuite = map[string]func(*testing.T, *sql.DB){
	"a message that comes again is done already":            againIsDone,
	"two consumers handle one message each":                 consumersAreApart,
	"an outcome passes through and leaves nothing":          outcomesPass,
	"a panic leaves nothing":                                panicsLeaveNothing,
	"do within do is refused":                               nestedIsRefused,
	"one message at a time is handled once":                 sideBySideIsOnce,
	"who waited does the work that another one gave up":     waitingTakesOver,
	"an id that is no text is kept all the same":            anyIDIsKept,
	"nothing is kept of a handler whose context has ended":  endedKeepsNothing,
	"outside of a handler it is a transaction":              plainTransaction,
	"ids are forgotten after their time and never before":   forgetting,
	"many deliveries of few messages have one effect each":  manyDeliveries,
	"a batch is one transaction":                            batchIsOne,
	"one bad message of a batch does not take others along": batchGoesOnAlone,
}

func TestInboxOnSQLite(t *testing.T) {
	t.Parallel()
	for name, test := range inboxSuite {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, withEffects(t, openSQLite(t)))
		})
	}
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

// withEffects makes the tables, and one that handlers write to.
func withEffects(t testing.TB, db *sql.DB) *sql.DB {
	t.Helper()
	if err := outbox.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE effects (id text NOT NULL)"); err != nil {
		t.Fatal(err)
	}
	return db
}

// from is a context of the delivery of a message.
func from(ctx context.Context, id string) context.Context {
	return slipway.WithDelivery(ctx, slipway.Delivery{Entry: "orders.v1", Group: "svc-shop-dev", Topic: "orders.v1", ID: id, Keep: time.Hour, Attempt: 1})
}

// effect is a handler's work.
func effect(id string) func(context.Context, *sql.Tx) error {
	return func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO effects (id) VALUES ($1)", id)
		return err
	}
}

func number(t testing.TB, db *sql.DB, query string, args ...any) (n int) {
	t.Helper()
	if err := db.QueryRowContext(context.WithoutCancel(t.Context()), query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func requireEffects(t testing.TB, db *sql.DB, id string, want int) {
	t.Helper()
	if got := number(t, db, "SELECT count(*) FROM effects WHERE id = $1", id); got != want {
		t.Errorf("%d effects of %s, want %d", got, id, want)
	}
}

func againIsDone(t *testing.T, db *sql.DB) {
	for range 3 {
		if err := outbox.Do(from(t.Context(), "a"), db, effect("a")); err != nil {
			t.Error(err)
		}
	}
	requireEffects(t, db, "a", 1)
}

func consumersAreApart(t *testing.T, db *sql.DB) {
	for _, group := range []string{"svc-shop-dev", "svc-shop-dev.audit"} {
		for _, entry := range []string{"orders.v1", "again"} {
			ctx := slipway.WithDelivery(t.Context(), slipway.Delivery{Entry: entry, Group: group, ID: "a", Keep: time.Hour})
			if err := outbox.Do(ctx, db, effect("a")); err != nil {
				t.Error(err)
			}
		}
	}
	requireEffects(t, db, "a", 4)
}

func outcomesPass(t *testing.T, db *sql.DB) {
	for name, outcome := range map[string]error{
		"error": errOwn, "reject": slipway.Reject(errOwn), "retry after": slipway.RetryAfter(time.Second, errOwn),
		"park": slipway.Park(errOwn), "skip": slipway.Skip(errOwn), "trip": slipway.Trip(errOwn),
	} {
		runs := 0
		err := outbox.Do(from(t.Context(), name), db, func(ctx context.Context, tx *sql.Tx) error {
			runs++
			if err := effect(name)(ctx, tx); err != nil {
				return err
			}
			return outcome
		})
		if err != outcome || runs != 1 { //nolint:errorlint // the very value
			t.Errorf("%s: Do = %v after %d runs, want the outcome as it is after one", name, err, runs)
		}
		requireEffects(t, db, name, 0)
		if err := outbox.Do(from(t.Context(), name), db, effect(name)); err != nil {
			t.Error(err)
		}
		requireEffects(t, db, name, 1)
	}
}

func panicsLeaveNothing(t *testing.T, db *sql.DB) {
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = outbox.Do(from(t.Context(), "a"), db, func(ctx context.Context, tx *sql.Tx) error {
			if err := effect("a")(ctx, tx); err != nil {
				t.Error(err)
			}
			panic("boom")
		})
	}()
	requireEffects(t, db, "a", 0)
	againIsDone(t, db)
}

func nestedIsRefused(t *testing.T, db *sql.DB) {
	err := outbox.Do(from(t.Context(), "a"), db, func(ctx context.Context, tx *sql.Tx) error {
		return outbox.Do(ctx, db, effect("a"))
	})
	if !errors.Is(err, outbox.ErrNested) {
		t.Errorf("Do within Do = %v, want %v", err, outbox.ErrNested)
	}
}

func sideBySideIsOnce(t *testing.T, db *sql.DB) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := outbox.Do(from(t.Context(), "a"), db, effect("a")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	requireEffects(t, db, "a", 1)
}

func waitingTakesOver(t *testing.T, db *sql.DB) {
	inside, leave, second := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	first := make(chan error, 1)
	go func() {
		first <- outbox.Do(from(t.Context(), "a"), db, func(ctx context.Context, tx *sql.Tx) error {
			close(inside)
			<-leave
			return errOwn
		})
	}()
	<-inside
	go func() { second <- outbox.Do(from(t.Context(), "a"), db, effect("a")) }()
	select {
	case err := <-second:
		t.Fatalf("the second one did not wait: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	close(leave)
	if err := <-first; !errors.Is(err, errOwn) {
		t.Error(err)
	}
	if err := <-second; err != nil {
		t.Error(err)
	}
	requireEffects(t, db, "a", 1)
}

func anyIDIsKept(t *testing.T, db *sql.DB) {
	for i, id := range []string{"a\x00b", "\xff\xfe", strings.Repeat("long", 10_000), "", "'; DROP TABLE effects; --"} {
		name := fmt.Sprint("id ", i)
		for range 2 {
			if err := outbox.Do(from(t.Context(), id), db, effect(name)); err != nil {
				t.Error(err)
			}
		}
		requireEffects(t, db, name, 1)
	}
}

func endedKeepsNothing(t *testing.T, db *sql.DB) {
	ctx, cancel := context.WithCancelCause(t.Context())
	err := outbox.Do(from(ctx, "a"), db, func(ctx context.Context, tx *sql.Tx) error {
		defer cancel(errOwn)
		return effect("a")(ctx, tx)
	})
	if !errors.Is(err, errOwn) {
		t.Errorf("Do with an ended context = %v, want its cause", err)
	}
	requireEffects(t, db, "a", 0)
	if err := outbox.Do(from(ctx, "b"), db, effect("b")); !errors.Is(err, errOwn) {
		t.Errorf("Do after the end of its context = %v, want its cause", err)
	}
}

func plainTransaction(t *testing.T, db *sql.DB) {
	for range 2 {
		if err := outbox.Do(t.Context(), db, effect("a")); err != nil {
			t.Error(err)
		}
	}
	requireEffects(t, db, "a", 2)
	if n := number(t, db, "SELECT count(*) FROM slipway_inbox"); n != 0 {
		t.Errorf("%d rows in the inbox, want none", n)
	}
}

func forgetting(t *testing.T, db *sql.DB) {
	const old = outbox.ForgetStep + 10
	for i := range old + 5 {
		keep := time.Hour
		if i < old {
			keep = -time.Millisecond
		}
		ctx := slipway.WithDelivery(t.Context(), slipway.Delivery{Entry: "e", Group: "g", ID: fmt.Sprint(i), Keep: keep})
		if err := outbox.Do(ctx, db, func(context.Context, *sql.Tx) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	for step, want := range []int64{outbox.ForgetStep, 10, 0} {
		n, err := outbox.ForgetSome(t.Context(), db, time.Now())
		if err != nil || n != want {
			t.Errorf("step %d deleted %d, %v; want %d", step, n, err, want)
		}
	}
	if n := number(t, db, "SELECT count(*) FROM slipway_inbox"); n != 5 {
		t.Errorf("%d ids are left, want the 5 whose time is not over", n)
	}
}

// manyDeliveries is a topic whose messages come five times on average and once
// at least, in any order, to eight workers. SLIPWAY_SOAK=1 makes it a million deliveries.
func manyDeliveries(t *testing.T, db *sql.DB) {
	messages, deliveries := 1000, 5000
	if os.Getenv("SLIPWAY_SOAK") == "1" {
		messages, deliveries = 200_000, 1_000_000
	}
	ids := make([]int, 0, deliveries)
	for id := range messages {
		ids = append(ids, id)
	}
	for len(ids) < deliveries {
		ids = append(ids, rand.IntN(messages))
	}
	rand.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	began := time.Now()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(ids) {
					return
				}
				id := fmt.Sprint("message-", ids[i])
				if err := outbox.Do(from(t.Context(), id), db, effect(id)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d deliveries of %d messages in %v", len(ids), messages, time.Since(began).Round(time.Millisecond))
	all, distinct := number(t, db, "SELECT count(*) FROM effects"), number(t, db, "SELECT count(DISTINCT id) FROM effects")
	if all != messages || distinct != messages {
		t.Errorf("%d effects of %d messages, want %d of each", all, distinct, messages)
	}
}
