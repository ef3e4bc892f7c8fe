package slipway_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/slipwaytest"
)

func TestShutdownEndsThoughPartitionsCameDuringTheDrain(t *testing.T) {
	var stopped atomic.Int64
	slow := func(_ context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
		<-time.After(15 * time.Second)
		return nil
	}
	wire := func(app *slipway.App) error {
		app.OnStop("note", func() error { stopped.Add(1); return nil })
		return ship(slow)(app)
	}
	slipwaytest.Run(t, files("dead-letter"), wire, func(t *testing.T, k *slipwaytest.Kit) {
		k.Start("shipper")
		k.Advance(10 * time.Second)
		for p := range int32(3) {
			k.Send(orders, order{fmt.Sprint("o-", p), 1}, slipwaytest.Partition(p))
		}
		k.Advance(500 * time.Millisecond)
		k.Signal("shipper") // both are told to stop; one has less to finish or a smaller budget
		k.Signal("shipper")
		k.Advance(2 * time.Minute)
		if n := stopped.Load(); n != 2 {
			t.Fatalf("%d of 2 instances have stopped after two minutes", n)
		}
	})
}

func TestShutdownEndsThoughPartitionsCameWhileHandlersWereCut(t *testing.T) {
	var stopped atomic.Int64
	slow := func(_ context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
		if m.Partition == 0 {
			<-time.After(15 * time.Second)
		}
		return nil
	}
	wire := func(app *slipway.App) error {
		app.OnStop("note", func() error { stopped.Add(1); return nil })
		return ship(slow)(app)
	}
	slipwaytest.Run(t, files("dead-letter"), wire, func(t *testing.T, k *slipwaytest.Kit) {
		k.Start("shipper")
		k.Start("shipper")
		k.Advance(20 * time.Second)
		for p := range int32(3) {
			k.Send(orders, order{fmt.Sprint("o-", p), 1}, slipwaytest.Partition(p))
		}
		k.Advance(500 * time.Millisecond)
		k.Signal("shipper")
		k.Signal("shipper")
		k.Signal("shipper")
		k.Advance(2 * time.Minute)
		if n := stopped.Load(); n != 3 {
			t.Fatalf("%d of 3 instances have stopped after two minutes", n)
		}
	})
}
