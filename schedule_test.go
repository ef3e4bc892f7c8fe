package slipway_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/slipwaytest"
)

// scheduled records when the topic got each of its records, by id.
type scheduled struct {
	due map[string]time.Time
	got map[string]int
	log []string // in the order of delivery
}

// watch reads the topic as it grows and requires that nothing is there before
// its time.
func (s *scheduled) watch(t *testing.T, k *slipwaytest.Kit) {
	t.Helper()
	for _, r := range k.Records(orders)[len(s.log):] {
		id := headersOf(r)["ce_id"]
		if now := time.Now(); now.Before(s.due[id]) {
			t.Fatalf("%s came %v early", id, s.due[id].Sub(now))
		}
		if !r.Timestamp.Equal(s.due[id].Truncate(time.Millisecond)) {
			t.Errorf("%s has the time %v, was due at %v", id, r.Timestamp, s.due[id])
		}
		s.got[id]++
		s.log = append(s.log, id)
	}
}

func TestNothingScheduledIsDeliveredEarlyOrLostAcrossARestart(t *testing.T) {
	t.Parallel()
	keep(t, "{spill: {sync: interval}}", func(t *testing.T, k *slipwaytest.Kit, out *slipway.Producer[order]) {
		rng := rand.New(rand.NewPCG(1, 2))
		s := &scheduled{due: map[string]time.Time{}, got: map[string]int{}}
		const n = 1000
		began := time.Now()
		for i := range n {
			id := strconv.Itoa(i)
			s.due[id] = began.Add(time.Duration(1 + rng.Int64N(int64(time.Hour)-1)))
			r, err := out.SendAt(t.Context(), s.due[id], &order{OrderID: "one key"}, slipway.WithID(id))
			if err != nil || r.Offset != -1 {
				t.Fatalf("SendAt() = %v, %v", r, err)
			}
		}
		for minute := range 61 {
			if minute == 20 {
				k.Stop("seller") // what becomes due meanwhile comes late
				k.Advance(3 * time.Minute)
				s.watch(t, k)
				k.Start("seller")
			}
			if minute == 40 {
				mend := cutAll(k)
				k.Advance(5 * time.Minute)
				mend()
			}
			k.Advance(time.Minute)
			if minute%4 == 0 || minute == 60 { // it reads the whole topic
				s.watch(t, k)
			}
		}
		if len(s.got) != n || len(s.log) != n {
			t.Errorf("%d of %d were delivered, in %d records", len(s.got), n, len(s.log))
		}
		if !slices.IsSortedFunc(s.log, func(a, b string) int { return s.due[a].Compare(s.due[b]) }) {
			t.Error("records of one key were not delivered in the order of their times")
		}
	})
}

func TestWhatIsDueIsSentAtOnce(t *testing.T) {
	t.Parallel()
	sell(t, "{}", func(t *testing.T, k *slipwaytest.Kit, out *slipway.Producer[order]) {
		r, err := out.SendAt(t.Context(), time.Now().Add(-time.Second), &order{OrderID: "k"})
		if err != nil || r.Offset < 0 {
			t.Errorf("SendAt() in the past = %v, %v, want a place", r, err)
		}
		at := time.Now().Add(90 * time.Second)
		if _, err := out.SendAt(t.Context(), at, &order{OrderID: "k"}); err != nil {
			t.Fatal(err)
		}
		k.Advance(time.Until(at) - 200*time.Millisecond) // looking takes time, too
		if n := len(k.Records(orders)); n != 1 {
			t.Errorf("%d records before the time, want 1", n)
		}
		k.Advance(time.Second)
		k.RequireProduced(orders, 2)
	})
}

func TestADueTimeIsRefusedWhereItCannotBeKept(t *testing.T) {
	t.Parallel()
	var out *slipway.Producer[order]
	slipwaytest.RunAll(t, []slipwaytest.Service{{
		Files:     selling("{}"),
		Wire:      func(app *slipway.App) error { out = slipway.NewProducer[order](app, orders); return nil },
		Configure: func(cfg *slipway.Config) { cfg.Environment.SpillDir = "" },
	}}, func(t *testing.T, k *slipwaytest.Kit) {
		_, err := out.SendAt(t.Context(), time.Now().Add(time.Hour), &order{OrderID: "k"})
		if !codedAs(err, diag.ProducerSpillDir) {
			t.Errorf("without a directory: %v, want %s", err, diag.ProducerSpillDir)
		}
		rec, err := out.Record(t.Context(), &order{OrderID: "k"}, slipway.WithDueTime(time.Unix(1e10, 0)))
		if err != nil || !slipway.DueTime(rec).Equal(time.Unix(1e10, 0)) {
			t.Errorf("Record() = due at %v, %v", slipway.DueTime(rec), err)
		}
		if due := slipway.DueTime(new(kgo.Record)); !due.IsZero() {
			t.Errorf("a record without a due time is due at %v", due)
		}
	})
}

