package slipway_test

import (
	"context"
	"errors"
	"testing"
	"time"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/slipwaytest"
)

func TestATripWithoutABreakerWaitsLongerEachTime(t *testing.T) {
	var seen calls
	trip := func(_ context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
		seen.add(m)
		return slipway.Trip(errors.New("away"))
	}
	slipwaytest.Run(t, files("dead-letter"), ship(trip), func(t *testing.T, k *slipwaytest.Kit) {
		k.Send(orders, order{"o", 1}, slipwaytest.Partition(0))
		k.Advance(10 * time.Minute)
		got := seen.all()
		if last := got[len(got)-1].at.Sub(got[len(got)-2].at); last < 2*time.Second {
			t.Errorf("%d attempts in ten minutes, the last wait was %v", len(got), last)
		}
	})
}
