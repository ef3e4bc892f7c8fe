package saga

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/slipway-go/slipway/outbox"
)

// A saga that waits for thirty days, over two restarts of the service, is
// neither early nor later than the next look. No test waits for it.
func TestATimeoutOfThirtyDaysSurvivesRestarts(t *testing.T) {
	t.Parallel()
	elapsed := realClock()
	synctest.Test(t, func(t *testing.T) {
		db := openSQLite(t)
		def := ordering()
		def.Steps[0].Within, def.Steps[0].Attempts = 30*24*time.Hour, 1
		b := open(t, db, def)
		b.start("o-1", purchase{})
		days := func(n int) {
			o := open(t, db, def)
			o.poll = time.Hour
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- o.run(ctx) }()
			<-time.After(time.Duration(n) * 24 * time.Hour)
			synctest.Wait()
			stop()
			if err := <-ended; err != nil {
				t.Errorf("run() = %v", err)
			}
		}
		days(10)
		days(10)
		days(9)
		<-time.After(24*time.Hour - time.Millisecond) // nothing runs
		b.require("o-1", Running, "reserve/do/0")
		days(1)
		b.require("o-1", Compensating, "reserve/do/0 reserve/undo/0")
		db.Close() // in here, or its goroutines outlive the bubble
	})
	t.Logf("30 days took %v", elapsed())
}

// realClock measures outside of any bubble.
func realClock() func() time.Duration {
	began := time.Now()
	return func() time.Duration { return time.Since(began) }
}

// An order is carried out as soon as something runs. A timer that was due while
// nothing did waits once more, for the answer that may have come meanwhile.
func TestWhatWaitedIsDoneAsSoonAsTheServiceRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := openSQLite(t)
		b := open(t, db, ordering())
		stuckOne(b, "stuck")
		b.start("silent", purchase{})
		if _, err := b.log().Retry(t.Context(), "", "stuck", "alice"); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Hour)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- b.run(ctx) }()
		<-time.After(time.Millisecond)
		synctest.Wait()
		b.require("silent", Running, "reserve/do/0")
		if d := b.show("stuck"); d.State != Compensating {
			t.Errorf("state = %s, want compensating", d.State)
		}
		<-time.After(DefaultWithin + DefaultPoll)
		b.require("silent", Running, "reserve/do/0 reserve/do/0")
		stop()
		if err := <-ended; err != nil {
			t.Errorf("run() = %v", err)
		}
		db.Close()
	})
}

// A database that is away for a while stops neither the service nor the timers.
func TestTimersGoOnWhenTheDatabaseIsBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := openSQLite(t)
		b := open(t, db, ordering())
		b.start("o-1", purchase{})
		b.exec("ALTER TABLE slipway_saga RENAME TO away")
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- b.run(ctx) }()
		<-time.After(10 * time.Minute)
		b.exec("ALTER TABLE away RENAME TO slipway_saga")
		<-time.After(slowDown + time.Second)
		b.require("o-1", Running, "reserve/do/0")
		<-time.After(DefaultWithin + DefaultPoll)
		b.require("o-1", Running, "reserve/do/0 reserve/do/0")
		stop()
		if err := <-ended; err != nil {
			t.Errorf("run() = %v", err)
		}
		db.Close()
	})
}

