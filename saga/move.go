package saga

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/slipway-go/slipway/outbox"
)

// move is one transition: what has happened, and how history tells it.
type move[D any] struct {
	event  event
	kind   string
	step   string
	detail string
	actor  string
	learn  func(*D)
}

// move makes a transition of a saga whose row is locked: the machine says what
// follows, and all of it is written in the transaction.
func (o *Orchestrator[D]) move(ctx context.Context, tx outbox.Tx, r *row, m move[D]) error {
	p := o.defs[r.version]
	before := r.position.State
	after, out := p.machine.next(r.position, m.event)
	data := new(D)
	if err := json.Unmarshal(r.data, data); err != nil {
		return fmt.Errorf("decode data of saga %s/%s: %w", r.name, r.id, err)
	}
	if m.learn != nil && (out.ignored == "" || out.ignored == isEarly) {
		m.learn(data)
	}
	for i := range after.Steps {
		after.Steps[i].Name = p.Steps[i].Name
	}
	r.position, r.step = after, p.Steps[after.At].Name
	if out.ignored == "" {
		r.due = time.Time{}
		if out.timer {
			r.due = time.Now().Add(out.wait)
		}
	}
	mark(ctx, r, before, m.kind)
	if err := o.tell(ctx, tx, r, m, before, out); err != nil {
		return err
	}
	if out.send {
		if err := o.command(ctx, tx, p, r, data); err != nil {
			return err
		}
	}
	if err := o.ended(ctx, tx, p, r, before, data); err != nil {
		return err
	}
	text, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("encode data of saga %s/%s: %w", r.name, r.id, err)
	}
	r.data = text
	if err := o.store.save(ctx, tx, r); err != nil {
		return fmt.Errorf("keep saga %s/%s: %w", r.name, r.id, err)
	}
	o.meter.moved(ctx, before, after.State)
	return nil
}

// tell writes history: the event, and the state if it is a new one.
func (o *Orchestrator[D]) tell(ctx context.Context, tx outbox.Tx, r *row, m move[D], before State, out effect) error {
	told := entry{at: time.Now(), kind: m.kind, step: m.step, detail: m.detail, actor: m.actor}
	if out.ignored != "" {
		told.detail = joined("no effect: "+out.ignored, m.detail)
	}
	all := []entry{told}
	if now := r.position.State; now != before && m.event.what != began {
		all = append(all, entry{at: told.at, kind: string(now), detail: r.position.Reason})
		o.log(ctx, r, before)
	}
	return o.store.note(ctx, tx, r, all...)
}

func joined(a, b string) string {
	if b == "" {
		return a
	}
	return a + "; " + b
}

// log tells the service's owner where a saga has got to; what needs somebody
// louder.
func (o *Orchestrator[D]) log(ctx context.Context, r *row, before State) {
	log, args := o.app.Logger(), []any{"saga", r.name, "id", r.id, "from", before, "to", r.position.State}
	switch r.position.State {
	case Stuck:
		log.ErrorContext(ctx, "saga is stuck", append(args, "reason", r.position.Reason, "step", r.step)...)
	case Compensating:
		log.InfoContext(ctx, "saga is undone", append(args, "reason", r.position.Reason)...)
	default:
		log.DebugContext(ctx, "saga moved", args...)
	}
}

// command puts the command of the step the saga is at into the outbox.
func (o *Orchestrator[D]) command(ctx context.Context, tx outbox.Tx, p *plan[D], r *row, data *D) error {
	step := p.Steps[r.position.At]
	c, undo := step.Do, false
	if r.position.Steps[r.position.At].Phase == undoing {
		c, undo = step.Undo, true
	}
	ref := Ref{Name: r.name, ID: r.id, Step: step.Name, Undo: undo, Round: r.position.Steps[r.position.At].Round}
	rec, err := c.record(ctx, data, ref)
	if err == nil {
		err = outbox.SendRecord(ctx, tx, rec)
	}
	if err != nil {
		return fmt.Errorf("send command of %s to saga %s/%s: %w", step.Name, r.name, r.id, err)
	}
	kind := "asked"
	if undo {
		kind = "undoing"
	}
	detail := ""
	if r.position.Attempt > 1 {
		detail = fmt.Sprintf("attempt %d", r.position.Attempt)
	}
	return o.store.note(ctx, tx, r, entry{at: time.Now(), kind: kind, step: step.Name, detail: detail})
}

// ended calls the definition's hook when a saga has come to its end.
func (o *Orchestrator[D]) ended(ctx context.Context, tx outbox.Tx, p *plan[D], r *row, before State, data *D) error {
	if p.Ended == nil || before.Over() || !r.position.State.Over() {
		return nil
	}
	if err := p.Ended(ctx, tx, r.id, r.position.State, data); err != nil {
		return fmt.Errorf("end saga %s/%s: %w", r.name, r.id, err)
	}
	return nil
}
