package plan

import (
	"context"
	"time"

	"github.com/slipway-go/slipway/internal/kafka"
)

const (
	settleInterval = 50 * time.Millisecond
	settleTimeout  = 10 * time.Second
)

// Settle waits until every broker knows what was applied. [Apply] returns when
// the controller has the changes; a broker may still refuse a login or a right
// that is new to it. Requests go to the brokers in turn, so an answer that is
// right many times in a row is every broker's.
//
// It reports false if some broker does not know after ten seconds, which is no
// error: it will.
func Settle(ctx context.Context, want *Desired, cluster *kafka.Cluster, registry Registry, options ...Option) (bool, error) {
	deadline := time.Now().Add(settleTimeout)
	for calm := 0; calm < 3*cluster.Brokers(); calm++ {
		have, err := Read(ctx, want, cluster, registry, options...)
		if err != nil {
			return false, err
		}
		left, err := Diff(want, have)
		if err != nil {
			return false, err
		}
		if services := surrounding(options).services; len(services) > 0 {
			left = left.Of(services...)
		}
		if left.Empty() {
			continue
		}
		if time.Now().After(deadline) {
			return false, nil
		}
		calm = -1
		select {
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case <-time.After(settleInterval):
		}
	}
	return true, nil
}
