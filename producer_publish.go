package slipway

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Publish writes a complete record, as [Producer.Record] makes it, to a topic
// that the contract produces. It is for relays and replays, which have the
// record from a place where it is safe: done is called exactly once, with nil
// once all in-sync replicas have it, and records of one partition are written
// in the order of the calls.
//
// Publish waits for room in the topic's buffer until ctx ends, whatever the
// contract's away says, since nothing is lost by waiting. done is called by
// Publish itself or by the goroutine that reads acknowledgements, never under
// a lock; it must not block.
func (a *App) Publish(ctx context.Context, rec *kgo.Record, done func(error)) {
	if a.pipes == nil {
		done(fmt.Errorf("publish to %s: %w", rec.Topic, ErrNotRunning))
		return
	}
	a.publish(ctx, rec, done)
}

// Relays says that this program relays topics with via: outbox, under their
// names in the contract. A topic with via: outbox that nothing relays keeps the
// app from starting, since what is put into its outbox would stay there.
func (a *App) Relays(topics ...string) {
	for _, t := range topics {
		a.relayed[t] = true
	}
}
