package saga

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/outbox"
)

// ErrStarted reports that there is a saga of this name and id already. Whoever
// is asked twice to start one may take it for success.
var ErrStarted = errors.New("saga was started already")

// ErrUnknown reports that there is no saga of this name and id: it was never
// started here, or it was over so long ago that it is deleted.
var ErrUnknown = errors.New("there is no such saga")

// An Orchestrator runs the sagas of one kind. It is safe for concurrent use,
// and as many instances of a service as like may run one on the same database.
type Orchestrator[D any] struct {
	app    *slipway.App
	db     *sql.DB
	defs   map[int]*plan[D] // by version
	newest *plan[D]
	store  store
	meter  *meter
	poll   time.Duration
	after  int64 // the order that could not be carried out last, of the task
}

// plan is a definition with what the machine needs of it.
type plan[D any] struct {
	Definition[D]
	machine machine
}

// New returns the orchestrator of the sagas that a definition describes, and of
// those that were started under former versions of it: give every version of
// which sagas may still run, in any order. New sagas are of the highest one.
//
// The tables are those of [Migrate]. What an operator asked for while nothing
// ran is done as soon as the app runs.
func New[D any](app *slipway.App, db *sql.DB, def Definition[D], former ...Definition[D]) (*Orchestrator[D], error) {
	o := &Orchestrator[D]{app: app, db: db, defs: make(map[int]*plan[D]), poll: DefaultPoll}
	var faults diag.List
	for _, d := range append([]Definition[D]{def}, former...) {
		d = d.withDefaults()
		if err := o.add(d); err != nil {
			faults.Add(diag.New(diag.SagaDefinition, "saga %q, version %d, cannot be run", d.Name, d.Version).WithEvidence("%v", err))
		}
		for _, topic := range d.topics() {
			if p := app.Contract().Produces[topic]; p != nil && p.Via != contract.Outbox {
				faults.Add(diag.New(diag.SagaTopic, "saga %q sends commands to %s, which the contract does not produce via the outbox", d.Name, topic).
					WithFix("write %s: {via: outbox} in produces of slipway.yaml", topic))
			}
		}
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	var err error
	if o.meter, err = newMeter(app, o.newest.Name); err != nil {
		return nil, err
	}
	app.OnStart("saga "+o.newest.Name, o.prepare)
	app.Go("saga "+o.newest.Name, o.run)
	app.OnStop("saga "+o.newest.Name, o.meter.close)
	return o, nil
}

// add takes one version.
func (o *Orchestrator[D]) add(d Definition[D]) error {
	if err := d.validate(); err != nil {
		return err
	}
	if o.newest != nil && d.Name != o.newest.Name {
		return fmt.Errorf("it is given as a former version of %q", o.newest.Name)
	}
	if o.defs[d.Version] != nil {
		return fmt.Errorf("version %d is given twice", d.Version)
	}
	p := &plan[D]{Definition: d}
	for _, s := range d.Steps {
		p.machine = append(p.machine, rule{undo: !s.Undo.none(), pivot: s.Pivot, attempts: s.Attempts, backoff: s.Backoff, within: s.Within})
	}
	o.defs[d.Version] = p
	if o.newest == nil || d.Version > o.newest.Version {
		o.newest = p
	}
	return nil
}

// topics are those that the definition's commands go to.
func (d Definition[D]) topics() []string {
	var all []string
	for _, s := range d.Steps {
		for _, c := range []Command[D]{s.Do, s.Undo} {
			if !c.none() && c.topic != "" {
				all = append(all, c.topic)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// prepare looks at the database once, before anything is handled.
func (o *Orchestrator[D]) prepare(ctx context.Context) error {
	return o.store.open(ctx, o.db)
}

// Start starts a saga in the caller's transaction, with the first command in
// its outbox: if the transaction commits, the saga runs. The id is the key by
// which answers find it, such as the order's, and unique for the name;
// [ErrStarted] if there is one already, which leaves the transaction usable.
func (o *Orchestrator[D]) Start(ctx context.Context, tx outbox.Tx, id string, data D) error {
	if id == "" || len(id) > maxID {
		return fmt.Errorf("start saga %s: the id has %d bytes, want 1 to %d", o.newest.Name, len(id), maxID)
	}
	r := &row{name: o.newest.Name, id: id, version: o.newest.Version, started: time.Now()}
	switch fresh, err := o.store.insert(ctx, tx, r); {
	case err != nil:
		return fmt.Errorf("start saga %s/%s: %w", r.name, id, err)
	case !fresh:
		return fmt.Errorf("start saga %s/%s: %w", r.name, id, ErrStarted)
	}
	text, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("start saga %s/%s: encode data: %w", r.name, id, err)
	}
	r.data, r.position.Trace = text, startedIn(ctx)
	return o.move(ctx, tx, r, move[D]{event: event{what: began}, kind: "started"})
}

// Observe takes what became of a step, in the caller's transaction: what
// follows from it is in the same commit. An event that comes twice, late or
// early changes nothing but the saga's history, and is no error. For a saga
// that is not known it is [ErrUnknown], and for one whose version the code does
// not know [diag.SagaVersion]: the event then has to come again.
//
// Most callers want [Handle].
func (o *Orchestrator[D]) Observe(ctx context.Context, tx outbox.Tx, e Event[D]) error {
	r, err := o.store.lock(ctx, tx, o.newest.Name, e.Saga)
	if err != nil {
		return fmt.Errorf("observe %s of saga %s/%s: %w", e.Step, o.newest.Name, e.Saga, err)
	}
	p := o.defs[r.version]
	if p == nil {
		return o.unknownVersion(r)
	}
	at := slices.Index(p.names(), e.Step)
	return o.move(ctx, tx, r, move[D]{
		event: event{what: answered, step: at, outcome: e.Outcome, reason: e.Reason, former: r.former(at, e.Step, e.Outcome, e.Key)},
		kind:  string(e.Outcome), step: e.Step, detail: e.Reason, learn: e.Learn,
	})
}

// former reports whether an answer is to a command that was refused already.
func (r *row) former(at int, step string, what Outcome, key string) bool {
	if key == "" || at < 0 {
		return false
	}
	ref := Ref{Name: r.name, ID: r.id, Step: step, Undo: what == Undone || what == NotUndone, Round: r.position.Steps[at].Round}
	return key != ref.Key()
}

func (o *Orchestrator[D]) unknownVersion(r *row) diag.Diagnostic {
	return diag.New(diag.SagaVersion, "saga %s/%s is of version %d of its definition, which this program does not know", r.name, r.id, r.version)
}

// Handle registers a handler for an entry of the contract's consumes block
// whose records are answers to commands. fn tells which saga and step a record
// is about; what follows is one commit with the record's inbox row. A record
// that is about no saga is skipped: give an Event without Saga for it. An error
// of fn is the record's outcome, as in [slipway.Handle].
func Handle[D, T any](o *Orchestrator[D], entry string, fn func(ctx context.Context, m *slipway.Message[T]) (Event[D], error)) {
	slipway.Handle(o.app, entry, func(ctx context.Context, m *slipway.Message[T]) error {
		e, err := fn(ctx, m)
		if err != nil {
			return err
		}
		if e.Saga == "" {
			return slipway.Skip(errors.New("the record is about no saga"))
		}
		err = outbox.Do(ctx, o.db, func(ctx context.Context, tx *sql.Tx) error { return o.Observe(ctx, tx, e) })
		if errors.Is(err, ErrUnknown) {
			return slipway.Skip(err)
		}
		return err
	})
}
