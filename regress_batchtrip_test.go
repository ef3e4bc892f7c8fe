package slipway_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/slipwaytest"
)

func TestATripInABatchIsTriedAgain(t *testing.T) {
	var n atomic.Int64
	wire := func(app *slipway.App) error {
		slipway.NewProducer[order](app, shipments)
		slipway.HandleBatch(app, orders, func(_ context.Context, batch []*slipway.Message[order]) []error {
			out := make([]error, len(batch))
			if n.Add(1) == 1 {
				out[0] = slipway.Trip(errors.New("away"))
			}
			return out
		})
		return nil
	}
	f := edited("    order: key\n", "    order: key\n    batch: 7\n    breaker: {failures: 5, open: 1s}\n")
	slipwaytest.Run(t, f, wire, func(t *testing.T, k *slipwaytest.Kit) {
		k.Send(orders, order{"o", 1}, slipwaytest.Key("o"), slipwaytest.Partition(0))
		k.Advance(10 * time.Minute)
		if n.Load() != 2 || k.Lag("shipper") != 0 {
			t.Errorf("%d attempts in ten minutes, lag %d: the record is held and nothing wakes it", n.Load(), k.Lag("shipper"))
		}
	})
}

func TestFailuresInBatchesOpenTheBreaker(t *testing.T) {
	var n atomic.Int64
	wire := func(app *slipway.App) error {
		slipway.NewProducer[order](app, shipments)
		slipway.HandleBatch(app, orders, func(_ context.Context, batch []*slipway.Message[order]) []error {
			n.Add(1)
			out := make([]error, len(batch))
			for i := range out {
				out[i] = errors.New("away")
			}
			return out
		})
		return nil
	}
	f := edited("    order: key\n", "    order: key\n    batch: 7\n    breaker: {failures: 2, open: 1h}\n")
	slipwaytest.Run(t, f, wire, func(t *testing.T, k *slipwaytest.Kit) {
		k.Send(orders, order{"o", 1}, slipwaytest.Key("o"), slipwaytest.Partition(0))
		k.Advance(10 * time.Minute)
		if n.Load() > 2 {
			t.Errorf("%d attempts failed in a row, the breaker opens after 2", n.Load())
		}
	})
}
