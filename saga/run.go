package saga

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/outbox"
)

// DefaultPoll is how often an instance looks for timers that are due and for
// what operators want. A timer is never early, and at most this late.
const DefaultPoll = time.Second

const (
	grace    = 10 * time.Minute // how long the sagas of a newer program are left to it
	unheard  = 15 * time.Second // a timer that is so late went off while nothing ran
	census   = 15 * time.Second // how often sagas are counted for the metrics
	sweep    = time.Minute      // how often old sagas are deleted
	atOnce   = 1000             // steps of one kind between two looks at the context
	slowDown = 30 * time.Second // the longest wait while the database is away
)

// run is the orchestrator's task: it fires timers and carries out orders until
// ctx ends. Every instance does so; a row is taken by one of them at a time.
// What fails is tried again, and told once for as long as it lasts.
func (o *Orchestrator[D]) run(ctx context.Context) error {
	var counted, swept time.Time
	wait, failing := o.poll, false
	for {
		err := errors.Join(o.obeyAll(ctx), o.fireAll(ctx))
		if now := time.Now(); now.Sub(counted) >= census {
			counted = now
			err = errors.Join(err, o.count(ctx))
		}
		if now := time.Now(); now.Sub(swept) >= sweep {
			swept = now
			err = errors.Join(err, o.repeat(ctx, o.sweep))
		}
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // what the end of the context has cut short goes on elsewhere
		case err == nil:
			wait, failing = o.poll, false
		default:
			wait = min(2*wait, max(slowDown, o.poll))
			if !failing {
				o.app.Logger().WarnContext(ctx, "sagas cannot move on", "saga", o.newest.Name, "err", err)
			}
			failing = true
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// repeat does something, each time in a transaction of its own, until there is
// nothing left of it.
func (o *Orchestrator[D]) repeat(ctx context.Context, do func(context.Context, outbox.Tx) (bool, error)) error {
	for range atOnce {
		more := false
		err := outbox.Do(ctx, o.db, func(ctx context.Context, tx *sql.Tx) (err error) {
			more, err = do(ctx, tx)
			return err
		})
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// A heldError is what keeps one saga or order, and not the database, from going
// on: the others pass it.
type heldError struct {
	row   *row  // of a timer
	order int64 // or the order's number
	err   error
}

func (h *heldError) Error() string { return h.err.Error() }
func (h *heldError) Unwrap() error { return h.err }

// held makes a failure that of a saga or order.
func held(r *row, order int64, err error) error {
	if err == nil {
		return nil
	}
	return &heldError{r, order, err}
}

// fireAll lets all timers go off that are due. A saga that cannot go on is tried
// again after a while; the first failure is returned.
func (o *Orchestrator[D]) fireAll(ctx context.Context) (first error) {
	for range atOnce {
		err := o.repeat(ctx, o.fire)
		first = cmp.Or(first, err)
		h, ok := errors.AsType[*heldError](err)
		if !ok {
			return first
		}
		if err := o.store.postpone(ctx, o.db, h.row, time.Now().Add(slowDown)); err != nil {
			return errors.Join(first, err)
		}
	}
	return first
}

// obeyAll carries out all orders. One that cannot be is tried again next time,
// behind the others; the first failure is returned.
func (o *Orchestrator[D]) obeyAll(ctx context.Context) (first error) {
	defer func() { o.after = 0 }()
	for range atOnce {
		err := o.repeat(ctx, o.obey)
		first = cmp.Or(first, err)
		h, ok := errors.AsType[*heldError](err)
		if !ok {
			return first
		}
		o.after = h.order
	}
	return first
}

// fire lets one timer go off.
func (o *Orchestrator[D]) fire(ctx context.Context, tx outbox.Tx) (bool, error) {
	r, err := o.store.take(ctx, tx, o.newest.Name, o.newest.Version, time.Now())
	if r == nil || err != nil {
		return false, err
	}
	was := *r
	if o.defs[r.version] == nil {
		return true, held(&was, 0, o.strand(ctx, tx, r))
	}
	m := move[D]{event: event{what: due}, kind: "due", step: r.step}
	if time.Since(r.due) > max(unheard, 2*o.poll) {
		m.event.unheard, m.detail = true, "nothing ran when it was due: it waits once more"
	}
	return true, held(&was, 0, o.traced(ctx, r, "timeout", func(ctx context.Context) error { return o.move(ctx, tx, r, m) }))
}

// strand makes a saga stuck that the program cannot go on with. It is kept as
// it is, and goes on from there once a program knows its version.
func (o *Orchestrator[D]) strand(ctx context.Context, tx outbox.Tx, r *row) error {
	reason := o.unknownVersion(r)
	before := r.position.State
	r.position, _ = machine(make([]rule, len(r.position.Steps))).next(r.position, event{what: strand, reason: reason.Error()})
	r.due = time.Time{}
	if err := o.store.note(ctx, tx, r, entry{at: time.Now(), kind: string(Stuck), detail: reason.Error()}); err != nil {
		return err
	}
	o.log(ctx, r, before)
	return o.store.save(ctx, tx, r)
}

func (d Definition[D]) names() []string {
	names := make([]string, len(d.Steps))
	for i, s := range d.Steps {
		names[i] = s.Name
	}
	return names
}

// obey carries out one order of an operator.
func (o *Orchestrator[D]) obey(ctx context.Context, tx outbox.Tx) (bool, error) {
	wish, err := o.store.ordered(ctx, tx, o.newest.Name, o.after)
	if wish == nil || err != nil {
		return false, err
	}
	r, err := o.store.lock(ctx, tx, wish.name, wish.id)
	switch {
	case errors.Is(err, ErrUnknown):
		return true, nil // deleted meanwhile
	case err != nil:
		return false, err
	}
	told := entry{at: time.Now(), kind: wish.verb, step: wish.step, actor: wish.actor}
	p := o.defs[r.version]
	if p == nil {
		told.detail = "no effect: " + o.unknownVersion(r).Error()
		return true, o.store.note(ctx, tx, r, told)
	}
	e := event{what: verbs[wish.verb], step: -1, reason: fmt.Sprintf("%s asked for it", wish.actor)}
	if wish.step != "" {
		if e.step = slices.Index(p.names(), wish.step); e.step < 0 {
			told.detail = fmt.Sprintf("no effect: %s; the steps are %v", isUnknownStep, p.names())
			return true, o.store.note(ctx, tx, r, told)
		}
	}
	err = o.traced(ctx, r, wish.verb, func(ctx context.Context) error {
		return o.move(ctx, tx, r, move[D]{event: e, kind: wish.verb, step: wish.step, actor: wish.actor})
	})
	return true, held(nil, wish.nr, err)
}

// verbs are the orders, as they stand in the table.
var verbs = map[string]happening{"retry": retry, "compensate": compensate, "settle": settle}

// sweep deletes sagas that have been over for long enough.
func (o *Orchestrator[D]) sweep(ctx context.Context, tx outbox.Tx) (bool, error) {
	n, err := o.store.forget(ctx, tx, o.newest.Name, time.Now().Add(-o.newest.Keep))
	return n > 0, err
}

// missing is what a query of a database without the tables says.
func missing(err error) diag.Diagnostic {
	return diag.New(diag.SagaTables, "the database has no usable tables of sagas").WithEvidence("%v", err)
}
