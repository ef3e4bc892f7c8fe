package saga

// A State is where a saga is.
type State string

// The states of a saga.
const (
	Running      State = "running"      // its steps are being done
	Compensating State = "compensating" // what was done is being undone
	Completed    State = "completed"    // all steps are done
	Compensated  State = "compensated"  // what was done has been undone
	Stuck        State = "stuck"        // an operator has to look
)

// Over reports whether a saga in the state needs nothing more.
func (s State) Over() bool { return s == Completed || s == Compensated }

// An Outcome is what became of a command.
type Outcome string

// The outcomes, of Do and of Undo.
const (
	Done      Outcome = "done"       // Do was done
	Failed    Outcome = "failed"     // Do was not done, and will not be
	Undone    Outcome = "undone"     // Undo was done, or there was nothing to undo
	NotUndone Outcome = "not-undone" // Undo was not done; it is asked for again
)

// An Event says what became of a step of a saga.
type Event[D any] struct {
	// Saga is the saga's id: the business key that the answer carries, or the
	// one of its [Ref].
	Saga string

	// Step that it is about.
	Step string

	// Outcome of the step.
	Outcome Outcome

	// Key is the idempotency key of the command that was answered, if the
	// answer tells ([Ref.Key]). With it a refusal that comes twice is told from
	// a second one; an inbox does that too.
	Key string

	// Reason why, for people.
	Reason string

	// Learn notes in the saga's data what later steps have to know. It is called
	// if the event counts, and not for one that is late or repeated. Nil learns
	// nothing.
	Learn func(data *D)
}
