package saga

import "time"

// The state machine is a function without clock, input or output: it takes
// where a saga is and what has happened, and returns where the saga is then and
// what has to be done about it. Everything else in this package carries its
// events to it and its effects away.

// phase is where one step of a saga is.
type phase string

const (
	idle    phase = ""        // not begun
	asked   phase = "asked"   // Do was sent, and no answer came
	done    phase = "done"    // Do was done
	failed  phase = "failed"  // Do was refused: there is nothing to undo
	unsure  phase = "unsure"  // no answer came in time: Do may have been done
	undoing phase = "undoing" // Undo was sent, and no answer came
	undone  phase = "undone"  // Undo was done
	kept    phase = "kept"    // done, and it stays: there is no Undo, or an operator said so
)

// progress is what a saga remembers of a step.
type progress struct {
	Name     string  `json:"name"` // for those who read it; the machine goes by place
	Phase    phase   `json:"phase,omitempty"`
	Round    int     `json:"round,omitempty"`    // of the idempotency key: raised after every refusal
	Answered bool    `json:"answered,omitempty"` // Do was reported done
	Early    Outcome `json:"early,omitempty"`    // came before the step began
}

// position is where a saga is.
type position struct {
	State   State      `json:"state"`
	Was     State      `json:"was,omitempty"` // of a stuck saga: what it was doing
	Steps   []progress `json:"steps"`
	At      int        `json:"at"`                // the step that is being done or undone
	Attempt int        `json:"attempt,omitempty"` // of the command that was sent last
	Pausing bool       `json:"pausing,omitempty"` // the timer is a wait after a refusal, not for an answer
	Reason  string     `json:"reason,omitempty"`  // why it is stuck or had to be undone
	Trace   string     `json:"trace,omitempty"`   // the span that it was started in; nothing to the machine
}

// rule is what the machine has to know of a step.
type rule struct {
	undo     bool // there is a compensation
	pivot    bool
	attempts int
	backoff  time.Duration
	within   time.Duration
}

// happening is one kind of event.
type happening int

const (
	began      happening = iota // the saga was started
	answered                    // somebody reported an outcome
	due                         // the timer went off
	retry                       // an operator wants the command sent again
	compensate                  // an operator wants the saga undone
	settle                      // an operator says that the command was carried out
	strand                      // the code cannot go on with the saga
)

// event is what has happened.
type event struct {
	what    happening
	step    int     // of answered; of compensate, the last step to be undone first
	outcome Outcome // of answered
	former  bool    // of answered: to a command that was refused before
	unheard bool    // of due: nobody would have heard an answer
	reason  string
}

// effect is what has to be done about it. At most one command is sent.
type effect struct {
	ignored string // why the event changed nothing; "" if it counts
	send    bool   // the command of the step the saga is at
	wait    time.Duration
	timer   bool // the timer goes off after wait; if not, there is none
}

// machine moves sagas of one definition.
type machine []rule

// next is the transition. The position is not changed, a new one returned.
func (m machine) next(p position, e event) (position, effect) {
	p.Steps = append([]progress(nil), p.Steps...)
	t := &turn{m, p, effect{}}
	switch e.what {
	case began:
		t.p.State, t.p.Steps = Running, make([]progress, len(m))
		t.do(0)
	case answered:
		t.answer(e)
	case due:
		t.due(e)
	default:
		t.order(e)
	}
	return t.p, t.out
}

// turn is one transition under way.
type turn struct {
	machine
	p   position
	out effect
}

func (t *turn) ignore(why string) { t.out = effect{ignored: why} }

// doing is what the saga does, or did before it was stuck.
func (t *turn) doing() State {
	if t.p.State == Stuck {
		return t.p.Was
	}
	return t.p.State
}

// do begins step i, or completes the saga behind the last one. A step whose
// answer is there already is not asked for.
func (t *turn) do(i int) {
	t.p.State, t.p.Was, t.p.Attempt, t.p.Reason = Running, "", 0, ""
	if i == len(t.machine) {
		t.over(Completed)
		return
	}
	t.p.At = i
	s := &t.p.Steps[i]
	s.Phase = asked
	switch s.Early {
	case Done:
		s.Early = ""
		t.done(i)
	case Failed:
		s.Early = ""
		t.failed(i, "failed before it was asked for")
	default:
		t.ask()
	}
}

// ask sends the command of the step the saga is at.
func (t *turn) ask() {
	t.p.Attempt++
	t.p.Pausing = false
	t.out = effect{send: true, timer: true, wait: t.machine[t.p.At].within}
}

// pause waits before the command is sent anew, with a new key: the last one
// was refused.
func (t *turn) pause() {
	rule := t.machine[t.p.At]
	t.p.Steps[t.p.At].Round++
	t.p.Pausing = true
	t.out = effect{timer: true, wait: rule.backoff << min(t.p.Attempt-1, 10)}
}

func (t *turn) done(i int) {
	t.p.Steps[i].Phase, t.p.Steps[i].Answered = done, true
	t.do(i + 1)
}

// failed is a refusal of Do: the way back, or behind the pivot another try.
func (t *turn) failed(i int, reason string) {
	switch {
	case !t.pastPivot(i):
		t.p.Steps[i].Phase = failed
		t.back(reason)
	case t.p.Attempt < t.machine[i].attempts:
		t.p.Reason = reason
		t.pause()
	default:
		t.p.Steps[i].Round++
		t.stuck(reason)
	}
}

// pastPivot reports whether there is no way back from step i.
func (t *turn) pastPivot(i int) bool {
	for j := range i {
		if t.machine[j].pivot {
			return true
		}
	}
	return false
}

// back undoes what was done, the last step first, and what may have been done.
func (t *turn) back(reason string) {
	t.p.State, t.p.Was, t.p.Attempt, t.p.Reason = Compensating, "", 0, reason
	for i := len(t.machine) - 1; i >= 0; i-- {
		s := &t.p.Steps[i]
		if s.Phase == idle && s.Early == Done { // somebody did it unasked
			s.Phase, s.Answered, s.Early = done, true, ""
		}
		if s.Phase != done && s.Phase != unsure {
			continue
		}
		if !t.machine[i].undo {
			s.Phase = kept
			continue
		}
		s.Phase, t.p.At = undoing, i
		t.ask()
		return
	}
	t.over(Compensated)
}

func (t *turn) over(s State) {
	t.p.State, t.p.Was, t.p.Attempt, t.p.Pausing = s, "", 0, false
	t.out = effect{}
}

func (t *turn) stuck(reason string) {
	t.p.Was, t.p.State, t.p.Reason, t.p.Pausing = t.doing(), Stuck, reason, false
	t.out = effect{}
}

// due is the timer: it sends again, or takes silence for an answer. Silence
// that nobody listened to is none: the answer may lie in its topic.
func (t *turn) due(e event) {
	switch at := t.machine[t.p.At]; {
	case t.p.State != Running && t.p.State != Compensating:
		t.ignore("the saga waits for nothing")
	case e.unheard && !t.p.Pausing:
		t.out = effect{timer: true, wait: at.within}
	case t.p.Pausing, t.p.Attempt < at.attempts:
		t.ask()
	case t.p.State == Compensating:
		t.stuck("the compensation was not answered in time")
	case at.pivot, t.pastPivot(t.p.At):
		t.stuck("the command was not answered in time")
	default:
		t.p.Steps[t.p.At].Phase = unsure
		t.back("the command was not answered in time")
	}
}
