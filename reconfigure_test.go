package slipway_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/slipwaytest"
)

// reconfigure runs a test against a service with settings of its own.
func reconfigure(t *testing.T, l *loaded, wire func(*slipway.App), test func(t *testing.T, k *slipwaytest.Kit, fsys fstest.MapFS)) {
	t.Helper()
	fsys := ownFiles(nil)
	slipwaytest.Run(t, fsys, func(app *slipway.App) error {
		if wire != nil {
			wire(app)
		}
		return l.wire(app)
	}, func(t *testing.T, k *slipwaytest.Kit) {
		k.Advance(time.Second) // its first partitions open after the group has formed
		test(t, k, fsys)
	})
}

func TestAChangeIsMadeWhole(t *testing.T) {
	t.Parallel()
	l := &loaded{took: 10 * time.Millisecond}
	var text, door *slipway.Setting[string]
	var count *slipway.Setting[int64]
	var seen []string
	reconfigure(t, l, func(app *slipway.App) {
		text, door = slipway.NewSetting[string](app, "greeting.text"), slipway.NewSetting[string](app, "greeting.door")
		count = slipway.NewSetting[int64](app, "greeting.count")
		text.OnChange(func(now string) { // by then all of the change is there
			seen = append(seen, fmt.Sprintf("text %s %d %d %s", now, count.Get(), *app.Tuned()[orders].Concurrency, app.Settings().Text("greeting.door")))
		})
		count.OnChange(func(now int64) { seen = append(seen, fmt.Sprint("count ", now)) })
		door.OnChange(func(now string) { t.Errorf("told of %q, which waits for a restart", now) })
	}, func(t *testing.T, k *slipwaytest.Kit, fsys fstest.MapFS) {
		load(k, 10, 5)
		pending, err := l.app.Reconfigure(given(t, fsys, "consumes: {orders.created.v1: {concurrency: 2, rate: 500/s}}\ngreeting: {text: hi, count: 9, door: back}\nkafka: {consumer: {breaker: {failures: 9}}}\n"))
		if err != nil {
			t.Fatal(err)
		}
		var keys []string
		for _, c := range pending {
			keys = append(keys, c.Key)
		}
		if !slices.Contains(keys, "greeting.door") || !slices.Contains(keys, "kafka.consumer.breaker.failures") || slices.Contains(keys, "greeting.text") {
			t.Errorf("pending: %v, want the door and the breaker", keys)
		}
		if want := []string{"text hi 9 2 back", "count 9"}; !slices.Equal(seen, want) {
			t.Errorf("told of %q, want %q", seen, want)
		}
		if text.Get() != "hi" || count.Get() != 9 || door.Get() != "front" {
			t.Errorf("settings are %q, %d, %q; want hi, 9 and still front", text.Get(), count.Get(), door.Get())
		}
		if now := l.app.Tuned()[orders]; *now.Concurrency != 2 || *now.Rate != 500 {
			t.Errorf("concurrency %d, rate %v, want 2 and 500", *now.Concurrency, *now.Rate)
		}
		requireWarning(t, l.app, diag.SettingsPending, "greeting.door")
		if pending, err := l.app.Reconfigure(values(t, fsys, "")); err != nil || len(pending) > 0 {
			t.Errorf("taken back: %v, %v, want nothing to wait", pending, err)
		}
		if now := l.app.Tuned()[orders]; *now.Concurrency != 8 || *now.Rate != 0 || text.Get() != "hello" {
			t.Errorf("concurrency %d, rate %v, text %q after it was taken back, want the contract's", *now.Concurrency, *now.Rate, text.Get())
		}
		requireWarning(t, l.app, "", "")
		k.Advance(time.Minute)
		l.requireOnce(t, 10, 5)
	})
}

// requireWarning checks what health says of the configuration: a warning of a
// code, or nothing.
func requireWarning(t *testing.T, app *slipway.App, code diag.Code, says string) {
	t.Helper()
	if err := app.Ready(); err != nil {
		t.Errorf("not ready: %v", err)
	}
	for _, c := range app.Health().Checks {
		if c.Name != "configuration" {
			continue
		}
		if c.Code != code || !strings.Contains(c.Reason, says) || (c.Status == slipway.CheckWarn) != (code != "") {
			t.Errorf("health says %+v, want code %q and %q", c, code, says)
		}
		return
	}
	t.Error("health says nothing of the configuration")
}

func TestAChangeThatTheNextStartWouldRefuseIsRefusedNow(t *testing.T) {
	t.Parallel()
	reader := sdkmetric.NewManualReader()
	l := &loaded{}
	fsys := ownFiles(nil)
	service := slipwaytest.Service{Files: fsys, Wire: l.wire, Configure: func(c *slipway.Config) {
		c.MeterProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	}}
	slipwaytest.RunAll(t, []slipwaytest.Service{service}, func(t *testing.T, k *slipwaytest.Kit) {
		bad := given(t, fsys, "consumes: {orders.created.v1: {concurrency: 2, retry: {budget: 10ms}}}\n")
		for range 3 {
			if _, err := l.app.Reconfigure(bad); len(diag.Of(err)) != 1 || diag.Of(err)[0].Code != diag.SettingsImpossible {
				t.Fatalf("Reconfigure() = %v, want %s", err, diag.SettingsImpossible)
			}
		}
		if got := *l.app.Tuned()[orders].Concurrency; got != 8 {
			t.Errorf("concurrency is %d after a change that was refused", got)
		}
		if n := strings.Count(k.Log(), string(diag.SettingsRefused)); n != 1 {
			t.Errorf("told %d times of one state, want once", n)
		}
		requireWarning(t, l.app, diag.SettingsRefused, "retry.budget")
		if l.app.Configuration().Rejected == nil || l.app.Configuration().Since.IsZero() {
			t.Errorf("configuration = %+v, want it rejected", l.app.Configuration())
		}
		requireCounts(t, reader, map[string]int64{"reloads applied": 0, "reloads rejected": 1, "rejected": 1, "pending": 0})
		if _, err := l.app.Reconfigure(given(t, fsys, "consumes: {orders.created.v1: {concurrency: 2}}\ngreeting: {door: back}\n")); err != nil {
			t.Fatal(err)
		}
		requireCounts(t, reader, map[string]int64{"reloads applied": 1, "reloads rejected": 1, "rejected": 0, "pending": 1})
		if l.app.Configuration().Rejected != nil || *l.app.Tuned()[orders].Concurrency != 2 {
			t.Errorf("configuration = %+v, want the good one used", l.app.Configuration())
		}
		l.app.Misconfigured(fmt.Errorf("the source is away"))
		requireWarning(t, l.app, diag.SettingsRefused, "the source is away")
	})
}

