package saga

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/outbox"
)

// What an operator orders is a row, which an instance of the service takes and
// carries out within [DefaultPoll]; while none runs the row waits. The saga's
// history tells who ordered it and when, and what came of it.

// Retry orders a stuck saga to send its command again, as often as it did
// before. Everything else goes on from there. An order for a saga that is not
// stuck is an error with the code [diag.SagaState].
func (l *Log) Retry(ctx context.Context, name, id, who string) (Summary, error) {
	return l.order(ctx, order{name: name, id: id, verb: "retry", actor: who}, func(d *Detail) error {
		if d.State != Stuck {
			return diag.New(diag.SagaState, "saga %s is %s, not stuck", path(d.Name, d.ID), d.State)
		}
		return nil
	})
}

// Compensate orders a saga to undo its steps, the last one first, whether it
// runs or is stuck, and also behind its pivot. With from not empty it begins
// with that step: what was done after it is taken for undone by hand.
func (l *Log) Compensate(ctx context.Context, name, id, from, who string) (Summary, error) {
	return l.order(ctx, order{name: name, id: id, verb: "compensate", step: from, actor: who}, func(d *Detail) error {
		if d.State.Over() {
			return over(d)
		}
		if from != "" && !d.hasStep(from) {
			var names []string
			for _, s := range d.Steps {
				names = append(names, s.Name)
			}
			return diag.New(diag.SagaStep, "saga %s has no step %s", path(d.Name, d.ID), from).WithFix("name one of its steps: %s", strings.Join(names, ", "))
		}
		return nil
	})
}

// Settle tells a saga that its open command was carried out, by hand or unseen:
// the step is done, or undone, and the saga goes on.
func (l *Log) Settle(ctx context.Context, name, id, who string) (Summary, error) {
	return l.order(ctx, order{name: name, id: id, verb: "settle", actor: who}, func(d *Detail) error {
		if d.State.Over() {
			return over(d)
		}
		return nil
	})
}

func over(d *Detail) error {
	return diag.New(diag.SagaState, "saga %s is %s already", path(d.Name, d.ID), d.State)
}

// order writes an order down, if the saga is where it makes sense.
func (l *Log) order(ctx context.Context, o order, fits func(*Detail) error) (Summary, error) {
	d, err := l.Show(ctx, o.name, o.id)
	if err != nil {
		return Summary{}, err
	}
	if err := fits(d); err != nil {
		return d.Summary, err
	}
	err = outbox.Do(ctx, l.db, func(ctx context.Context, tx *sql.Tx) error {
		now := time.Now()
		_, err := tx.ExecContext(ctx, "INSERT INTO slipway_saga_order (name, id, verb, step, actor, at) VALUES ($1, $2, $3, $4, $5, $6)",
			d.Name, d.ID, o.verb, o.step, o.actor, now.UnixMicro())
		if err != nil {
			return err
		}
		told := entry{at: now, kind: "ordered", step: o.step, detail: o.verb, actor: o.actor}
		return new(store).note(ctx, tx, &row{name: d.Name, id: d.ID}, told)
	})
	if err != nil {
		return d.Summary, fmt.Errorf("order %s of saga %s: %w", o.verb, path(d.Name, d.ID), err)
	}
	return d.Summary, nil
}
