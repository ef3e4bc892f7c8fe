package outbox

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"sync"
	"time"
)

// leases are the shards that belong to this relay. A shard is somebody's until
// its lease ends by the database's clock; by this process's clock it is not
// used after the time at which its renewal was asked for plus the lease, less a
// margin. A stopped process may still believe that it holds a shard which is
// another's by now: its marks fail by the generation, and what it publishes is
// what the other publishes too, in the same order, with the same ids.
type leases struct {
	store *store
	lease time.Duration

	turn  sync.Mutex // of who asks the database; the loop waits for no answer to others
	mu    sync.Mutex
	held  map[int]int64 // generation by shard
	until time.Time
	fair  int
}

// renew asks for the shards that are held and takes others up to the fair
// share.
func (l *leases) renew(ctx context.Context) error {
	l.turn.Lock()
	defer l.turn.Unlock()
	ctx, cancel := context.WithTimeout(ctx, l.lease/2)
	defer cancel()
	began := time.Now()
	held, fair, err := l.store.renew(ctx, l.lease)
	if err != nil {
		return fmt.Errorf("renew leases: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held, l.fair, l.until = held, fair, began.Add(l.lease-l.lease/6)
	return nil
}

// keep renews at a third of the lease until ctx ends, and looks every second for
// shards that somebody has given back.
func (l *leases) keep(ctx context.Context, changed func(error)) {
	every := min(l.lease/3, time.Second)
	tick := time.NewTicker(every)
	defer tick.Stop()
	renewed, failed := time.Now(), false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !failed && time.Since(renewed) < l.lease/3 && !l.short(ctx) {
			continue
		}
		err := l.renew(ctx)
		if failed = err != nil; !failed {
			renewed = time.Now()
		}
		changed(err)
	}
}

// short reports whether there is more to be had.
func (l *leases) short(ctx context.Context) bool {
	held, fair, _ := l.now()
	if len(held) >= fair {
		return false
	}
	free, err := l.store.free(ctx)
	return err == nil && free > 0
}

// now returns a copy of what is held, how much would be fair, and whether it
// may be used.
func (l *leases) now() (held map[int]int64, fair int, valid bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	held = make(map[int]int64, len(l.held))
	maps.Copy(held, l.held)
	return held, l.fair, time.Now().Before(l.until)
}

// release gives a shard back that has nothing under way.
func (l *leases) release(ctx context.Context, shard int) error {
	l.turn.Lock()
	defer l.turn.Unlock()
	if err := l.store.release(ctx, shard); err != nil {
		return fmt.Errorf("give shard %d back: %w", shard, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.held, shard)
	return nil
}

// leave gives everything back, and the place among the relays.
func (l *leases) leave(ctx context.Context) error {
	l.turn.Lock()
	defer l.turn.Unlock()
	if err := l.store.leave(ctx); err != nil {
		return fmt.Errorf("give leases back: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held, l.until = nil, time.Time{}
	return nil
}

// renew is one round: be counted, count, renew, take. Its first statement
// writes, so that SQLite has the transaction wait for its turn at the start.
func (s *store) renew(ctx context.Context, lease time.Duration) (held map[int]int64, fair int, err error) {
	now := s.dialect.now()
	end := fmt.Sprintf("%s + %d", now, lease.Microseconds())
	err = s.within(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, fmt.Sprintf(`INSERT INTO slipway_outbox_relay (owner, until) VALUES ($1, %s)
			ON CONFLICT (owner) DO UPDATE SET until = excluded.until`, end), s.owner); err != nil {
			return err
		}
		var live int
		if err := one(ctx, tx, []any{&live}, `SELECT count(*) FROM slipway_outbox_relay WHERE until > `+now); err != nil {
			return err
		}
		fair = (shards + live - 1) / max(live, 1)
		held, err = generations(tx.QueryContext(ctx, `UPDATE slipway_outbox_lease SET until = `+end+` WHERE owner = $1 RETURNING shard, generation`, s.owner))
		if err != nil || len(held) >= fair {
			return err
		}
		lock := ""
		if s.dialect == Postgres {
			lock = " FOR UPDATE SKIP LOCKED"
		}
		taken, err := generations(tx.QueryContext(ctx, fmt.Sprintf(`UPDATE slipway_outbox_lease SET owner = $1, generation = generation + 1, idle = 0, until = %s
			WHERE shard IN (SELECT shard FROM slipway_outbox_lease WHERE until <= %s ORDER BY shard LIMIT %d%s) RETURNING shard, generation`,
			end, now, fair-len(held), lock), s.owner))
		maps.Copy(held, taken)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	return held, fair, nil
}

// free is how many shards have nobody.
func (s *store) free(ctx context.Context) (n int, err error) {
	err = one(ctx, s.db, []any{&n}, `SELECT count(*) FROM slipway_outbox_lease WHERE until <= `+s.dialect.now())
	return n, err
}

func generations(rows *sql.Rows, err error) (map[int]int64, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := make(map[int]int64)
	for rows.Next() {
		var shard int
		var generation int64
		if err := rows.Scan(&shard, &generation); err != nil {
			return nil, err
		}
		all[shard] = generation
	}
	return all, rows.Err()
}

func (s *store) release(ctx context.Context, shard int) error {
	_, err := s.db.ExecContext(ctx, `UPDATE slipway_outbox_lease SET owner = '', until = 0 WHERE shard = $1 AND owner = $2`, shard, s.owner)
	return err
}

// leave also clears away relays that have ended without leaving.
func (s *store) leave(ctx context.Context) error {
	return s.within(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE slipway_outbox_lease SET owner = '', until = 0 WHERE owner = $1`, s.owner); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, fmt.Sprintf(`DELETE FROM slipway_outbox_relay WHERE owner = $1 OR until < %s`, s.dialect.now()), s.owner)
		return err
	})
}

// sleep notes whether this relay has nothing to do, so that whoever writes a
// row knows to wake it.
func (s *store) sleep(ctx context.Context, idle bool) error {
	to := 0
	if idle {
		to = 1
	}
	_, err := s.db.ExecContext(ctx, `UPDATE slipway_outbox_lease SET idle = $1 WHERE owner = $2 AND idle <> $1`, to, s.owner)
	return err
}
