package slipway_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/slipwaytest"
)

// mount puts a file where a service finds it, as Kubernetes puts a ConfigMap:
// behind a link to a directory that is swapped.
type mount struct {
	t   *testing.T
	dir string
	n   int
}

func (m *mount) path() string { return filepath.Join(m.dir, "tuning.yaml") }

func (m *mount) put(text string) {
	m.t.Helper()
	m.n++
	version := filepath.Join(m.dir, strings.Repeat("v", m.n))
	for _, err := range []error{
		os.Mkdir(version, 0o700),
		os.WriteFile(filepath.Join(version, "tuning.yaml"), []byte(text), 0o600),
		os.Chtimes(filepath.Join(version, "tuning.yaml"), time.Unix(1, 0), time.Unix(1, 0)), // no newer than before
		os.Symlink(version, filepath.Join(m.dir, "..tmp")),
		os.Rename(filepath.Join(m.dir, "..tmp"), filepath.Join(m.dir, "..data")),
	} {
		if err != nil {
			m.t.Fatal(err)
		}
	}
	if m.n == 1 {
		if err := os.Symlink(filepath.Join("..data", "tuning.yaml"), m.path()); err != nil {
			m.t.Fatal(err)
		}
	}
}

func (m *mount) configure(cfg *slipway.Config) { cfg.Environment.TuningFile = m.path() }

func TestTheTuningFileIsFollowed(t *testing.T) {
	t.Parallel()
	m := &mount{t: t, dir: t.TempDir()}
	m.put("orders.created.v1: {concurrency: 3, rate: 2k/s, timeout: 1m30s, paused: true}\n")
	l := &loaded{}
	slipwaytest.RunAll(t, []slipwaytest.Service{{Files: files("dead-letter"), Wire: l.wire, Configure: m.configure}}, func(t *testing.T, k *slipwaytest.Kit) {
		require := func(when string, concurrency int, rate float64, timeout time.Duration, paused bool) {
			t.Helper()
			now := l.app.Tuned()[orders]
			if *now.Concurrency != concurrency || *now.Rate != rate || *now.TimeoutMillis != timeout.Milliseconds() || *now.Paused != paused {
				t.Errorf("%s: concurrency %d, rate %v, timeout %d ms, paused %v, want %d, %v, %v, %v", when,
					*now.Concurrency, *now.Rate, *now.TimeoutMillis, *now.Paused, concurrency, rate, timeout, paused)
			}
		}
		require("at the start", 3, 2000, 90*time.Second, true)
		send(k, 1, 0)
		k.Advance(time.Minute)
		if got := l.calls.all(); len(got) != 0 {
			t.Errorf("handled %v while the file says paused", got)
		}
		m.put(`{"orders.created.v1": {"concurrency": 5}}`) // the rest is the contract's again
		k.Advance(6 * time.Second)
		require("after a change", 5, 0, 10*time.Second, false)
		if got := l.calls.all(); len(got) != 1 {
			t.Errorf("handled %v after the pause, want what waited", got)
		}
		if _, err := l.app.Tune(orders, slipway.Tuning{Concurrency: new(9)}); err != nil {
			t.Fatal(err)
		}
		k.Advance(time.Minute)
		require("after a change by hand, the file being the same", 9, 0, 10*time.Second, false)
		for name, wrong := range map[string]string{
			"an unknown field": "orders.created.v1: {concurrency: 4, speed: 7}\n",
			"an unknown entry": "orders.created.v1: {concurrency: 4}\nnothing.v1: {paused: true}\n",
			"out of bounds":    "orders.created.v1: {concurrency: 4, bulkhead: -1}\n",
			"no unit":          "orders.created.v1: {concurrency: 4, timeout: 10}\n",
			"no YAML":          "orders.created.v1: {concurrency: 4\n",
		} {
			before := strings.Count(k.Log(), string(diag.RuntimeTuningUnread))
			m.put(wrong)
			k.Advance(time.Minute)
			require(name, 9, 0, 10*time.Second, false)
			if n := strings.Count(k.Log(), string(diag.RuntimeTuningUnread)) - before; n != 1 {
				t.Errorf("%s: told of %d times, want once", name, n)
			}
		}
		if err := os.Remove(m.path()); err != nil {
			t.Fatal(err)
		}
		k.Advance(time.Minute)
		require("without the file", 9, 0, 10*time.Second, false)
	})
}

func TestAMissingTuningFileStopsNothing(t *testing.T) {
	t.Parallel()
	l := &loaded{}
	missing := filepath.Join(t.TempDir(), "tuning.yaml")
	configure := func(cfg *slipway.Config) { cfg.Environment.TuningFile = missing }
	slipwaytest.RunAll(t, []slipwaytest.Service{{Files: files("dead-letter"), Wire: l.wire, Configure: configure}}, func(t *testing.T, k *slipwaytest.Kit) {
		send(k, 1, 0)
		k.Advance(time.Minute)
		l.requireOnce(t, 1, 1)
		if n := strings.Count(k.Log(), string(diag.RuntimeTuningUnread)); n != 1 {
			t.Errorf("told of the missing file %d times, want once", n)
		}
	})
}

// The state of consumption says what an operator needs to know before a change.
func TestConsumptionTellsHowEntriesStand(t *testing.T) {
	t.Parallel()
	var app *slipway.App
	wire := func(a *slipway.App) error {
		app = a
		return ship(func(_ context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
			if m.Value.OrderID == "bad" {
				return slipway.Reject(os.ErrInvalid)
			}
			return nil
		})(a)
	}
	slipwaytest.Run(t, files("dead-letter"), wire, func(t *testing.T, k *slipwaytest.Kit) {
		k.Send(orders, order{"good", 0}, slipwaytest.Partition(0))
		k.Send(orders, order{"bad", 0}, slipwaytest.Partition(1))
		k.Advance(time.Minute)
		all := app.Consumption()
		if len(all) != 1 {
			t.Fatalf("%d entries, want one", len(all))
		}
		e := all[0]
		if e.Entry != orders || e.Topic != orders || e.Group != "svc-shipper-dev" || e.Breaker != "closed" || e.Open != 0 || e.Running != 0 {
			t.Errorf("status = %+v", e)
		}
		if e.DeadLetters == nil || *e.DeadLetters != 1 {
			t.Errorf("dead letters = %v, want 1", e.DeadLetters)
		}
		if len(e.Partitions) == 0 {
			t.Fatal("no partitions")
		}
		for i, p := range e.Partitions {
			if int(p.Partition) != i || p.Lag == nil || *p.Lag != 0 || p.StartSource != "earliest" || p.StartOffset != 0 || p.Paused {
				t.Errorf("partition = %+v", p)
			}
		}
	})
}
