package slipway_test

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/slipwaytest"
)

func TestAForeignRecordIsBuriedWhileThePartitionOpens(t *testing.T) {
	ok := func(context.Context, *slipway.Message[order], *slipway.Producer[order]) error { return nil }
	slipwaytest.Run(t, files("dead-letter"), ship(ok), func(t *testing.T, k *slipwaytest.Kit) {
		k.Stop("shipper")
		k.SendBytes(retryTopic, nil, nil, func(r *kgo.Record) {
			r.Topic, r.Partition, r.Value = retryTopic, 0, []byte("stranger")
		})
		k.Start("shipper")
		k.Advance(5 * time.Second)
		k.RequireDeadLettered("shipper", orders, 1)
	})
}
