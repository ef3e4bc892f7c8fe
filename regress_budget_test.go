package slipway_test

import (
	"context"
	"errors"
	"testing"
	"time"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/internal/record"
	"github.com/slipway-go/slipway/slipwaytest"
)

func TestTheRetryBudgetHoldsThroughTheRetryTopic(t *testing.T) {
	var seen calls
	fail := func(_ context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
		seen.add(m)
		return slipway.RetryAfter(30*time.Second, errors.New("no"))
	}
	f := edited("retry: {delays: [1s, 10s], then: dead-letter}", "retry: {backoff: {first: 20s, factor: 1, max: 20s, attempts: 5, budget: 1m}, then: dead-letter}")
	slipwaytest.Run(t, f, ship(fail), func(t *testing.T, k *slipwaytest.Kit) {
		k.Send(orders, order{"o", 1}, slipwaytest.Partition(0))
		k.Advance(20 * time.Minute)
		got := seen.all()
		if last := got[len(got)-1].at.Sub(got[0].at); last > time.Minute {
			t.Errorf("attempt %d began %v after the first failure, budget 1m", len(got), last)
		}
		dead := k.Records(k.DeadLetterTopic("shipper", orders))
		if len(dead) == 1 {
			text, _ := record.Get(dead[0].Headers, record.FirstFailure)
			at, _ := time.Parse(time.RFC3339Nano, text)
			if d := at.Sub(got[0].at); d > time.Second {
				t.Errorf("the dead letter says that the first failure was %v after the first attempt", d)
			}
		}
	})
}
