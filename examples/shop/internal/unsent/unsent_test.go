package unsent_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/shop/internal/store"
	"example.com/shop/internal/unsent"
)

const (
	topic  = "things.done.v1"
	schema = `CREATE TABLE IF NOT EXISTS effects (event TEXT NOT NULL);`
)

type done struct{ Thing string }

// A cluster is where events go. While it is down a send waits for its context.
type cluster struct {
	down atomic.Bool
	mu   sync.Mutex
	got  []string // "id key payload"
}

func (c *cluster) send(ctx context.Context, e unsent.Event) error {
	if c.down.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	if strings.Contains(string(e.Payload), "poison") {
		return errors.New("too large")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = append(c.got, e.ID+" "+e.Key+" "+string(e.Payload))
	return nil
}

// things are the payloads that arrived, in order.
func (c *cluster) things() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []string
	for _, g := range c.got {
		_, thing, _ := strings.Cut(g, `"Thing":"`)
		all = append(all, strings.TrimSuffix(thing, `"}`))
	}
	return all
}

// A life is one run of a service on its database.
type life struct {
	db  store.DB
	box *unsent.Box
	out *unsent.Topic[done]
}

func begin(t testing.TB, file string, c *cluster) *life {
	t.Helper()
	db, err := store.Open(t.Context(), "sqlite:"+file, unsent.Schema, schema)
	if err != nil {
		t.Fatal(err)
	}
	return beginOn(db, c)
}

func beginOn(db store.DB, c *cluster) *life {
	l := &life{db: db, box: unsent.New(db, slog.New(slog.DiscardHandler))}
	l.out = unsent.NewTopic[done](l.box, topic)
	l.box.Connect(topic, c.send)
	return l
}

