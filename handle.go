package slipway

import (
	"context"
	"fmt"
	"reflect"
	"runtime/debug"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/record"
	"github.com/slipway-go/slipway/schema"
)

// Handle registers fn for an entry of the contract's consumes block. The entry
// is named after its topic unless the contract names it otherwise.
//
// What fn returns decides what becomes of the record: nil finishes it, an
// error tries it again after the contract's delays, [RetryAfter] after a delay
// of its own, and [Reject] sends it to the dead-letter topic at once. The
// context ends with the contract's timeout, at shutdown, or when the partition
// is taken away; context.Cause tells which. fn runs concurrently for different
// keys.
//
// T is a struct that can hold the entry's schema, or []byte for a topic
// without one. Where it cannot, [App.Run] fails and says which fields.
func Handle[T any](app *App, entry string, fn func(ctx context.Context, m *Message[T]) error) {
	app.register(entry, &handler{
		typ: reflect.TypeFor[T](),
		call: func(ctx context.Context, rec *kgo.Record, attempt int, decode schema.Decode) error {
			m := &Message[T]{
				Key: rec.Key, Topic: rec.Topic, Partition: rec.Partition, Offset: rec.Offset, Time: rec.Timestamp,
				Attempt: attempt, Tombstone: rec.Value == nil, Record: rec,
			}
			if !m.Tombstone {
				if err := decode(rec.Value, &m.Value); err != nil {
					return &undecodable{err}
				}
			}
			return fn(ctx, m)
		},
	})
}

// handler is a registered function with its type erased.
type handler struct {
	typ  reflect.Type
	call func(ctx context.Context, rec *kgo.Record, attempt int, decode schema.Decode) error
}

func (a *App) register(entry string, h *handler) {
	switch _, twice := a.handlers[entry]; {
	case a.contract.Consumes[entry] == nil:
		a.faults.Add(diag.New(diag.RuntimeNotConsumed, "code handles %q, which the contract of %s does not consume", entry, a.contract.Name).
			WithFix("add %q to consumes in slipway.yaml, or remove the handler; the contract consumes %s", entry, list(a.contract.Consumes)))
	case twice:
		a.faults.Add(diag.New(diag.RuntimeHandledTwice, "code handles %q twice", entry))
	default:
		a.handlers[entry] = h
	}
}

// attempt calls the handler once, with the contract's timeout, and turns a
// panic into an error.
func (h *handler) attempt(ctx context.Context, rec *kgo.Record, n int, timeout time.Duration, decode schema.Decode) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, ErrTimeout)
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			err = &panicked{value: fmt.Sprint(v), stack: record.Cut(string(debug.Stack()), record.MaxStack)}
		}
	}()
	return h.call(ctx, rec, n, decode)
}

// undecodable is the failure of a value that is not what its schema says.
type undecodable struct{ err error }

func (u *undecodable) Error() string { return u.err.Error() }
func (u *undecodable) Unwrap() error { return u.err }

// panicked is the failure of a handler that panicked.
type panicked struct{ value, stack string }

func (p *panicked) Error() string { return "handler panicked: " + p.value }
