package outbox

import (
	"context"
	"fmt"
	"time"
)

// A horizon is the number up to which no row can still appear: every
// transaction that drew such a number has ended. Reading a shard begins behind
// what is both below the horizon and done, so that it does not pass over the
// dead rows that a long transaction elsewhere keeps in the table.
//
// Writers get their transaction's id before they draw a number. So whoever reads
// the last number first and the next transaction id then, and later finds that
// no transaction below that id is still running, knows that nobody holds a
// number up to it.
type horizon struct {
	at int64 // the number

	next int64 // becomes at once all transactions before xmax have ended
	xmax int64
	seen time.Time
}

// advance moves the horizon, at most once in awake. It reports whether it moved
// back: somebody has numbered the table anew.
func (h *horizon) advance(ctx context.Context, s *store, now time.Time) (back bool, err error) {
	if s.dialect != Postgres || now.Sub(h.seen) < awake {
		return false, nil // the rows of SQLite leave nothing behind
	}
	var drawn, xmin, xmax int64
	// One after the other: the number has to be older than the snapshot.
	if err := one(ctx, s.db, []any{&drawn}, `SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM slipway_outbox_seq_seq`); err != nil {
		return false, fmt.Errorf("read last number: %w", err)
	}
	err = one(ctx, s.db, []any{&xmin, &xmax}, `SELECT pg_snapshot_xmin(now)::text::bigint, pg_snapshot_xmax(now)::text::bigint FROM pg_current_snapshot() AS now`)
	if err != nil {
		return false, fmt.Errorf("read running transactions: %w", err)
	}
	h.seen = now
	if drawn < max(h.at, h.next) {
		*h = horizon{seen: now}
		return true, nil
	}
	if h.xmax > 0 && xmin >= h.xmax {
		h.at, h.xmax = h.next, 0
	}
	if h.xmax == 0 {
		h.next, h.xmax = drawn, xmax
	}
	return false, nil
}

// raise moves the shard's floor up to what is below the horizon and below all
// that is known to be there: what was read just now, what is under way, and what
// is held back.
func (s *shard) raise(horizon int64, rows []*row) {
	low := horizon + 1
	if len(rows) > 0 {
		low = min(low, rows[0].seq)
	}
	for seq := range s.flights {
		low = min(low, seq)
	}
	for _, h := range s.holds {
		low = min(low, h.seq)
	}
	s.floor = max(s.floor, low-1)
}