// do handles an event whose effect is a row and one event for each thing.
func (l *life) do(ctx context.Context, id, key string, things ...string) error {
	return l.box.Do(ctx, id, func(ctx context.Context, tx *unsent.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO effects (event) VALUES ($1)`, id); err != nil {
			return err
		}
		for _, thing := range things {
			if _, err := l.out.Send(ctx, tx, key, &done{thing}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (l *life) effects(t *testing.T) int { return l.count(t, `SELECT COUNT(*) FROM effects`) }

func (l *life) waiting(t *testing.T) int { return l.count(t, `SELECT COUNT(*) FROM unsent`) }

func (l *life) count(t *testing.T, query string) int {
	t.Helper()
	var n int
	if err := l.db.Reader().QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func (l *life) end(t *testing.T) {
	t.Helper()
	if err := l.db.Close(); err != nil {
		t.Error(err)
	}
}

// inBubble runs a test on a virtual clock, with the path of a new database.
func inBubble(t *testing.T, test func(t *testing.T, file string)) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "box.db")
	synctest.Test(t, func(t *testing.T) { test(t, file) })
}

func TestAnEventThatComesTwiceHasOneEffect(t *testing.T) {
	inBubble(t, func(t *testing.T, file string) {
		var c cluster
		l := begin(t, file, &c)
		defer l.end(t)
		for range 3 {
			if err := l.do(t.Context(), "e1", "k", "a"); err != nil {
				t.Fatal(err)
			}
		}
		if n, got := l.effects(t), c.things(); n != 1 || len(got) != 1 {
			t.Errorf("%d effects and events %q, want one of each", n, got)
		}
		if n := l.waiting(t); n != 0 {
			t.Errorf("%d events wait though the cluster has them", n)
		}
	})
}

func TestAHandlerThatFailsHasDoneNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, file string) {
		var c cluster
		l := begin(t, file, &c)
		defer l.end(t)
		cause := errors.New("not today")
		err := l.box.Do(t.Context(), "e1", func(ctx context.Context, tx *unsent.Tx) error {
			if _, err := l.out.Send(ctx, tx, "k", &done{"a"}); err != nil {
				return err
			}
			return cause
		})
		if !errors.Is(err, cause) {
			t.Errorf("Do() = %v, want the handler's own error", err)
		}
		if n, got := l.waiting(t), c.things(); n != 0 || len(got) != 0 {
			t.Errorf("%d events wait and %q were sent, want none", n, got)
		}
		if err := l.do(t.Context(), "e1", "k", "a"); err != nil || l.effects(t) != 1 {
			t.Errorf("handled again: %v with %d effects, want 1", err, l.effects(t))
		}
	})
}

func TestWhatACrashLeftUnsentIsSentAtTheNextStart(t *testing.T) {
	inBubble(t, func(t *testing.T, file string) {
		var c cluster
		c.down.Store(true)
		first := begin(t, file, &c)
		for _, e := range []string{"e1", "e2", "e3"} {
			if err := first.do(t.Context(), e, "k-"+e, e+"-1", e+"-2"); err != nil {
				t.Fatalf("the effect is committed, yet Do() = %v", err)
			}
		}
		first.end(t)

		c.down.Store(false)
		next := begin(t, file, &c)
		defer next.end(t)
		if err := next.box.Resend(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := c.things()
		slices.Sort(got)
		if want := []string{"e1-1", "e1-2", "e2-1", "e2-2", "e3-1", "e3-2"}; !slices.Equal(got, want) {
			t.Errorf("sent %q, want %q", got, want)
		}
		for _, e := range []string{"e1", "e2", "e3"} { // the group never committed: they come again
			if err := next.do(t.Context(), e, "k-"+e, "again"); err != nil {
				t.Fatal(err)
			}
		}
		if n, sent := next.effects(t), len(c.things()); n != 3 || sent != 6 {
			t.Errorf("%d effects and %d events after the repeat, want 3 and 6", n, sent)
		}
	})
}

func TestARepeatSendsWhatTheFirstHandlingLeft(t *testing.T) {
	inBubble(t, func(t *testing.T, file string) {
		var c cluster
		l := begin(t, file, &c)
		defer l.end(t)
		c.down.Store(true)
		if err := l.do(t.Context(), "e1", "k", "a"); err != nil {
			t.Fatal(err)
		}
		c.down.Store(false)
		if err := l.do(t.Context(), "e1", "k", "never"); err != nil {
			t.Fatal(err)
		}
		if got := c.things(); !slices.Equal(got, []string{"a"}) || l.effects(t) != 1 {
			t.Errorf("sent %q with %d effects, want what the first handling left", got, l.effects(t))
		}
	})
}

func TestEventsOfAKeyLeaveInTheOrderOfTheirCommits(t *testing.T) {
	inBubble(t, func(t *testing.T, file string) {
		var c cluster
		l := begin(t, file, &c)
		defer l.end(t)
		c.down.Store(true)
		if err := l.do(t.Context(), "e1", "k", "a", "b"); err != nil {
			t.Fatal(err)
		}
		c.down.Store(false)
		if err := l.do(t.Context(), "e2", "k", "c"); err != nil {
			t.Fatal(err)
		}
		if got, want := c.things(), []string{"a", "b", "c"}; !slices.Equal(got, want) {
			t.Errorf("sent %q, want %q", got, want)
		}
	})
}

// forgetful is a database that stops to answer after the events were sent.
type forgetful struct {
	store.DB
	broken *atomic.Bool
}

func (f forgetful) Update(ctx context.Context, fn func(context.Context, store.Tx) error) error {
	if f.broken.Load() {
		return errors.New("disk is gone")
	}
	return f.DB.Update(ctx, fn)
}

func TestACrashAfterTheClustersAnswerRepeatsTheSameID(t *testing.T) {
	inBubble(t, func(t *testing.T, file string) {
		var c cluster
		var broken atomic.Bool
		first := begin(t, file, &c)
		l := beginOn(forgetful{first.db, &broken}, &c)
		l.box.Connect(topic, func(ctx context.Context, e unsent.Event) error {
			broken.Store(true)
			return c.send(ctx, e)
		})
		if err := l.do(t.Context(), "e1", "k", "a"); err == nil {
			t.Error("Do() = nil though the sent event could not be deleted")
		}
		first.end(t)
		next := begin(t, file, &c)
		defer next.end(t)
		if err := next.box.Resend(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(c.got) != 2 || c.got[0] != c.got[1] {
			t.Errorf("sent %q, want the same event twice", c.got)
		}
	})
}

func TestAnEventThatCannotBeSentHoldsBackOnlyItsKey(t *testing.T) {
	inBubble(t, func(t *testing.T, file string) {
		var c cluster
		l := begin(t, file, &c)
		defer l.end(t)
		if err := l.do(t.Context(), "e1", "k", "poison"); err == nil {
			t.Error("Do() = nil for an event that waiting does not cure")
		}
		_ = l.do(t.Context(), "e2", "k", "behind")
		if err := l.do(t.Context(), "e3", "other", "free"); err != nil {
			t.Fatal(err)
		}
		if err := l.box.Resend(t.Context()); err != nil {
			t.Errorf("Resend() = %v: one event must not keep the service from starting", err)
		}
		if got := c.things(); !slices.Equal(got, []string{"free"}) || l.waiting(t) != 2 {
			t.Errorf("sent %q while %d wait, want only the other key's", got, l.waiting(t))
		}
	})
}

func TestLeftOversLeaveWhenTheClusterIsBack(t *testing.T) {
	inBubble(t, func(t *testing.T, file string) {
		var c cluster
		c.down.Store(true)
		l := begin(t, file, &c)
		defer l.end(t)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			if err := l.box.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		if err := l.do(t.Context(), "e1", "k", "a", "b"); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Minute)
		if got := c.things(); len(got) != 0 {
			t.Errorf("sent %q to a cluster that is away", got)
		}
		cancel() // with a send under way, which must let go
		running.Wait()

		c.down.Store(false)
		ctx, cancel = context.WithCancel(t.Context())
		running.Go(func() { _ = l.box.Run(ctx) })
		<-time.After(5 * time.Second)
		cancel()
		running.Wait()
		if got, want := c.things(), []string{"a", "b"}; !slices.Equal(got, want) {
			t.Errorf("sent %q, want %q", got, want)
		}
	})
}

func TestResendFailsWhileTheClusterIsAway(t *testing.T) {
	inBubble(t, func(t *testing.T, file string) {
		var c cluster
		c.down.Store(true)
		l := begin(t, file, &c)
		defer l.end(t)
		if err := l.do(t.Context(), "e1", "k", "a"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := l.box.Resend(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Resend() = %v, want %v", err, context.DeadlineExceeded)
		}
	})
}

func TestTheInboxForgetsOnlyWhatNoTopicHolds(t *testing.T) {
	inBubble(t, func(t *testing.T, file string) {
		var c cluster
		l := begin(t, file, &c)
		defer l.end(t)
		if err := l.do(t.Context(), "old", "k"); err != nil {
			t.Fatal(err)
		}
		<-time.After(unsent.Remember - time.Hour)
		if err := l.do(t.Context(), "young", "k"); err != nil {
			t.Fatal(err)
		}
		<-time.After(2 * time.Hour)
		if err := l.box.Resend(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"old", "young"} {
			if err := l.do(t.Context(), id, "k"); err != nil {
				t.Fatal(err)
			}
		}
		if n := l.effects(t); n != 3 {
			t.Errorf("%d effects, want 3: only the old event was forgotten", n)
		}
	})
}

// BenchmarkDo is what handling one event costs the database: an inbox row, two
// effects, an event kept, sent (to nowhere) and deleted.
func BenchmarkDo(b *testing.B) {
	var c cluster
	l := begin(b, filepath.Join(b.TempDir(), "box.db"), &c)
	defer l.db.Close()
	l.box.Connect(topic, func(context.Context, unsent.Event) error { return nil })
	var n atomic.Int64
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			id := "event-" + time.Duration(n.Add(1)).String()
			if err := l.do(b.Context(), id, id, "a"); err != nil {
				b.Error(err)
			}
		}
	})
}
