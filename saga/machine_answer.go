package saga

// The reasons why an event changes nothing.
const (
	isRepeated    = "repeated"
	isLate        = "late: the step is over"
	isOver        = "late: the saga is over"
	isEarly       = "early: nothing was asked yet"
	isContrary    = "the step was reported otherwise before"
	isUnasked     = "the saga does not undo the step"
	isUnknownStep = "the definition has no such step"
	isFormer      = "late: it is about a former attempt"
	isMeaningless = "the outcome is none that there is"
)

// answer takes a reported outcome. What is asked for at the moment moves the
// saga on, even a stuck one; what is too early is kept for its step; the rest
// is told why it changes nothing.
func (t *turn) answer(e event) {
	if e.step < 0 || e.step >= len(t.machine) {
		t.ignore(isUnknownStep)
		return
	}
	refusal := e.outcome == Failed || e.outcome == NotUndone
	switch {
	case refusal && e.former:
		t.ignore(isFormer)
	case e.outcome == Done, e.outcome == Failed:
		t.answerDo(e)
	case e.outcome == Undone, e.outcome == NotUndone:
		t.answerUndo(e)
	default:
		t.ignore(isMeaningless)
	}
}

func (t *turn) answerDo(e event) {
	s := &t.p.Steps[e.step]
	switch {
	case e.outcome == Done && t.unknown(s):
		t.found(s)
	case t.p.State.Over():
		t.ignore(isOver)
	case t.doing() == Running && s.Phase == asked && e.outcome == Done:
		t.done(e.step)
	case t.doing() == Running && s.Phase == asked && t.p.Pausing:
		t.ignore(isRepeated) // the refusal that it waits after
	case t.doing() == Running && s.Phase == asked && t.p.State == Stuck && t.pastPivot(e.step):
		t.ignore(isRepeated)
	case t.doing() == Running && s.Phase == asked:
		t.failed(e.step, e.reason)
	case t.doing() == Running && s.Phase == idle:
		t.keep(s, e.outcome)
	case e.outcome == Done && s.Answered, e.outcome == Failed && s.Phase == failed:
		t.ignore(isRepeated)
	case s.Answered, s.Phase == failed:
		t.ignore(isContrary)
	default:
		s.Answered = e.outcome == Done
		t.ignore(isLate)
	}
}

// keep remembers what came before its step began. The first word counts.
func (t *turn) keep(s *progress, o Outcome) {
	if s.Early != "" {
		t.ignore(isRepeated)
		return
	}
	s.Early = o
	t.out = effect{ignored: isEarly}
}

// unknown reports whether a saga on its way back learns only now that a step
// was done: one that was never asked for, or whose Undo came through before the
// word of its Do.
func (t *turn) unknown(s *progress) bool {
	back := t.doing() == Compensating || t.p.State == Compensated
	return back && !s.Answered && (s.Phase == idle || s.Phase == undone || s.Phase == failed)
}

// found has a step undone that turns out to have been done: at once, or when
// the saga comes to it.
func (t *turn) found(s *progress) {
	if s.Phase == undone {
		s.Round++
	}
	s.Phase, s.Answered = done, true
	if t.p.State == Compensated {
		t.back("a step was done after it had been given up")
		return
	}
	t.out = effect{ignored: isLate + "; it will be undone"}
}

func (t *turn) answerUndo(e event) {
	s := &t.p.Steps[e.step]
	switch {
	case t.doing() == Compensating && s.Phase == undoing && e.outcome == Undone:
		s.Phase = undone
		t.back(t.p.Reason)
	case t.p.State == Compensating && s.Phase == undoing && !t.p.Pausing:
		t.refused(e.reason)
	case t.doing() == Compensating && s.Phase == undoing, s.Phase == undone:
		t.ignore(isRepeated)
	case t.p.State.Over():
		t.ignore(isOver)
	default:
		t.ignore(isUnasked)
	}
}

// refused is a compensation that was not done: it is asked for again, until
// somebody has to look.
func (t *turn) refused(reason string) {
	if t.p.Attempt < t.machine[t.p.At].attempts {
		t.pause()
		return
	}
	t.p.Steps[t.p.At].Round++
	t.stuck(reason)
}

// order takes what an operator wants.
func (t *turn) order(e event) {
	s := &t.p.Steps[t.p.At]
	switch {
	case t.p.State.Over():
		t.ignore("the saga is over")
	case e.what == strand:
		t.strand(e.reason)
	case e.what == settle && s.Phase == undoing:
		s.Phase = undone
		t.back(t.p.Reason)
	case e.what == settle:
		t.done(t.p.At)
	case e.what == compensate:
		t.compensate(e)
	case t.p.State != Stuck:
		t.ignore("the saga is not stuck")
	default:
		t.p.State, t.p.Was, t.p.Attempt = t.p.Was, "", 0
		t.ask()
	}
}

// strand stops a saga where it is.
func (t *turn) strand(reason string) {
	if t.p.State == Stuck {
		t.ignore("the saga is stuck already")
		return
	}
	t.stuck(reason)
}

// compensate begins the way back, or begins it anew from an earlier step: what
// lies behind that is taken for undone by hand.
func (t *turn) compensate(e event) {
	for i := range t.p.Steps {
		s := &t.p.Steps[i]
		switch {
		case s.Phase == idle && s.Early != Done, s.Phase == failed, s.Phase == undone:
		case e.step >= 0 && i > e.step:
			s.Phase = kept
		case s.Phase == asked, s.Phase == undoing:
			s.Phase = unsure
		}
	}
	t.back(e.reason)
}
