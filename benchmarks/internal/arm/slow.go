package arm

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime"
	"time"
)

// compute hashes a value as often as it is told to.
func compute(hashes int, value []byte) {
	sum := sha256.Sum256(value)
	for range hashes {
		sum = sha256.Sum256(sum[:])
	}
	runtime.KeepAlive(&sum)
}

var errPoison = errors.New("this key always fails")

// slow measures a steady stretch of a handler that takes its time: what was
// handled, and what it cost, between the end of the warm-up and the end of the
// window. With Poison the handler fails for the records of key 0, which do not
// count.
func slow(ctx context.Context, s Spec) (Result, error) {
	c := newCheck(s, s.Order != "none")
	handle := func(r Record) error {
		if s.Poison && keyOf(r) == 0 {
			return errPoison
		}
		c.enter(r)
		if s.Work > 0 {
			time.Sleep(s.Work)
		}
		if s.Hashes > 0 {
			compute(s.Hashes, r.Value)
		}
		c.leave(r)
		return nil
	}
	var before, after usage
	err := runUntil(ctx, s, handle, func(ctx context.Context) (err error) {
		if err = awaitFirst(ctx, c); err == nil {
			err = pause(ctx, s.Warmup)
		}
		before = use(c.handled())
		if err == nil {
			err = pause(ctx, s.Window)
		}
		after = use(c.handled())
		return err
	})
	if err != nil {
		return nil, err
	}
	if c.open.Load() < int64(len(s.Ends)) {
		return nil, fmt.Errorf("a partition was read to its end within %v: it needs more than its %d records", s.Warmup+s.Window, s.Ends[0])
	}
	r := Result{"rss": peakMiB()}
	if after.handled == before.handled {
		r["rate"] = 0 // it stands still; per record there is nothing to tell
	} else {
		r.since(before, after)
	}
	c.report(r)
	return r, nil
}

func awaitFirst(ctx context.Context, c *check) error {
	for c.handled() == 0 {
		if err := pause(ctx, time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// pause lets d pass, unless ctx ends before.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
