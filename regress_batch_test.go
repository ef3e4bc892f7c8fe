package slipway_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/slipwaytest"
)

func TestBatchesWithMixedOutcomesAreClosedOnce(t *testing.T) {
	for _, o := range []string{"order: key", "order: partition", "order: none"} {
		t.Run(o, func(t *testing.T) {
			var app0 *slipway.App
			wire := func(app *slipway.App) error {
				app0 = app
				slipway.NewProducer[order](app, shipments)
				slipway.HandleBatch(app, orders, func(_ context.Context, batch []*slipway.Message[order]) []error {
					out := make([]error, len(batch))
					for i, m := range batch {
						switch (m.Value.Amount + int64(m.Attempt)) % 9 {
						case 1:
							out[i] = slipway.Skip(errors.New("s"))
						case 2:
							out[i] = slipway.Reject(errors.New("r"))
						case 3:
							out[i] = errors.New("e")
						case 4:
							out[i] = slipway.RetryAfter(20*time.Second, errors.New("ra"))
						case 6:
							if m.Attempt == 1 {
								panic("p")
							}
						}
					}
					return out
				})
				return nil
			}
			f := edited("    order: key\n", "    "+o+"\n    batch: 7\n    breaker: {failures: 1000, open: 1s}\n")
			slipwaytest.Run(t, f, wire, func(t *testing.T, k *slipwaytest.Kit) {
				for n := range brief[int64](200, 40) {
					k.Send(orders, order{fmt.Sprint("o", n%5), n}, slipwaytest.Key(fmt.Sprint("o", n%5)), slipwaytest.Partition(int32(n%2)))
				}
				for range brief(60, 10) {
					k.Advance(time.Minute)
				}
				for _, s := range app0.Consumption() {
					if s.Open != 0 || s.OpenBytes != 0 {
						t.Errorf("%d records with %d bytes are open, lag %d, %+v", s.Open, s.OpenBytes, k.Lag("shipper"), s)
					}
				}
				runtime.Gosched()
			})
		})
	}
}
