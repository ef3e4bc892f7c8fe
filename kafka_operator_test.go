//go:build kafka

package slipway_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/internal/parking"
	"github.com/slipway-go/slipway/slipwaytest/history"
)

// operate is the operator: what has parked is repaired after a while and
// released by a command, and some keys are parked by hand.
func (x *trial) operate(ctx context.Context, t *testing.T, cl *kgo.Client) {
	every := time.NewTicker(500 * time.Millisecond)
	defer every.Stop()
	began := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		for id, letter := range x.parked() {
			if !x.due(id) {
				continue
			}
			if err := os.WriteFile(repair(x.dir, id), nil, 0o600); err != nil {
				t.Error(err)
			}
			rec := new(kgo.Record)
			release(t, letter)(rec)
			x.command(ctx, cl, rec)
		}
		// A key is parked by hand for as long as others take their turn.
		switch turn := int(time.Since(began) / letGo); {
		case turn > x.held && x.held <= heldKeys:
			x.byHand(ctx, cl, parking.Release, x.held-1)
			x.byHand(ctx, cl, parking.Park, x.held)
			x.held++
		}
	}
}

// due reports whether a parked ticket is to be released now.
func (x *trial) due(id string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	last, again := x.released[id]
	switch {
	case x.done[id], again && time.Since(last) < insist:
		return false
	case !again:
		x.released[id] = time.Now().Add(letGo - insist)
		return false
	}
	x.released[id] = time.Now()
	return true
}

// byHand parks the n-th key of those that are parked by hand, or lets it go.
func (x *trial) byHand(ctx context.Context, cl *kgo.Client, op parking.Op, n int) {
	if n < 0 || n >= heldKeys {
		return
	}
	key := fmt.Appendf(nil, "k%d", 20+10*n)
	rec := new(kgo.Record)
	command(parking.Entry{Op: op, Key: key}, x.partitionOf(string(key)))(rec)
	x.command(ctx, cl, rec)
}

func (x *trial) command(ctx context.Context, cl *kgo.Client, rec *kgo.Record) {
	rec.Topic = x.retry
	cl.Produce(ctx, rec, nil)
}

// partitionOf is where a key's records lie.
func (x *trial) partitionOf(key string) int32 {
	for _, e := range x.Events() {
		if s, ok := e.(history.Send); ok && s.Key == key && s.Place != nil {
			return s.Place.Partition
		}
	}
	return 0
}
