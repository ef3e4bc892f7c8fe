package unsent

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/maphash"
	"sync"
	"time"

	"example.com/shop/internal/store"
)

const (
	// sendWait is how long Do waits for the cluster. What is not sent by then
	// is sent by Run.
	sendWait = 5 * time.Second

	// sweepEvery and leftOver: Run looks this often for events that have been
	// waiting for that long.
	sweepEvery = time.Second
	leftOver   = 3 * time.Second

	// senders is how many keys are sent at a time by Run and Resend.
	senders = 32
)

// deliver sends the events of keys, for as long as [Box.Do] waits.
func (b *Box) deliver(ctx context.Context, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, sendWait)
	defer cancel()
	for _, key := range keys {
		err := b.flush(ctx, key)
		if err != nil && ctx.Err() != nil {
			b.log.Warn("events stay unsent for now", "key", key, "error", err)
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Resend sends everything that is unsent. It fails if the cluster does not
// answer within ctx; an event that can never be sent is told to the log and
// holds back only its own key.
func (b *Box) Resend(ctx context.Context) error {
	if err := b.forget(ctx); err != nil {
		return err
	}
	keys, err := texts(b.db.Reader().QueryContext(ctx, `SELECT key FROM unsent GROUP BY key ORDER BY MIN(position)`))
	if err != nil {
		return fmt.Errorf("look for unsent events: %w", err)
	}
	if len(keys) > 0 {
		b.log.Info("sending what an earlier life left unsent", "keys", len(keys))
	}
	b.sweep(ctx, keys)
	return context.Cause(ctx)
}

// Run sends left-over events until ctx ends.
func (b *Box) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		keys, err := texts(b.db.Reader().QueryContext(ctx,
			`SELECT key FROM unsent WHERE created_at < $1 GROUP BY key ORDER BY MIN(position)`, time.Now().Add(-leftOver).UnixNano()))
		if err != nil && ctx.Err() == nil {
			b.log.Error("look for unsent events", "error", err)
		}
		b.sweep(ctx, keys)
	}
}

// sweep sends the events of many keys, several keys at a time.
func (b *Box) sweep(ctx context.Context, keys []string) {
	work := make(chan string)
	var all sync.WaitGroup
	for range min(senders, len(keys)) {
		all.Go(func() {
			for key := range work {
				if err := b.flush(ctx, key); err != nil {
					b.log.Error("event stays unsent", "key", key, "error", err)
				}
			}
		})
	}
	for _, key := range keys {
		if ctx.Err() != nil {
			break
		}
		work <- key
	}
	close(work)
	all.Wait()
}

// flush sends what is unsent of one key, in order, and deletes what was
// acknowledged. Nobody else sends events of the key meanwhile.
func (b *Box) flush(ctx context.Context, key string) error {
	lock := b.locks[maphash.String(b.seed, key)%stripes]
	select {
	case lock <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-lock }()
	events, err := b.unsent(ctx, key)
	if err != nil || len(events) == 0 {
		return err
	}
	var sent int64 = -1
	for _, e := range events {
		if err = b.send(ctx, e); err != nil {
			break
		}
		sent = e.Position
	}
	return errors.Join(err, b.delete(ctx, key, sent))
}

func (b *Box) unsent(ctx context.Context, key string) ([]Event, error) {
	rows, err := b.db.Reader().QueryContext(ctx,
		`SELECT position, event_id, topic, payload, created_at FROM unsent WHERE key = $1 ORDER BY position`, key)
	if err != nil {
		return nil, fmt.Errorf("read unsent events: %w", err)
	}
	defer rows.Close()
	var events []Event
	for rows.Next() {
		e, at := Event{Key: key}, int64(0)
		if err := rows.Scan(&e.Position, &e.ID, &e.Topic, &e.Payload, &at); err != nil {
			return nil, fmt.Errorf("read unsent events: %w", err)
		}
		e.Time = time.Unix(0, at)
		events = append(events, e)
	}
	return events, rows.Err()
}

func (b *Box) send(ctx context.Context, e Event) error {
	route := b.routes[e.Topic]
	if route == nil {
		return fmt.Errorf("send event %s: topic %s is not connected", e.ID, e.Topic)
	}
	return route(ctx, e)
}

// delete forgets the events of a key up to a position: the cluster has them,
// and that stays so if ctx has ended meanwhile.
func (b *Box) delete(ctx context.Context, key string, upTo int64) error {
	if upTo < 0 {
		return nil
	}
	err := b.db.Update(context.WithoutCancel(ctx), func(ctx context.Context, tx store.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM unsent WHERE key = $1 AND position <= $2`, key, upTo)
		return err
	})
	if err != nil {
		return fmt.Errorf("delete sent events: %w", err)
	}
	return nil
}

// forget drops from the inbox what no topic can hold any more.
func (b *Box) forget(ctx context.Context) error {
	return b.db.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM inbox WHERE done_at < $1`, time.Now().Add(-Remember).UnixNano())
		return err
	})
}

// texts reads a column of strings.
func texts(rows *sql.Rows, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, rows.Err()
}
