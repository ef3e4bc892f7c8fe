package arm

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// drainTimeout is many times what the slowest client takes for a backlog.
const drainTimeout = 45 * time.Second

// consume drains a topic with an empty handler. The rate counts from the first
// record, so that joining the group is not in it; processor time and
// allocations count from the start, because a client fetches ahead of its
// first record.
func consume(ctx context.Context, s Spec) (Result, error) {
	c := newCheck(s, false)
	var first atomic.Int64
	handle := func(r Record) error {
		if s.Poison && keyOf(r) == 0 {
			return errPoison
		}
		if first.Load() == 0 {
			first.CompareAndSwap(0, time.Now().UnixNano())
		}
		c.enter(r)
		c.leave(r)
		return nil
	}
	before := use(0)
	var after usage
	err := runUntil(ctx, s, handle, func(ctx context.Context) error {
		select {
		case <-c.all:
			after = use(c.handled())
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(drainTimeout):
			return fmt.Errorf("handled %d of %d records within %v", c.handled(), s.records(), drainTimeout)
		}
	})
	if err != nil {
		return nil, err
	}
	r := Result{"rss": peakMiB()}
	r.since(before, after)
	began := time.Unix(0, first.Load())
	r["rate"] = float64(after.handled) / after.at.Sub(began).Seconds()
	r["join"] = began.Sub(before.at).Seconds() * 1e3
	c.report(r)
	return r, nil
}

// stopGrace is how long a client may take to stop before the arm gives it up.
const stopGrace = 30 * time.Second

// runUntil runs the spec's client beside observe and stops it when that
// returns.
func runUntil(ctx context.Context, s Spec, handle func(Record) error, observe func(context.Context) error) error {
	loop := Loops[s.Client]
	if loop == nil {
		return fmt.Errorf("no client %q", s.Client)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		// What a client says of having been stopped is no fault.
		if err := loop(ctx, s.job(handle)); ctx.Err() == nil {
			stop(fmt.Errorf("%s ended by itself: %w", s.Client, err))
		}
	}()
	err := observe(ctx)
	stop(nil)
	select {
	case <-ended:
	case <-time.After(stopGrace):
		if err == nil {
			err = fmt.Errorf("%s did not stop within %v", s.Client, stopGrace)
		}
	}
	return err
}
