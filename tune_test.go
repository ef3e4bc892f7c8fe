package slipway_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/slipwaytest"
)

// loaded is a service under load, and what its handlers do meanwhile.
type loaded struct {
	app     *slipway.App
	calls   calls
	running atomic.Int64
	most    atomic.Int64
	limit   atomic.Int64 // the timeout that the last handler was given
	took    time.Duration
}

func (l *loaded) wire(app *slipway.App) error {
	if l.app == nil {
		l.app = app // the first instance
	}
	return ship(func(ctx context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
		now := l.running.Add(1)
		defer l.running.Add(-1)
		for most := l.most.Load(); now > most && !l.most.CompareAndSwap(most, now); most = l.most.Load() {
		}
		if at, ok := ctx.Deadline(); ok {
			l.limit.Store(int64(time.Until(at)))
		}
		if l.took > 0 {
			<-time.After(l.took)
		}
		l.calls.add(m)
		return nil
	})(app)
}

// tune changes the orders' consumption and returns how it is then.
func (l *loaded) tune(t *testing.T, change slipway.Tuning) slipway.Tuning {
	t.Helper()
	now, err := l.app.Tune(orders, change)
	if err != nil {
		t.Fatalf("tune: %v", err)
	}
	return now
}

// peak returns how many handlers ran at a time since it was last asked.
func (l *loaded) peak() int64 { return l.most.Swap(l.running.Load()) }

// requireOnce checks that so many records were handled, each once and in the
// order of its key.
func (l *loaded) requireOnce(t *testing.T, keys, each int) {
	t.Helper()
	all := l.calls.all()
	for key := range keys {
		var want []int64
		for n := range each {
			want = append(want, int64(n))
		}
		if got := amounts(all, fmt.Sprint(key)); !slices.Equal(got, want) {
			t.Errorf("handled %v of key %d, want %d records, each once and in order", got, key, each)
		}
	}
}

// send sends one record of each key.
func send(k *slipwaytest.Kit, keys, n int) {
	for key := range keys {
		k.Send(orders, order{fmt.Sprint(key), int64(n)}, slipwaytest.Key(fmt.Sprint(key)))
	}
}

// load sends some records of each key.
func load(k *slipwaytest.Kit, keys, each int) {
	for n := range each {
		send(k, keys, n)
	}
}

func TestConcurrencyChangesUnderLoadAndNothingIsLostOrRepeated(t *testing.T) {
	t.Parallel()
	l := &loaded{took: 200 * time.Millisecond}
	slipwaytest.Run(t, files("dead-letter"), l.wire, func(t *testing.T, k *slipwaytest.Kit) {
		const keys, each = 40, 8 // 64 seconds of work
		load(k, keys, each)
		k.Advance(2 * time.Second)
		if got := l.peak(); got != 8 {
			t.Errorf("%d handlers at a time, want the contract's 8", got)
		}
		if now := l.tune(t, slipway.Tuning{Concurrency: new(24)}); *now.Concurrency != 24 {
			t.Errorf("concurrency = %d after the change", *now.Concurrency)
		}
		k.Advance(600 * time.Millisecond)
		if got := l.peak(); got != 24 {
			t.Errorf("%d handlers at a time, want 24", got)
		}
		l.tune(t, slipway.Tuning{Concurrency: new(2)})
		k.Advance(time.Second) // those that run finish
		l.peak()
		k.Advance(3 * time.Second)
		if got := l.peak(); got != 2 {
			t.Errorf("%d handlers at a time, want 2", got)
		}
		if got := *l.app.Tuned()[orders].Concurrency; got != 2 {
			t.Errorf("tuned to %d, want 2", got)
		}
		l.tune(t, slipway.Tuning{Concurrency: new(100)})
		k.Advance(5 * time.Second)
		l.requireOnce(t, keys, each)
		if lag := k.Lag("shipper"); lag != 0 {
			t.Errorf("lag = %d, want all finished", lag)
		}
		if strings.Contains(k.Log(), "partitions revoked") {
			t.Error("the instance left its group")
		}
	})
}

