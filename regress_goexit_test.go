package slipway_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/slipwaytest"
)

func TestAHandlerThatEndedItsGoroutineDoesNotHoldUpTheDrain(t *testing.T) {
	handle := func(context.Context, *slipway.Message[order], *slipway.Producer[order]) error {
		runtime.Goexit()
		return nil
	}
	slipwaytest.Run(t, files("dead-letter"), ship(handle), func(t *testing.T, k *slipwaytest.Kit) {
		k.Send(orders, order{"o", 1}, slipwaytest.Partition(0))
		k.Advance(5 * time.Second)
		at := time.Now()
		k.Stop("shipper")
		if took := time.Since(at); took > 10*time.Second {
			t.Errorf("the drain took %v though nothing ran", took)
		}
		if strings.Contains(k.Log(), "handlers outlived") {
			t.Error("the log says that handlers outlived the drain")
		}
	})
}
