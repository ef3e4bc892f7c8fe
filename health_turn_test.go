package slipway_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/slipwaytest"
)

func TestTheLogTellsOnceWhyAServiceIsNotReadyAnyMore(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	files := fstest.MapFS{"slipway.yaml": {Data: []byte("apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: clerk, owner: team-a}\n")}}
	wire := func(app *slipway.App) error {
		app.Check("tariff", func() error {
			if broken.Load() {
				return errors.New("none is loaded")
			}
			return nil
		})
		return nil
	}
	slipwaytest.Run(t, files, wire, func(t *testing.T, k *slipwaytest.Kit) {
		look := func() int {
			k.Advance(2 * time.Second)
			for range 3 { // as probes do, again and again
				k.Health("clerk")
			}
			return strings.Count(k.Log(), `msg="service not ready"`)
		}
		for i, step := range []struct {
			broken bool
			told   int
		}{{false, 0}, {true, 1}, {true, 1}, {false, 1}, {true, 2}} {
			broken.Store(step.broken)
			if got := look(); got != step.told {
				t.Errorf("step %d: told %d times, want %d:\n%s", i, got, step.told, k.Log())
			}
		}
		if !strings.Contains(k.Log(), "tariff: none is loaded") {
			t.Errorf("the log does not say why:\n%s", k.Log())
		}
	})
}
