package outbox

import (
	"context"
	"time"
)

// settle waits for what is under way and returns what came through. What gets
// no answer in time stays in the table, for others.
func (r *relay) settle(ctx context.Context) []*flight {
	ctx, cancel := context.WithTimeout(ctx, r.grace)
	defer cancel()
	for ctx.Err() == nil {
		r.collect(ctx, time.Now())
		under := 0
		for _, s := range r.shards {
			under += len(s.flights)
		}
		if under == 0 {
			break
		}
		select {
		case <-ctx.Done():
		case <-r.bell:
		}
	}
	return r.acked()
}

// lastTry is how long the database may take at the very end.
const lastTry = 5 * time.Second

// leave deletes what came through and gives the shards back.
func (r *relay) leave(ctx context.Context, done []*flight) {
	ctx, cancel := context.WithTimeout(ctx, lastTry)
	defer cancel()
	if len(done) > 0 {
		marked, _, err := r.store.turn(ctx, marks(done), nil, nil)
		if err != nil {
			r.log.Warn("published rows stay in the outbox and will be published again", "rows", len(done), "error", err)
		}
		r.meters.turned(0, marked, 0)
	}
	for _, s := range r.shards {
		s.cancel(nil)
	}
	if err := r.leases.leave(ctx); err != nil {
		r.log.Warn("outbox leases run out by themselves", "error", err)
	}
	r.health(healthName, "")
}
