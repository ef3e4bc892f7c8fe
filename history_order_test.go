package slipway_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/slipway-go/slipway/slipwaytest"
)

// Every tenth record fails: most of them once, and wait in the process, the
// others twice, and wait in the retry topic with their key behind them.
func TestKeysAreHandledInOrderOneAtATimeThroughEveryRetry(t *testing.T) {
	t.Parallel()
	n := full(brief(4_000, 1_000))
	s := newStudy(t)
	do := func(ctx context.Context, j job) error {
		select {
		case <-time.After(time.Duration(j.dice("work", 50)) * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if bad := j.dice("fate", 100); bad < 10 && j.attempt == 1 || bad < 3 && j.attempt == 2 {
			return errors.New("not yet")
		}
		return nil
	}
	slipwaytest.Run(t, consuming("concurrency: 256, retry: {delays: [200ms, 6s]}"), s.wire(do), func(t *testing.T, k *slipwaytest.Kit) {
		zipf := rand.NewZipf(rand.New(rand.NewPCG(28, 1)), 1.1, 1, 9_999)
		keys := make([]string, n)
		for i := range keys {
			keys[i] = fmt.Sprint("k", zipf.Uint64())
		}
		began := time.Now()
		s.send(k, keys...)
		s.await(k, n, 200*time.Hour)
		v := s.judge(k, false)
		failed := v.Counts.Effects - v.Counts.Applied
		if failed < n/20 {
			t.Errorf("%d attempts failed of %d records, want one in ten", failed, n)
		}
		t.Logf("%d failed attempts, %v of virtual time", failed, time.Since(began))
	})
}
