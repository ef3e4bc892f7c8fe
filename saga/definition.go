package saga

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/outbox"
)

// What a step gets unless it says otherwise.
const (
	DefaultWithin   = time.Minute
	DefaultAttempts = 3
	DefaultBackoff  = 5 * time.Second
	DefaultKeep     = 30 * 24 * time.Hour
	MaxSteps        = 64
)

// A Definition says what a kind of saga does: its steps, one after the other.
// D is what a saga knows; it is kept as JSON in the saga's row.
//
// A running saga keeps the version of the definition that it was started with.
// Change Version whenever steps are added, removed, renamed or moved, and give
// [New] the former definition too for as long as sagas of it run.
type Definition[D any] struct {
	// Name of the kind of saga, such as "order". A saga is found by its name
	// and its id.
	Name string

	// Steps in the order in which they are done. At most [MaxSteps].
	Steps []Step[D]

	// Ended is called in the transaction in which a saga is completed or has
	// been compensated: the place to write the result into the service's own
	// tables, and to tell others with outbox.Send. An error rolls the
	// transition back; it is tried again. Nil does nothing.
	Ended func(ctx context.Context, tx outbox.Tx, id string, state State, data *D) error

	// Keep is how long a saga can be seen after it is over. Then it is deleted
	// with its history.
	//
	// Defaults to [DefaultKeep].
	Keep time.Duration

	// Version of the definition, from 1.
	//
	// Defaults to 1.
	Version int
}

// A Step is one thing that another service is asked to do.
type Step[D any] struct {
	// Name of the step, unique in its definition.
	Name string

	// Do is the command that asks for it. Made by [Ask].
	Do Command[D]

	// Undo is the command that takes it back, sent when a later step fails, and
	// when it is not known whether Do was done. It has to bear that there is
	// nothing to take back, and then keep a late Do from being done. The zero
	// Command means that there is nothing to take back.
	Undo Command[D]

	// Attempts is how often a command is sent before its silence is taken for
	// an answer, and how often a compensation may be refused before the saga
	// is stuck.
	//
	// Defaults to [DefaultAttempts].
	Attempts int

	// Backoff is the wait after a refusal before the command is sent anew; it
	// doubles with every further one.
	//
	// Defaults to [DefaultBackoff].
	Backoff time.Duration

	// Pivot says that there is no way back once this step is done: later steps
	// are tried again until they succeed or somebody has to look. At most one
	// step is the pivot.
	Pivot bool

	// Within is how long to wait for an answer to a command. Together with
	// Attempts it should be longer than a group needs to move the partitions of
	// an instance that was killed, 45 seconds unless it is told otherwise.
	//
	// Defaults to [DefaultWithin].
	Within time.Duration
}

// A Command is a record that asks somebody to do something.
type Command[D any] struct {
	topic  string
	record func(ctx context.Context, data *D, ref Ref) (*kgo.Record, error)
}

// Ask is the command that p's topic carries; value makes it from the saga's id
// and what the saga knows. The topic has to be one of via: outbox in the
// contract, so that the command leaves if and only if the transition is kept.
//
// The record carries the saga's id, the step and an idempotency key as headers,
// and the key as the event's id: an inbox at the other end does the rest. The
// key stays the same for as long as no answer came; after a refusal the next
// attempt has a new one.
func Ask[D, C any](p *slipway.Producer[C], value func(id string, data *D) *C) Command[D] {
	return Command[D]{topic: p.Topic(), record: func(ctx context.Context, data *D, ref Ref) (*kgo.Record, error) {
		return p.Record(ctx, value(ref.ID, data), ref.command()...)
	}}
}

// none reports whether there is nothing to be asked for.
func (c Command[D]) none() bool { return c.record == nil }

// withDefaults fills in what is left out. The steps are copied.
func (d Definition[D]) withDefaults() Definition[D] {
	d.Keep = cmp.Or(d.Keep, DefaultKeep)
	d.Version = cmp.Or(d.Version, 1)
	steps := make([]Step[D], len(d.Steps))
	for i, s := range d.Steps {
		s.Attempts = cmp.Or(s.Attempts, DefaultAttempts)
		s.Backoff = cmp.Or(s.Backoff, DefaultBackoff)
		s.Within = cmp.Or(s.Within, DefaultWithin)
		steps[i] = s
	}
	d.Steps = steps
	return d
}

// validate reports every fault of a definition.
func (d Definition[D]) validate() error {
	var errs []error
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if d.Name == "" {
		fault("Name is empty")
	}
	if d.Version < 1 {
		fault("Version is %d, want 1 or more", d.Version)
	}
	if d.Keep < 0 {
		fault("Keep is %v, want a positive one", d.Keep)
	}
	if len(d.Steps) == 0 || len(d.Steps) > MaxSteps {
		fault("there are %d steps, want 1 to %d", len(d.Steps), MaxSteps)
	}
	seen, pivots := make(map[string]bool), 0
	for i, s := range d.Steps {
		switch {
		case s.Name == "":
			fault("step %d has no name", i+1)
		case seen[s.Name]:
			fault("step %s is there twice", s.Name)
		}
		seen[s.Name] = true
		if s.Pivot {
			pivots++
		}
		errs = append(errs, s.validate())
	}
	if pivots > 1 {
		fault("%d steps are pivots, want at most one", pivots)
	}
	return errors.Join(errs...)
}

func (s Step[D]) validate() error {
	var errs []error
	if s.Do.none() {
		errs = append(errs, fmt.Errorf("step %s has no Do", s.Name))
	}
	if s.Attempts < 1 || s.Backoff < 0 || s.Within <= 0 {
		errs = append(errs, fmt.Errorf("step %s: Attempts is %d, Backoff is %v and Within is %v, want positive ones", s.Name, s.Attempts, s.Backoff, s.Within))
	}
	return errors.Join(errs...)
}