func TestRateAndBulkheadChangeUnderLoad(t *testing.T) {
	t.Parallel()
	l := &loaded{took: 100 * time.Millisecond}
	slipwaytest.Run(t, files("dead-letter"), l.wire, func(t *testing.T, k *slipwaytest.Kit) {
		const keys, each = 30, 10
		l.tune(t, slipway.Tuning{Bulkhead: new(3)})
		load(k, keys, each)
		k.Advance(time.Second)
		if got := l.peak(); got != 3 {
			t.Errorf("%d handlers at a time, want the bulkhead's 3", got)
		}
		l.tune(t, slipway.Tuning{Bulkhead: new(0), Rate: new(5.0)})
		k.Advance(2 * time.Second) // what the rate had saved is spent
		before := len(l.calls.all())
		k.Advance(4 * time.Second)
		if got := len(l.calls.all()) - before; got < 18 || got > 22 {
			t.Errorf("%d handled in four seconds, want about 20", got)
		}
		l.tune(t, slipway.Tuning{Rate: new(0.0)})
		k.Advance(10 * time.Second)
		l.requireOnce(t, keys, each)
	})
}

func TestTheTimeoutChangesForTheNextAttempt(t *testing.T) {
	t.Parallel()
	l := &loaded{}
	slipwaytest.Run(t, files("dead-letter"), l.wire, func(t *testing.T, k *slipwaytest.Kit) {
		for n, want := range []time.Duration{10 * time.Second, 90 * time.Second, 5 * time.Millisecond} {
			if n > 0 {
				l.tune(t, slipway.Tuning{TimeoutMillis: new(want.Milliseconds())})
			}
			send(k, 1, n)
			k.Advance(time.Second)
			if got := time.Duration(l.limit.Load()); got != want {
				t.Errorf("a handler had %v, want %v", got, want)
			}
		}
	})
}

func TestAPausedTopicRestsAndGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	l := &loaded{took: 50 * time.Millisecond}
	slipwaytest.Run(t, files("dead-letter"), l.wire, func(t *testing.T, k *slipwaytest.Kit) {
		const keys, each = 20, 10
		load(k, keys, each/2)
		k.Advance(200 * time.Millisecond)
		l.tune(t, slipway.Tuning{Paused: new(true)})
		k.Advance(100 * time.Millisecond) // those that run finish
		before := len(l.calls.all())
		if before == 0 || before == keys*each/2 {
			t.Fatalf("%d handled before the pause, want some and not all", before)
		}
		for n := range each / 2 {
			send(k, keys, each/2+n)
		}
		k.Advance(10 * time.Minute) // far beyond any session
		if got := len(l.calls.all()); got != before {
			t.Errorf("%d handled during the pause", got-before)
		}
		if err := l.app.Ready(); err != nil {
			t.Errorf("not ready during a pause that was asked for: %v", err)
		}
		for _, p := range l.app.Consumption()[0].Partitions {
			if !p.Paused {
				t.Errorf("partition %d is fetched during the pause", p.Partition)
			}
		}
		k.Start("shipper") // a rebalance meanwhile changes nothing for what stays
		k.Stop("shipper")
		l.tune(t, slipway.Tuning{Paused: new(false)})
		k.Advance(10 * time.Second)
		if strings.Contains(k.Log(), "partition lost") {
			t.Error("the instance left its group during the pause")
		}
		if lag := k.Lag("shipper"); lag != 0 {
			t.Errorf("lag = %d after the pause, want none", lag)
		}
	})
}

func TestAHeldKeyWaitsInOrderAndOthersFlow(t *testing.T) {
	t.Parallel()
	l := &loaded{}
	slipwaytest.Run(t, files("dead-letter"), l.wire, func(t *testing.T, k *slipwaytest.Kit) {
		const keys, each = 5, 4
		l.tune(t, slipway.Tuning{Held: &[]string{"1", "3"}})
		load(k, keys, each)
		k.Advance(time.Minute)
		for key := range keys {
			want := each
			if key == 1 || key == 3 {
				want = 0
			}
			if got := amounts(l.calls.all(), fmt.Sprint(key)); len(got) != want {
				t.Errorf("handled %v of key %d, want %d", got, key, want)
			}
		}
		if err := l.app.Ready(); err != nil {
			t.Errorf("not ready while keys are held on purpose: %v", err)
		}
		l.tune(t, slipway.Tuning{Held: &[]string{"3"}})
		k.Advance(time.Second)
		if got := amounts(l.calls.all(), "1"); len(got) != each {
			t.Errorf("handled %v of a key that was let go, want all", got)
		}
		l.tune(t, slipway.Tuning{Held: &[]string{}})
		k.Advance(time.Second)
		l.requireOnce(t, keys, each)
	})
}

