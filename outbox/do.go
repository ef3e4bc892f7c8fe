package outbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/slipway-go/slipway"
)

// ErrNested reports a [Do] within another one. There is one transaction: pass
// its tx on.
var ErrNested = errors.New("outbox.Do is called within outbox.Do")

// ErrUnknownOutcome reports that the connection broke while a transaction was
// being committed, so that nobody knows whether it was. It is returned outside
// of handlers only: within one the message's id tells. Look for what the
// transaction was to write before doing it again.
var ErrUnknownOutcome = errors.New("the transaction may or may not be committed")

// commitTimeout is how long the answer to a commit is waited for. A commit is
// not cut short by the end of a handler's context: half a commit would be in
// doubt.
const commitTimeout = 10 * time.Second

// Do runs fn in a transaction, and where ctx is that of a handler, once for its
// message: the message's id goes into the inbox in the same commit as what fn
// writes and what it gives to [Send]. A message whose id is there already is
// done, and Do returns nil without running fn. One that another instance has in
// hand is waited for.
//
// When fn returns an error, or panics, nothing is kept, and Do returns that
// error as it is: [slipway.Reject], [slipway.RetryAfter] and the other outcomes
// mean what they always mean. What the database refuses for reasons that pass
// (a deadlock, a serialization failure, no connection) is tried again, with fn
// run anew, for as long as ctx lasts and at most ten times; so fn has no
// effects but those of tx.
//
// A commit whose answer is lost is settled by the inbox: Do tries again, and
// either finds the id or does the work that was not committed. Outside of
// handlers there is no id and Do returns [ErrUnknownOutcome].
//
// A message of a batch is said with [slipway.Message.Context]; see also
// [DoBatch]. tx must not be committed or used after fn has returned.
func Do(ctx context.Context, db *sql.DB, fn func(ctx context.Context, tx *sql.Tx) error) error {
	once, err := newOnce(ctx, db)
	if err != nil {
		return err
	}
	return once.do(ctx, fn)
}

// doing marks the context that fn gets.
type doing struct{}

// A once is one call of Do: the transaction that is tried until it is through.
type once struct {
	db        *sql.DB
	messages  []slipway.Delivery // whose ids are kept; none outside of handlers
	done      []bool             // of the last try: its id was there already
	inDoubt   bool               // a try may have been committed
	committed bool
}

func newOnce(ctx context.Context, db *sql.DB) (*once, error) {
	if ctx.Value(doing{}) != nil {
		return nil, ErrNested
	}
	o := &once{db: db}
	if d, ok := slipway.DeliveryFrom(ctx); ok {
		d.Deduplicated()
		o.messages = []slipway.Delivery{d}
	}
	return o, nil
}

func (o *once) do(ctx context.Context, fn func(context.Context, *sql.Tx) error) error {
	for try := 1; ; try++ {
		err := o.try(ctx, fn)
		if err == nil {
			return nil
		}
		if len(o.messages) == 0 && errors.Is(err, ErrUnknownOutcome) {
			return err
		}
		if try == maxTries || !passing(err) || !pause(ctx, try) {
			return err
		}
	}
}

// try makes one transaction.
func (o *once) try(ctx context.Context, fn func(context.Context, *sql.Tx) error) error {
	// The transaction's own context ends with ctx until the commit begins.
	life, end := context.WithCancelCause(context.WithoutCancel(ctx))
	defer end(nil)
	leash := context.AfterFunc(ctx, func() { end(context.Cause(ctx)) })
	defer leash()
	tx, err := o.db.BeginTx(life, nil)
	if err != nil {
		return o.because(ctx, fmt.Errorf("begin transaction: %w", err))
	}
	defer tx.Rollback() // nothing to roll back after a commit
	fresh, err := o.remember(ctx, tx)
	if err != nil {
		return o.because(ctx, err)
	}
	if !fresh {
		return nil
	}
	if err := fn(context.WithValue(ctx, doing{}, o), tx); err != nil {
		return lost(ctx, tx, err)
	}
	if !leash() {
		return context.Cause(ctx) // ended before the commit began: nothing is kept
	}
	limit := time.AfterFunc(commitTimeout, func() { end(errors.New("no answer to the commit")) })
	defer limit.Stop()
	if err := tx.Commit(); err != nil {
		return o.uncommitted(err)
	}
	o.committed = true
	wake(o.db)
	return nil
}

// uncommitted judges the failure of a commit. What the database itself says is
// certain; silence is not.
func (o *once) uncommitted(err error) error {
	if certain(err) {
		return fmt.Errorf("commit transaction: %w", err)
	}
	o.inDoubt = true
	return fmt.Errorf("commit transaction: %w: %w", ErrUnknownOutcome, err)
}

// because judges a failure of the transaction's own statements: it may be no
// more than the end of ctx, or that of the connection.
func (o *once) because(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case broken(err):
		return &lostError{err}
	}
	return err
}
