package slipway_test

import (
	"context"
	"strings"
	"testing"
	"time"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/slipwaytest"
)

//go:noinline
func waitInVain(c chan struct{}) { <-c }

func TestAHandlerThatNeverReturnsIsToldOfUntilItDoes(t *testing.T) {
	t.Parallel()
	var app *slipway.App
	var release chan struct{}
	wire := func(a *slipway.App) error {
		app, release = a, make(chan struct{})
		return ship(func(_ context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
			if m.Value.OrderID == "stuck" {
				waitInVain(release) // whatever its context says
			}
			return nil
		})(a)
	}
	slipwaytest.Run(t, files("dead-letter"), wire, func(t *testing.T, k *slipwaytest.Kit) {
		k.Send(orders, order{"o-1", 1}, slipwaytest.Key("o-1"))
		k.Send(orders, order{"stuck", 2}, slipwaytest.Key("stuck"), slipwaytest.Partition(0))
		k.Advance(14 * time.Second)
		if err := app.Ready(); err != nil {
			t.Errorf("not ready within timeout and grace: %v", err)
		}
		k.Advance(2 * time.Second)
		err := app.Ready()
		if err == nil || !strings.Contains(err.Error(), "handler of "+orders+"/0@") || !strings.Contains(err.Error(), "does not return") {
			t.Errorf("Ready() = %v after timeout and grace, want the handler", err)
		}
		k.Advance(time.Minute)
		if err := app.Live(); err != nil {
			t.Errorf("not alive after seven timeouts: %v", err)
		}
		k.Advance(30 * time.Second)
		if err := app.Live(); err == nil || !strings.Contains(err.Error(), orders+"/0@") {
			t.Errorf("Live() = %v after ten timeouts, want the handler", err)
		}
		log := k.Log()
		if n := strings.Count(log, string(diag.RuntimeHandlerStuck)); n != 1 || !strings.Contains(log, "waitInVain") {
			t.Errorf("told %d times, want once with the handler's stack", n)
		}
		close(release)
		k.Advance(time.Second)
		if err := app.Ready(); err != nil {
			t.Errorf("not ready though the handler has returned: %v", err)
		}
		if err := app.Live(); err != nil {
			t.Errorf("not alive though the handler has returned: %v", err)
		}
	})
}

// The handler of a batch is watched like any other.
func TestAHandlerOfBatchesThatNeverReturnsIsToldOf(t *testing.T) {
	t.Parallel()
	var app *slipway.App
	wire := func(a *slipway.App) error {
		app = a
		slipway.NewProducer[order](a, shipments)
		slipway.HandleBatch(a, orders, func(context.Context, []*slipway.Message[order]) []error {
			<-time.After(time.Minute)
			return nil
		})
		return nil
	}
	slipwaytest.Run(t, files("dead-letter"), wire, func(t *testing.T, k *slipwaytest.Kit) {
		k.Send(orders, order{"o-1", 1}, slipwaytest.Partition(1))
		k.Advance(20 * time.Second)
		if err := app.Ready(); err == nil || !strings.Contains(err.Error(), "handler of "+orders+"/1@0") {
			t.Errorf("Ready() = %v after timeout and grace, want the handler", err)
		}
		k.Advance(time.Minute)
		if err := app.Ready(); err != nil {
			t.Errorf("not ready though the handler has returned: %v", err)
		}
	})
}
