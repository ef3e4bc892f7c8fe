package outbox

import (
	"context"
	"database/sql"
	"errors"

	"github.com/slipway-go/slipway"
)

// errBehind is the outcome of a message of a batch that comes after one that is
// tried again: it has not been handled.
var errBehind = errors.New("a message before it in the batch is tried again first")

// DoBatch is [Do] for a handler of batches: one transaction for all messages of
// the batch, with each one's id. fn gets those that are not done yet, and is not
// run where there are none. What DoBatch returns is what the handler returns.
//
// Where fn fails the batch is handled again message by message, each in a
// transaction of its own, so that a bad message meets its own outcome and takes
// no others along; behind one that is to be tried again, an ordered entry stops.
func DoBatch[T any](ctx context.Context, db *sql.DB, batch []*slipway.Message[T],
	fn func(ctx context.Context, tx *sql.Tx, batch []*slipway.Message[T]) error,
) []error {
	err := doTogether(ctx, db, batch, fn)
	if err == nil {
		return nil
	}
	outcomes := make([]error, len(batch))
	if len(batch) == 1 || ctx.Err() != nil || errors.Is(err, ErrNested) || passing(err) {
		for i := range outcomes {
			outcomes[i] = err
		}
		return outcomes
	}
	for i, m := range batch {
		one := m.Context(ctx)
		outcomes[i] = Do(one, db, func(ctx context.Context, tx *sql.Tx) error {
			return fn(ctx, tx, []*slipway.Message[T]{m})
		})
		if d, ok := slipway.DeliveryFrom(one); ok && d.Ordered && again(outcomes[i]) {
			for behind := i + 1; behind < len(batch); behind++ {
				outcomes[behind] = errBehind
			}
			break
		}
	}
	return outcomes
}

// doTogether handles a batch in one transaction.
func doTogether[T any](ctx context.Context, db *sql.DB, batch []*slipway.Message[T],
	fn func(context.Context, *sql.Tx, []*slipway.Message[T]) error,
) error {
	if ctx.Value(doing{}) != nil {
		return ErrNested
	}
	o := &once{db: db}
	for _, m := range batch {
		if d, ok := slipway.DeliveryFrom(m.Context(ctx)); ok {
			d.Deduplicated()
			o.messages = append(o.messages, d)
		}
	}
	return o.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		fresh := batch
		if len(o.messages) == len(batch) {
			fresh = nil
			for i, m := range batch {
				if !o.done[i] {
					fresh = append(fresh, m)
				}
			}
		}
		return fn(ctx, tx, fresh)
	})
}

// again reports whether an outcome means that the message is tried again, so
// that what is behind it has to wait.
func again(err error) bool { return err != nil && slipway.Retryable(err) && !slipway.Skipped(err) }
