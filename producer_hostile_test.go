package slipway_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/slipwaytest"
)

// What SendAsync promises of a value holds for one that is bytes, too, and for
// its key.
func TestBytesMayBeChangedOnceTheyAreSent(t *testing.T) {
	t.Parallel()
	var out *slipway.Producer[[]byte]
	slipwaytest.Run(t, fstest.MapFS{"slipway.yaml": {Data: []byte(strings.Replace(benchSeller, "adopt: {principal: admin}\n", "", 1))}}, func(app *slipway.App) error {
		out = slipway.NewProducer[[]byte](app, "events.v1")
		return nil
	}, func(t *testing.T, k *slipwaytest.Kit) {
		mend := cutAll(k)
		value, key := []byte("value"), []byte("key")
		var d fates
		out.SendAsync(t.Context(), &value, d.done(0), slipway.WithKey(key))
		copy(value, "VALUE")
		copy(key, "KEY")
		mend()
		k.Advance(time.Minute)
		for _, r := range k.Records("events.v1") {
			if string(r.Value) != "value" || string(r.Key) != "key" {
				t.Errorf("the topic holds %s: %s, want what was sent", r.Key, r.Value)
			}
		}
		k.RequireProduced("events.v1", 1)
	})
}

// A schedule that nobody delivers any more takes nothing, and leaves no directory
// in use.
func TestNothingIsScheduledOnceTheServiceHasEnded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var out *slipway.Producer[order]
	slipwaytest.RunAll(t, []slipwaytest.Service{{
		Files:     selling("{}"),
		Wire:      func(app *slipway.App) error { out = slipway.NewProducer[order](app, orders); return nil },
		Configure: func(cfg *slipway.Config) { cfg.Environment.SpillDir = dir },
	}}, func(t *testing.T, k *slipwaytest.Kit) {
		k.Stop("seller")
		_, err := out.SendAt(t.Context(), time.Now().Add(time.Hour), &order{OrderID: "k"})
		if !errors.Is(err, slipway.ErrNotRunning) {
			t.Errorf("SendAt() = %v, want %v", err, slipway.ErrNotRunning)
		}
		if _, err := os.Stat(filepath.Join(dir, "due."+orders)); !os.IsNotExist(err) {
			t.Errorf("the directory of the schedule: %v, want none", err)
		}
	})
}

func TestARecordForATopicThatIsNotProducedIsRefusedWithItsCode(t *testing.T) {
	t.Parallel()
	var app *slipway.App
	slipwaytest.Run(t, selling("{}"), func(a *slipway.App) error {
		app = a
		slipway.NewProducer[order](a, orders)
		return nil
	}, func(t *testing.T, _ *slipwaytest.Kit) {
		told := make(chan error, 1)
		app.Publish(t.Context(), &kgo.Record{Topic: "nowhere.v1"}, func(err error) { told <- err })
		if err := <-told; !codedAs(err, diag.RuntimeNotProduced) {
			t.Errorf("Publish() = %v, want %s", err, diag.RuntimeNotProduced)
		}
	})
}