func TestMetricsSayHowManySagasAreStuckAndForHowLong(t *testing.T) {
	t.Parallel()
	db := openSQLite(t)
	b := open(t, db, ordering())
	reader := metric.NewManualReader()
	o, err := New(newApp(t, metric.NewMeterProvider(metric.WithReader(reader))), db, ordering())
	if err != nil {
		t.Fatal(err)
	}
	stuckOne(b, "o-1")
	stuckOne(b, "o-2")
	b.start("o-3", purchase{})
	b.exec("UPDATE slipway_saga SET updated = $1 WHERE id = 'o-2'", time.Now().Add(-time.Hour).UnixMicro())
	if err := o.count(t.Context()); err != nil {
		t.Fatal(err)
	}
	err = outbox.Do(t.Context(), db, func(ctx context.Context, tx outboxTx) error {
		return o.Observe(ctx, tx, Event[purchase]{Saga: "o-3", Step: "reserve", Outcome: Failed})
	})
	if err != nil {
		t.Fatal(err)
	}
	var got metricdata.ResourceMetrics
	if err := errors.Join(reader.Collect(t.Context(), &got), o.meter.close()); err != nil {
		t.Fatal(err)
	}
	open, age, moves := make(map[string]int64), make(map[string]float64), make(map[string]int64)
	for _, m := range got.ScopeMetrics[0].Metrics {
		switch data := m.Data.(type) {
		case metricdata.Gauge[int64]:
			for _, p := range data.DataPoints {
				open[stateOf(t, p.Attributes)] = p.Value
			}
		case metricdata.Gauge[float64]:
			for _, p := range data.DataPoints {
				age[stateOf(t, p.Attributes)] = p.Value
			}
		case metricdata.Sum[int64]:
			for _, p := range data.DataPoints {
				moves[stateOf(t, p.Attributes)] = p.Value
			}
		}
	}
	if open["stuck"] != 2 || open["running"] != 1 || open["compensating"] != 0 || len(open) != 3 {
		t.Errorf("open = %v, want 2 stuck, 1 running, 0 compensating", open)
	}
	if age["stuck"] < 3599 || age["stuck"] > 3700 || age["running"] > 60 {
		t.Errorf("age = %v, want an hour for the stuck ones", age)
	}
	if moves["compensated"] != 1 || len(moves) != 1 {
		t.Errorf("transitions = %v, want one into compensated", moves)
	}
}

func TestADefinitionIsToldAllItsFaults(t *testing.T) {
	t.Parallel()
	step := Step[purchase]{Name: "a", Do: to("a")}
	for name, tt := range map[string]struct {
		change func(*Definition[purchase])
		want   string
	}{
		"no name":          {func(d *Definition[purchase]) { d.Name = "" }, "Name is empty"},
		"no steps":         {func(d *Definition[purchase]) { d.Steps = nil }, "there are 0 steps, want 1 to 64"},
		"bad version":      {func(d *Definition[purchase]) { d.Version = -1 }, "Version is -1, want 1 or more"},
		"bad keep":         {func(d *Definition[purchase]) { d.Keep = -1 }, "Keep is -1ns, want a positive one"},
		"a step twice":     {func(d *Definition[purchase]) { d.Steps = []Step[purchase]{step, step} }, "step a is there twice"},
		"a nameless step":  {func(d *Definition[purchase]) { d.Steps[1].Name = "" }, "step 2 has no name"},
		"nothing to do":    {func(d *Definition[purchase]) { d.Steps[1].Do = Command[purchase]{} }, "step pay has no Do"},
		"two pivots":       {func(d *Definition[purchase]) { d.Steps[0].Pivot, d.Steps[1].Pivot = true, true }, "2 steps are pivots, want at most one"},
		"negative backoff": {func(d *Definition[purchase]) { d.Steps[0].Backoff = -1 }, "step reserve: Attempts is 3, Backoff is -1ns and Within is 1m0s, want positive ones"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			def := ordering()
			tt.change(&def)
			if err := def.withDefaults().validate(); err == nil || err.Error() != tt.want {
				t.Errorf("validate() = %v, want %q", err, tt.want)
			}
		})
	}
	if err := ordering().withDefaults().validate(); err != nil {
		t.Errorf("validate() = %v of a good one", err)
	}
	if d := ordering().withDefaults(); ordering().Steps[0].Attempts != 0 || d.Steps[0].Attempts != DefaultAttempts || !strings.HasPrefix(d.Keep.String(), "720h") {
		t.Errorf("defaults = %+v", d)
	}
}
