package slipway

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/contract"
)

// lookEvery is how often the source is looked at for heads that wait for it.
const lookEvery = 5 * time.Second

// lookAhead lets heads go on that wait for the source to be read past them
// though it has nothing more to read there: what stood at their places was
// compacted or deleted while the service was away, and the client tells nobody
// that it has passed such a hole. Without it they would wait until somebody
// writes to the partition.
func (y *yard) lookAhead(now time.Time) {
	if y.partition.ended.Load() || now.Before(y.lookAt) {
		return
	}
	if _, waiting := y.lot.Behind(); !waiting || !y.looking.CompareAndSwap(false, true) {
		return
	}
	y.lookAt = now.Add(lookEvery)
	y.consumer.busy.Go(func() {
		defer y.looking.Store(false)
		y.look()
	})
}

// look passes what is not there. All that was read lies in the lanes already,
// so that the lot knows of every record below the one that is found.
func (y *yard) look() {
	ctx, cancel := context.WithTimeout(y.partition.ctx, lookEvery)
	defer cancel()
	position, waiting := y.lot.Behind()
	if !waiting {
		return
	}
	isolation := kgo.ReadCommitted()
	if y.consumer.first().Isolation == contract.Uncommitted {
		isolation = kgo.ReadUncommitted()
	}
	to, err := y.log.Reach(ctx, y.partition.topic, y.partition.id, position, isolation)
	switch {
	case err != nil && y.partition.ctx.Err() == nil:
		y.consumer.link.log.Warn("source could not be looked at, what waits for it goes on waiting",
			"topic", y.partition.topic, "partition", y.partition.id, "error", err)
	case err == nil && to > position:
		y.passed(to)
	}
}
