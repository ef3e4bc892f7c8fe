package outbox

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/slipway-go/slipway/diag"
)

const (
	// behind is how long rows may wait for the database or an acknowledgement
	// before the service counts as unhealthy.
	behind = 30 * time.Second

	// healthName is what the app's health calls the relay.
	healthName = "outbox"

	// everyCount is how often the backlog is counted, for the metrics.
	everyCount = 5 * time.Second
)

// failures are those of the relay's rounds, one after the other.
type failures struct {
	wait  time.Duration // before the next try
	since time.Time
	told  time.Time
}

// failed counts a failure, and tells it at first and then once a minute.
func (r *relay) failed(err error) {
	f, now := &r.fails, time.Now()
	f.wait = min(max(2*f.wait, firstWait), behind/6)
	if f.since.IsZero() {
		f.since = now
	}
	if now.Sub(f.told) >= time.Minute {
		f.told = now
		r.log.Warn("outbox relay fails and goes on trying", "error", err, "since", f.since)
	}
}

func (r *relay) recovered() {
	if !r.fails.since.IsZero() {
		r.log.Info("outbox relay works again", "after", time.Since(r.fails.since).Round(time.Millisecond))
	}
	r.fails = failures{}
}

// state is what the loop knows of its progress, for who watches it.
type state struct {
	mu      sync.Mutex
	round   time.Time // when the last one ended
	failing time.Time // since when they fail, zero if they do not
	err     error
	oldest  time.Time // since when a publication waits for its answer
	stuck   string
	keys    int
	held    []int
	horizon int64
}

// note is called by the loop after every round.
func (r *relay) note(now time.Time, err error) {
	s := &r.state
	s.mu.Lock()
	defer s.mu.Unlock()
	s.round, s.err, s.oldest, s.stuck, s.keys = now, err, time.Time{}, "", 0
	switch {
	case err == nil:
		s.failing = time.Time{}
	case s.failing.IsZero():
		s.failing = now
	}
	s.horizon = r.horizon.at
	s.held = s.held[:0]
	for id, shard := range r.shards {
		s.held = append(s.held, id)
		for _, f := range shard.flights {
			if s.oldest.IsZero() || f.began.Before(s.oldest) {
				s.oldest = f.began
			}
		}
		for _, h := range shard.holds {
			if h.told != "" {
				s.keys, s.stuck = s.keys+1, h.told
			}
		}
	}
}

// problem is what keeps the relay from its work, empty for nothing.
func (s *state) problem(now time.Time) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.failing.IsZero() && now.Sub(s.failing) > behind:
		return fmt.Sprintf("%s: the database has not answered well since %s: %v", diag.OutboxBehind, s.failing.UTC().Format(time.RFC3339), s.err)
	case !s.oldest.IsZero() && now.Sub(s.oldest) > behind:
		return fmt.Sprintf("%s: no acknowledgement since %s", diag.OutboxBehind, s.oldest.UTC().Format(time.RFC3339))
	case !s.round.IsZero() && now.Sub(s.round) > behind:
		return fmt.Sprintf("%s: publishing has been waiting for room since %s", diag.OutboxBehind, s.round.UTC().Format(time.RFC3339))
	case s.stuck != "":
		return fmt.Sprintf("%s: %d keys wait for rows that the cluster refuses: %s", diag.OutboxStuck, s.keys, s.stuck)
	}
	return ""
}

// watch tells the app's health and counts the backlog until ctx ends.
func (r *relay) watch(ctx context.Context) {
	tick := time.NewTicker(min(everyCount, behind/6))
	defer tick.Stop()
	for {
		r.state.mu.Lock()
		held := append([]int(nil), r.state.held...)
		r.state.mu.Unlock()
		counting, cancel := context.WithTimeout(ctx, everyCount)
		if n, oldest, err := r.store.backlog(counting, held); err == nil {
			r.meters.count(n, oldest)
		}
		cancel()
		r.health(healthName, r.state.problem(time.Now()))
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
