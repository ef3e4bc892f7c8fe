package plan

import (
	"context"
	"errors"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
)

// LockSession is how long an apply that dies keeps others out.
const LockSession = 30 * time.Second

// LockGroup is the consumer group that serves as the lock of an environment's
// applies.
func LockGroup(env string) string { return "slipway-apply-" + env }

// Lock keeps other applies to the environment out until release. Apply with
// the context it returns: it ends when the lock is lost. An apply that is under
// way is an [ErrRefused] that names its client.
func Lock(ctx context.Context, cluster *kafka.Cluster, env string) (held context.Context, release func(), err error) {
	held, release, err = cluster.Lock(ctx, LockGroup(env), LockSession)
	list := diag.Of(err)
	switch {
	case errors.Is(err, diag.PlanLocked):
		return nil, nil, refuse(list...)
	case errors.Is(err, diag.KafkaDenied):
		return nil, nil, list[0].WithFix("give READ on the group %s to the principal that applies; it serves as a lock", LockGroup(env))
	}
	return held, release, err
}
