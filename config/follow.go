package config

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/slipway-go/slipway/diag"
)

// Follow looks at files and sources again and again until ctx ends, and tells
// apply when the configuration is another one than now, or than it told last:
// with new values, or with an error if what is there now cannot be used. An
// error is told once; when all is well again apply gets values, also if they are
// those from before. Values whose warnings have changed are told too, so that a
// source that is away can be told of.
//
// Of a burst of changes the last one is told. apply is called from one
// goroutine, one call after the other, and not after ctx has ended.
func (l *Loader) Follow(ctx context.Context, now *Values, apply func(*Values, error)) error {
	ctx, cancel := context.WithCancel(ctx)
	var watchers sync.WaitGroup
	defer watchers.Wait()
	defer cancel()
	woken := make(chan struct{}, 1)
	wake := func() {
		select {
		case woken <- struct{}{}:
		default: // it will look anyway
		}
	}
	for _, s := range l.sources {
		if _, ok := s.Source.(Watcher); ok {
			watchers.Go(func() { s.watch(ctx, l.cfg.Every, wake) })
		}
	}
	seen := state{values: now}
	for {
		select {
		case <-ctx.Done():
		case <-woken:
		case <-time.After(l.cfg.Every):
		}
		next := l.settled(ctx, seen)
		if ctx.Err() != nil {
			return nil
		}
		if !next.same(seen) {
			seen = next
			apply(next.values, next.err)
		}
	}
}

// A state is what a look at all layers yields.
type state struct {
	values *Values
	err    error
}

// same reports whether there is nothing to tell.
func (s state) same(as state) bool {
	switch {
	case s.err != nil && as.err != nil:
		return s.err.Error() == as.err.Error()
	case s.err != nil || as.err != nil || s.values == nil || as.values == nil:
		return false
	}
	return len(s.values.Diff(as.values)) == 0 && slices.EqualFunc(s.values.warnings, as.values.warnings, alike)
}

// alike compares warnings; a source may be away for changing reasons.
func alike(a, b diag.Diagnostic) bool {
	if a.Code == diag.ConfigSourceStale && b.Code == a.Code {
		return true
	}
	return a.Code == b.Code && a.Message == b.Message
}

const (
	looks      = 4 // at a change, until two see the same
	longestGap = 100 * time.Millisecond
)

// settled looks, and at a change looks again, so that a file that somebody is
// writing is not taken for a short one. Writers that take turns without end are
// not waited for.
func (l *Loader) settled(ctx context.Context, seen state) state {
	next := l.look(ctx)
	for range looks {
		if next.same(seen) || !wait(ctx, min(l.cfg.Every/10, longestGap)) {
			return next
		}
		again := l.look(ctx)
		if again.same(next) {
			return again
		}
		next = again
	}
	return next
}

func (l *Loader) look(ctx context.Context) state {
	l.mu.Lock()
	defer l.mu.Unlock()
	v, err := required(l.load(ctx, false))
	return state{v, err}
}