// requireCounts checks the metrics of the configuration.
func requireCounts(t *testing.T, reader *sdkmetric.ManualReader, want map[string]int64) {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	got := make(map[string]int64)
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			name, ok := strings.CutPrefix(m.Name, "slipway.config.")
			if !ok {
				continue
			}
			switch d := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range d.DataPoints {
					result, _ := p.Attributes.Value("result")
					got[name+" "+result.AsString()] = p.Value
				}
			case metricdata.Gauge[int64]:
				got[name] = d.DataPoints[0].Value
			}
		}
	}
	for name, n := range want {
		if got[name] != n {
			t.Errorf("%s = %d, want %d (all: %v)", name, got[name], n, got)
		}
	}
}

func TestWhatAnOperatorChangedStaysUntilThatKeyIsConfiguredOtherwise(t *testing.T) {
	t.Parallel()
	l := &loaded{}
	reconfigure(t, l, nil, func(t *testing.T, _ *slipwaytest.Kit, fsys fstest.MapFS) {
		require := func(when string, concurrency, bulkhead int) {
			t.Helper()
			if now := l.app.Tuned()[orders]; *now.Concurrency != concurrency || *now.Bulkhead != bulkhead {
				t.Errorf("%s: concurrency %d, bulkhead %d, want %d, %d", when, *now.Concurrency, *now.Bulkhead, concurrency, bulkhead)
			}
		}
		change := func(dev string) {
			t.Helper()
			if _, err := l.app.Reconfigure(given(t, fsys, dev)); err != nil {
				t.Fatal(err)
			}
		}
		change("kafka: {consumer: {concurrency: 5}}\n")
		require("configured", 5, 0)
		l.tune(t, slipway.Tuning{Concurrency: new(9)})
		change("kafka: {consumer: {concurrency: 5, bulkhead: 4}}\n")
		require("another key changed", 9, 4)
		change("kafka: {consumer: {concurrency: 6, bulkhead: 4}}\n")
		require("the key changed", 6, 4)
	})
}

func TestAChangeBeforeTheServiceRunsCounts(t *testing.T) {
	t.Parallel()
	l := &loaded{}
	fsys := ownFiles(nil)
	early := given(t, fsys, "consumes: {orders.created.v1: {concurrency: 2, paused: true}}\n")
	slipwaytest.Run(t, fsys, func(app *slipway.App) error {
		if _, err := app.Reconfigure(early); err != nil {
			return err
		}
		return l.wire(app)
	}, func(t *testing.T, k *slipwaytest.Kit) {
		send(k, 1, 0)
		k.Advance(time.Minute)
		if now := l.app.Tuned()[orders]; *now.Concurrency != 2 || len(l.calls.all()) != 0 {
			t.Errorf("concurrency %d, handled %v; want 2 and nothing while paused", *now.Concurrency, l.calls.all())
		}
	})
}

func TestChangesAreToldInOrderAndOneAtATime(t *testing.T) {
	t.Parallel()
	fsys := ownFiles(nil)
	app, err := slipway.New(slipway.Config{Files: fsys, Environment: slipway.Environment{Name: "dev"}})
	if err != nil {
		t.Fatal(err)
	}
	count, share := slipway.NewSetting[int64](app, "greeting.count"), slipway.NewSetting[float64](app, "greeting.share")
	var busy sync.Mutex // held while something is told
	var told []string
	note := func(what string, now any, then any) {
		if !busy.TryLock() {
			t.Error("told of two changes at a time")
			return
		}
		defer busy.Unlock()
		told = append(told, fmt.Sprint(what, " ", now))
		if now != then {
			t.Errorf("told of %v while the setting is %v", now, then)
		}
	}
	count.OnChange(func(now int64) { note("count", now, count.Get()) })
	share.OnChange(func(now float64) { note("share", now, share.Get()) })
	var all sync.WaitGroup
	for n := range 6 {
		v := given(t, fsys, fmt.Sprintf("greeting: {count: %d, share: 0.0%d}\n", n+4, n+4))
		all.Go(func() {
			if _, err := app.Reconfigure(v); err != nil {
				t.Error(err)
			}
		})
		all.Go(func() {
			for range 100 {
				_, _ = count.Get(), share.Get()
			}
		})
	}
	all.Wait()
	if len(told) != 12 {
		t.Fatalf("told %d times of 6 changes in two settings: %v", len(told), told)
	}
	for i := 0; i < len(told); i += 2 { // in the order of registration, change after change
		n, _ := strings.CutPrefix(told[i], "count ")
		if told[i+1] != "share 0.0"+n {
			t.Errorf("told of %q and then of %q, want one change at a time", told[i], told[i+1])
		}
	}
}