func TestAHeldKeyIsHeldInBatchesToo(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var handled []string
	var app *slipway.App
	wire := func(a *slipway.App) error {
		app = a
		slipway.NewProducer[order](a, shipments)
		slipway.HandleBatch(a, orders, func(_ context.Context, batch []*slipway.Message[order]) []error {
			mu.Lock()
			defer mu.Unlock()
			for _, m := range batch {
				handled = append(handled, m.Value.OrderID)
			}
			return nil
		})
		return nil
	}
	fs := files("dead-letter")
	fs["slipway.yaml"].Data = []byte(strings.ReplaceAll(string(fs["slipway.yaml"].Data), "order: key", "order: none"))
	slipwaytest.Run(t, fs, wire, func(t *testing.T, k *slipwaytest.Kit) {
		if _, err := app.Tune(orders, slipway.Tuning{Held: &[]string{"b"}}); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"a", "b", "a", "b"} {
			k.Send(orders, order{key, 1}, slipwaytest.Key(key), slipwaytest.Partition(0))
		}
		k.Advance(time.Minute)
		mu.Lock()
		if slices.Contains(handled, "b") {
			t.Errorf("handled %v, want nothing of the held key", handled)
		}
		mu.Unlock()
		if _, err := app.Tune(orders, slipway.Tuning{Held: &[]string{}}); err != nil {
			t.Fatal(err)
		}
		k.Advance(time.Minute)
		mu.Lock()
		defer mu.Unlock()
		if slices.Sort(handled); !slices.Equal(handled, []string{"a", "a", "b", "b"}) {
			t.Errorf("handled %v after the key was let go, want all", handled)
		}
	})
}

func TestAChangeOutOfBoundsIsRefusedWhole(t *testing.T) {
	t.Parallel()
	l := &loaded{}
	slipwaytest.Run(t, files("dead-letter"), l.wire, func(t *testing.T, _ *slipwaytest.Kit) {
		for name, tt := range map[string]struct {
			entry  string
			change slipway.Tuning
			want   []string // in the message
		}{
			"concurrency":      {orders, slipway.Tuning{Concurrency: new(0)}, []string{"concurrency is 0"}},
			"much concurrency": {orders, slipway.Tuning{Concurrency: new(10_001)}, []string{"concurrency is 10001", "10000"}},
			"bulkhead":         {orders, slipway.Tuning{Bulkhead: new(-1)}, []string{"bulkhead is -1"}},
			"rate":             {orders, slipway.Tuning{Rate: new(-0.5)}, []string{"rate is -0.5"}},
			"timeout":          {orders, slipway.Tuning{TimeoutMillis: new(int64(0))}, []string{"timeout_ms is 0"}},
			"long timeout":     {orders, slipway.Tuning{TimeoutMillis: new(int64(86_400_001))}, []string{"timeout_ms is 86400001"}},
			"one of several":   {orders, slipway.Tuning{Concurrency: new(3), Paused: new(true), Rate: new(-1.0), Bulkhead: new(-2)}, []string{"rate is -1", "bulkhead is -2"}},
			"entry":            {"nothing.v1", slipway.Tuning{Concurrency: new(3)}, []string{"nothing.v1", orders}},
		} {
			_, err := l.app.Tune(tt.entry, tt.change)
			found := diag.Of(err)
			if len(found) == 0 || found[0].Code != diag.RuntimeTuningInvalid {
				t.Errorf("%s: Tune() = %v, want %s", name, err, diag.RuntimeTuningInvalid)
			}
			for _, want := range tt.want {
				if text := found.Text(); !strings.Contains(text, want) {
					t.Errorf("%s: %q lacks %q", name, text, want)
				}
			}
		}
		now := l.app.Tuned()[orders]
		if *now.Concurrency != 8 || *now.Paused || *now.Bulkhead != 0 || *now.Rate != 0 {
			t.Errorf("tuned to concurrency %d, paused %v, bulkhead %d, rate %v by changes that were refused",
				*now.Concurrency, *now.Paused, *now.Bulkhead, *now.Rate)
		}
	})
}
