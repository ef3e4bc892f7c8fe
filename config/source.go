package config

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/slipway-go/slipway/diag"
)

// Given is one value that a source gives. Printed, it does not show the value.
type Given struct {
	Key   string        // dotted
	Text  string        // the value as it would be written; commas divide a list
	Items []string      // of a list, in place of Text
	At    diag.Position // where the source has it
}

// A Source gives values from elsewhere, such as a store of secrets. It is one
// layer; the loader puts the layers together.
type Source interface {
	// Name is what messages, and the provenance of values, call the source.
	Name() string

	// Load returns all that the source gives now. It is called again and
	// again, never twice at a time, and has 10 seconds. Its error must
	// not show a secret.
	Load(ctx context.Context) ([]Given, error)
}

// A Watcher is what a [Source] may be that knows by itself when it has changed.
// It is loaded then; other sources are asked again and again.
type Watcher interface {
	// Watch calls changed whenever Load would return something else, until
	// ctx ends. If it returns before, it is called again after a while.
	Watch(ctx context.Context, changed func()) error
}

// sourceTimeout is how long a source has, so that one which hangs does not keep
// files from being followed.
const sourceTimeout = 10 * time.Second

// followed is a source with what it gave last.
type followed struct {
	Source
	given []Given
	known bool        // given is what the source gave
	away  error       // why the last load failed
	quiet atomic.Bool // it is watched, and has told of no change since it was loaded
}

// read returns what the source gives. The diagnostic is an error if that is not
// known, a warning if it is what it gave before, and zero if all is well.
func (f *followed) read(ctx context.Context, always bool) ([]Given, diag.Diagnostic) {
	if always || !f.quiet.Load() || f.away != nil || !f.known {
		f.load(ctx)
	}
	switch {
	case f.away == nil:
		return f.given, diag.Diagnostic{}
	case !f.known:
		return nil, diag.New(diag.ConfigSource, "read source %s: %s", f.Name(), masked(f.away.Error()))
	default:
		return f.given, diag.Warn(diag.ConfigSourceStale, "source %s is away, what it gave before is kept: %s", f.Name(), masked(f.away.Error()))
	}
}

func (f *followed) load(ctx context.Context) {
	_, watched := f.Source.(Watcher)
	f.quiet.Store(watched) // before loading: a change while it loads is one after
	ctx, cancel := context.WithTimeout(ctx, sourceTimeout)
	defer cancel()
	given, err := f.Load(ctx)
	if f.away = err; err == nil {
		f.given, f.known = given, true
	}
}

// watch keeps a source's watcher running and wakes the loader when something
// has changed.
func (f *followed) watch(ctx context.Context, every time.Duration, wake func()) {
	changed := func() {
		f.quiet.Store(false)
		wake()
	}
	for ctx.Err() == nil {
		_ = f.Source.(Watcher).Watch(ctx, changed) // loading tells what is wrong with the source
		changed()
		wait(ctx, every)
	}
}

// wait waits, and reports whether ctx goes on.
func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return ctx.Err() == nil
	}
}