func TestATransactionKeepsNoDueTime(t *testing.T) {
	t.Parallel()
	var out *slipway.Producer[order]
	var result chan error
	files := selling("{via: transaction}")
	files["slipway.yaml"].Data = append(files["slipway.yaml"].Data, "consumes:\n  orders.created.v1: {retry: {delays: [1s]}}\n"...)
	slipwaytest.Run(t, files, func(app *slipway.App) error {
		out, result = slipway.NewProducer[order](app, orders), make(chan error, 10)
		slipway.Handle(app, orders, func(ctx context.Context, m *slipway.Message[order]) error {
			_, err := out.SendAt(ctx, time.Now().Add(time.Hour), &order{OrderID: "k"})
			result <- err
			return nil
		})
		return nil
	}, func(t *testing.T, k *slipwaytest.Kit) {
		k.Send(orders, &order{OrderID: "k"})
		if err := <-result; !codedAs(err, diag.ProducerDueVia) {
			t.Errorf("in a transaction: %v, want %s", err, diag.ProducerDueVia)
		}
	})
}

// The directory that cannot be had is told by the first value that needs it.
func TestAScheduleSaysThatItsDirectoryCannotBeUsed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var out *slipway.Producer[order]
	slipwaytest.RunAll(t, []slipwaytest.Service{{
		Files:     selling("{}"),
		Wire:      func(app *slipway.App) error { out = slipway.NewProducer[order](app, orders); return nil },
		Configure: func(cfg *slipway.Config) { cfg.Environment.SpillDir = filepath.Join(dir, "not", "there") },
	}}, func(t *testing.T, k *slipwaytest.Kit) {
		_, err := out.SendAt(t.Context(), time.Now().Add(time.Hour), &order{OrderID: "k"})
		if !codedAs(err, diag.SpillUnusable) {
			t.Errorf("SendAt() = %v, want %s", err, diag.SpillUnusable)
		}
		if err := offer(t.Context(), out, "at once"); err != nil {
			t.Errorf("what is not scheduled: %v", err)
		}
	})
}

// Records on disk that the cluster refuses stay there, are told, and go on once
// it takes them.
func TestWhatTheClusterRefusesStaysOnDisk(t *testing.T) {
	t.Parallel()
	sell(t, "{}", func(t *testing.T, k *slipwaytest.Kit, out *slipway.Producer[order]) {
		if err := offer(t.Context(), out, "warm"); err != nil {
			t.Fatal(err)
		}
		if _, err := out.SendAt(t.Context(), time.Now().Add(time.Minute), &order{OrderID: "k"}, slipway.WithID("late")); err != nil {
			t.Fatal(err)
		}
		k.FailRequests(kmsg.Produce, kerr.InvalidRecord, 3, orders)
		<-time.After(time.Minute + 50*time.Millisecond)
		if k.Ready("seller") == nil {
			t.Error("the service is ready while records cannot be written")
		}
		k.Advance(5 * time.Minute)
		if got := held(k, orders); got["late"] != 1 {
			t.Errorf("the topic holds %v", got)
		}
		if log := k.Log(); !strings.Contains(log, string(diag.SpillStuck)) {
			t.Errorf("%s was not told:\n%s", diag.SpillStuck, log)
		}
		if err := k.Ready("seller"); err != nil {
			t.Errorf("once it is written the service is not ready: %v", err)
		}
	})
}

func ExampleProducer_SendAt() {
	var reminders *slipway.Producer[order] // from NewProducer
	remind := func(ctx context.Context, o *order) error {
		_, err := reminders.SendAt(ctx, time.Now().Add(48*time.Hour), o, slipway.WithID("reminder-"+o.OrderID))
		return err // nil: it is on disk, and will be delivered
	}
	fmt.Println(remind != nil)
	// Output: true
}
