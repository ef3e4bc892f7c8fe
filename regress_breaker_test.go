package slipway_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/slipwaytest"
)

func TestCancelledHandlersDoNotOpenTheBreaker(t *testing.T) {
	var entered, later atomic.Int64
	handle := func(release chan struct{}) handle {
		return func(ctx context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
			if m.Value.Amount == 2 {
				later.Add(1)
				return nil
			}
			entered.Add(1)
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-release:
				return nil
			}
		}
	}
	var release chan struct{}
	lazy := func(ctx context.Context, m *slipway.Message[order], p *slipway.Producer[order]) error {
		return handle(release)(ctx, m, p)
	}
	slipwaytest.Run(t, edited("concurrency: 8\n    timeout: 10s\n", "concurrency: 8\n    timeout: 10m\n    breaker: {failures: 2, open: 1h}\n"), ship(lazy), func(t *testing.T, k *slipwaytest.Kit) {
		release = make(chan struct{})
		for p := range int32(3) {
			for n := range 2 {
				id := fmt.Sprint("k", p, n)
				k.Send(orders, order{id, 1}, slipwaytest.Key(id), slipwaytest.Partition(p))
			}
		}
		k.Advance(time.Second)
		k.Start("shipper") // takes a partition away, whose handlers are cancelled after the budget
		k.Advance(time.Minute)
		close(release)
		k.Advance(time.Second)
		for p := range int32(3) {
			id := fmt.Sprint("n", p)
			k.Send(orders, order{id, 2}, slipwaytest.Key(id), slipwaytest.Partition(p))
		}
		k.Advance(time.Minute)
		if n := later.Load(); n != 3 || strings.Contains(k.Log(), "breaker opened") {
			t.Errorf("handled %d of 3 records after the rebalance (%d attempts before): the breaker has opened", n, entered.Load())
		}
	})
}
