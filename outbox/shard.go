package outbox

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
)

const (
	// firstWait is before the second attempt to publish a row; every further
	// wait is twice as long, up to longestWait.
	firstWait   = 100 * time.Millisecond
	longestWait = 30 * time.Second

	// patience is how long the rows of a batch may take before the shard's
	// other keys go on without them.
	patience = 250 * time.Millisecond

	// large rows are published alone in their key: the cluster may refuse one
	// for its size and take the next, which would pass it.
	large = 32 << 10

	// budget is how many bytes of rows a shard reads at once, about.
	budget = 1 << 20

	// mostHeld is how many keys of a shard may wait for something before the
	// shard as a whole does.
	mostHeld = 256
)

// A shard is one that this relay holds. Only the relay's loop touches it.
type shard struct {
	id         int
	generation int64
	ctx        context.Context // ends with the lease
	cancel     context.CancelCauseFunc

	flights map[int64]*flight // published and not answered, by seq
	acked   []*flight         // answered well and not deleted
	holds   map[int64]*hold   // keys whose first row was refused, by turn

	since time.Time // when the last batch was read
	limit int       // rows of the next
	more  bool      // there may be rows
	leave bool      // it is to be given back
	floor int64     // no row up to here is there or will be
}

// A flight is a row between its publication and its deletion.
type flight struct {
	*row
	shard *shard
	began time.Time
}

// A hold keeps the rows of a key back.
type hold struct {
	until time.Time
	wait  time.Duration
	seq   int64 // of the row that was refused
	told  string
}

func newShard(ctx context.Context, id int, generation int64, limit int) *shard {
	s := &shard{id: id, generation: generation, flights: make(map[int64]*flight), holds: make(map[int64]*hold), limit: min(limit, 64), more: true}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	return s
}

// open reports whether rows can be read: the last batch is through, but for
// what takes too long.
func (s *shard) open(now time.Time) bool {
	if s.leave || !s.more || len(s.busy(nil, now)) >= mostHeld {
		return false
	}
	return len(s.flights) == 0 || now.Sub(s.since) >= patience
}

// landed takes in that a row was published. Its key goes on, unless a row of
// the same attempt was refused.
func (s *shard) landed(f *flight) {
	if h := s.holds[f.turn]; h != nil && !f.began.Before(h.until) {
		delete(s.holds, f.turn)
	}
	s.acked = append(s.acked, f)
}

// quiet reports whether the shard can be given back.
func (s *shard) quiet() bool { return len(s.flights) == 0 && len(s.acked) == 0 }

// busy adds the turns that must not be read.
func (s *shard) busy(turns []int64, now time.Time) []int64 {
	for _, f := range s.flights {
		turns = append(turns, f.turn)
	}
	for turn, h := range s.holds {
		if h.until.After(now) {
			turns = append(turns, turn)
		}
	}
	return turns
}

// pick chooses from a batch what may be published now: of a key whose first row
// was refused, or is large, only that one.
func (s *shard) pick(rows []*row) []*row {
	alone := make(map[int64]bool)
	picked := rows[:0:len(rows)]
	for _, r := range rows {
		if alone[r.turn] {
			s.more = true
			continue
		}
		if r.size() > large || s.holds[r.turn] != nil {
			alone[r.turn] = true
		}
		picked = append(picked, r)
	}
	return picked
}

// adapt sets how many rows to read next, so that they fit the budget.
func (s *shard) adapt(rows []*row, most int) {
	bytes := 0
	for _, r := range rows {
		bytes += r.size()
	}
	switch {
	case bytes > budget:
		s.limit = max(1, s.limit*budget/bytes)
	case len(rows) == s.limit && bytes < budget/2:
		s.limit = min(2*s.limit, most)
	}
}

// refuse holds the key of a row back for a while.
func (s *shard) refuse(r *row, now time.Time) *hold {
	h := s.holds[r.turn]
	switch {
	case h == nil:
		h = &hold{wait: firstWait, seq: r.seq}
		s.holds[r.turn] = h
	case h.until.After(now): // another row of the same attempt
		h.seq = min(h.seq, r.seq)
		return h
	default:
		h.wait, h.seq = min(2*h.wait, longestWait), r.seq
	}
	h.until = now.Add(h.wait)
	return h
}

// resume has the shard read again when a hold has ended since the last round.
func (s *shard) resume(before, now time.Time) {
	for _, h := range s.holds {
		if h.until.After(before) && !h.until.After(now) {
			s.more = true
		}
	}
}

// forget ends the holds of keys that were not among what was read, where they
// would have been: somebody has deleted their rows.
func (s *shard) forget(rows []*row, cut bool, began time.Time) {
	there := make(map[int64]bool, len(s.holds))
	for _, r := range rows {
		there[r.turn] = true
	}
	for _, f := range s.flights {
		there[f.turn] = true
	}
	for turn, h := range s.holds {
		beyond := cut && rows[len(rows)-1].seq < h.seq
		if !h.until.After(began) && !beyond && !there[turn] {
			delete(s.holds, turn)
		}
	}
}

// next is when the first hold ends of those that last beyond a time, zero for
// none.
func (s *shard) next(after time.Time) (at time.Time) {
	for _, h := range s.holds {
		if h.until.After(after) && (at.IsZero() || h.until.Before(at)) {
			at = h.until
		}
	}
	return at
}

// final reports whether an error will not go away by trying again: somebody has
// to do something.
func final(err error) bool {
	for _, e := range []error{
		slipway.ErrTooLarge, slipway.ErrNotAuthorized, diag.RuntimeNotProduced, errHeaders, kerr.MessageTooLarge, kerr.RecordListTooLarge,
		kerr.InvalidRecord, kerr.InvalidTopicException, kerr.UnknownTopicOrPartition, kerr.TopicAuthorizationFailed, kerr.PolicyViolation,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
