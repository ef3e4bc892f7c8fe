package saga

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The world around the machine: participants that carry commands out, and the
// channels between. It knows what really happened, which the machine can only
// infer, and judges where sagas end by that.

// temper is how the participant of a step behaves.
type temper int

const (
	willing  temper = iota // does what it is asked for
	refusing               // says no
	deaf                   // does nothing, and says nothing
	silent                 // does it, and the answer never comes
	late                   // does it, and the answer comes after the command was given up
	tempers
)

// command is one that was sent.
type command struct {
	step  int
	undo  bool
	round int
}

// participant is the service that does one step.
type participant struct {
	temper  temper
	grudges int  // how often Undo fails before it succeeds
	mute    bool // Undo fails by silence, not by a refusal
	applied bool // the effect of Do is there
	fenced  bool // Undo came first, so that Do must not be done any more
	handled map[command]bool
}

// world is a saga with everything around it.
type world struct {
	machine
	p         position
	parts     []participant
	flying    []command // on their way to participants
	answers   []event   // on their way back
	held      []event   // answers that come when all is over
	timer     bool
	moves     int
	forgotten int // transitions that were rolled back
}

func newWorld(m machine) *world {
	w := &world{machine: m, parts: make([]participant, len(m))}
	for i := range w.parts {
		w.parts[i].handled = make(map[command]bool)
	}
	return w
}

// crash is what goes wrong at a transition.
type crash int

const (
	noCrash     crash = iota
	uncommitted       // the transaction is rolled back: the event comes again, nothing was sent
	unfinished        // after the commit, before the event's offset: the event comes again
	twice             // the relay dies between the broker's answer and the mark: the command is there twice
	crashes
)

// step makes one transition.
func (w *world) step(e event, c crash) {
	after, out := w.next(w.p, e)
	w.moves++
	if c == uncommitted {
		w.forgotten++
		after, out = w.next(w.p, e) // the same event, against what the database still has
	}
	w.p = after
	if out.ignored == "" {
		w.timer = out.timer
	}
	if out.send {
		cmd := command{w.p.At, w.p.Steps[w.p.At].Phase == undoing, w.p.Steps[w.p.At].Round}
		w.flying = append(w.flying, cmd)
		if c == twice {
			w.flying = append(w.flying, cmd)
		}
	}
	if c == unfinished && e.what != began { // an inbox row stops it; without one the machine has to bear it
		e.former = e.what == answered && (e.outcome == NotUndone || e.outcome == Failed)
		again, out := w.next(w.p, e)
		if e.what == answered && out.ignored == "" {
			panic(fmt.Sprintf("an answer counts twice: %+v at %+v", e, w.p))
		}
		if e.what == answered {
			w.p = again
		}
	}
}

// carry has a participant handle the first command that is on its way.
func (w *world) carry() {
	cmd := w.flying[0]
	w.flying = w.flying[1:]
	p := &w.parts[cmd.step]
	if p.handled[cmd] {
		return // its inbox knows it
	}
	if cmd.undo {
		w.carryUndo(p, cmd)
		return
	}
	w.carryDo(p, cmd)
}

func (w *world) carryDo(p *participant, cmd command) {
	answer := event{what: answered, step: cmd.step, outcome: Done}
	switch {
	case p.fenced, p.temper == refusing:
		answer.outcome, answer.reason = Failed, "no"
	case p.temper == deaf:
		return
	default:
		p.applied = true
	}
	p.handled[cmd] = true
	switch p.temper {
	case silent:
	case late:
		w.held = append(w.held, answer)
	default:
		w.answers = append(w.answers, answer)
	}
}

func (w *world) carryUndo(p *participant, cmd command) {
	answer := event{what: answered, step: cmd.step, outcome: Undone}
	if p.grudges > 0 {
		p.grudges--
		if p.mute {
			return // nothing was done, and nothing was noted: asking again helps
		}
		answer.outcome, answer.reason = NotUndone, "not now"
	} else {
		p.applied, p.fenced = false, true
	}
	p.handled[cmd] = true
	w.answers = append(w.answers, answer)
}

// run lets everything happen in order, with one thing going wrong at a
// transition, until the world is quiet.
func (w *world) run(at int, c crash) {
	strike := func() crash {
		if w.moves == at {
			return c
		}
		return noCrash
	}
	w.step(event{what: began}, strike())
	for range 10_000 {
		switch {
		case len(w.flying) > 0:
			w.carry()
		case len(w.answers) > 0:
			e := w.answers[0]
			w.answers = w.answers[1:]
			w.step(e, strike())
		case w.timer:
			w.step(event{what: due}, strike())
		case len(w.held) > 0:
			w.answers, w.held = w.held, nil
		default:
			return
		}
	}
	panic("the saga never comes to rest")
}

// heal makes every participant willing, as an operator would who has a stuck
// saga retried.
func (w *world) heal() {
	for i := range w.parts {
		w.parts[i].grudges = 0
		if w.parts[i].temper != willing {
			w.parts[i].temper = willing
		}
	}
}

// judge says what is wrong with where a quiet world is.
func (w *world) judge() error {
	switch w.p.State {
	case Completed:
		for i := range w.parts {
			if !w.parts[i].applied {
				return fmt.Errorf("completed, and step %d was not done", i)
			}
		}
	case Compensated:
		for i := range w.parts {
			if w.parts[i].applied && w.machine[i].undo {
				return fmt.Errorf("compensated, and step %d is still done", i)
			}
		}
	case Stuck:
		if w.p.Reason == "" {
			return fmt.Errorf("stuck without a reason")
		}
	default:
		return fmt.Errorf("quiet in state %s", w.p.State)
	}
	if w.p.State == Compensated {
		for i := range w.parts {
			if w.machine[i].pivot && w.p.Steps[i].Answered {
				return fmt.Errorf("compensated behind the pivot")
			}
		}
	}
	return nil
}

// fault is one way in which a saga goes wrong.
type fault struct {
	step    int // that does not go well; len(steps) for none
	temper  temper
	compOf  int // the step whose compensation fails; len(steps) for none
	grudges int
	mute    bool
}

func rules(n, pivot int) machine {
	m := make(machine, n)
	for i := range m {
		m[i] = rule{undo: i%3 != 2, pivot: i == pivot, attempts: 3, backoff: time.Second, within: time.Minute}
	}
	return m
}

// faults are all that can go wrong with n steps.
func faults(n int) []fault {
	all := []fault{{step: n, compOf: n}}
	for step := range n {
		for temper := refusing; temper < tempers; temper++ {
			all = append(all, fault{step: step, temper: temper, compOf: n})
			for comp := range step + 1 {
				for grudges := 1; grudges <= 3; grudges++ {
					all = append(all, fault{step, temper, comp, grudges, false}, fault{step, temper, comp, grudges, true})
				}
			}
		}
	}
	return all
}

// build makes the world of a fault.
func (f fault) build(m machine) *world {
	w := newWorld(m)
	if f.step < len(m) {
		w.parts[f.step].temper = f.temper
	}
	if f.compOf < len(m) {
		w.parts[f.compOf].grudges, w.parts[f.compOf].mute = f.grudges, f.mute
	}
	return w
}

// judge says whether a saga needs an operator that could have done without: a
// compensation that is refused less often than it may be comes through.
func (f fault) judge(m machine, w *world) error {
	pivots := slices.ContainsFunc(m, func(r rule) bool { return r.pivot })
	if w.p.State == Stuck && !pivots && f.grudges < 3 {
		return fmt.Errorf("stuck, and nothing failed often enough: %s", w.p.Reason)
	}
	return nil
}

// A saga of up to six steps, whatever step fails in whatever way, whatever
// compensation fails one to three times, whatever transition crashes and how:
// it ends completed, compensated or stuck with a reason, and where it is stuck
// a retry ends it once what failed is well again.
func TestNoStepStaysDoneWithoutItsCompensation(t *testing.T) {
	t.Parallel()
	most := 6
	if testing.Short() {
		most = 4
	}
	var runs, moves, stuck int
	ends := make(map[State]int)
	for n := 1; n <= most; n++ {
		for pivot := range n + 1 {
			m := rules(n, pivot)
			for _, f := range faults(n) {
				calm := f.build(m)
				calm.run(-1, noCrash)
				for at := range calm.moves {
					for c := uncommitted; c < crashes; c++ {
						w := f.build(m)
						w.run(at, c)
						runs, moves = runs+1, moves+w.moves+w.forgotten
						ends[w.p.State]++
						if err := cmp.Or(w.judge(), f.judge(m, w)); err != nil {
							t.Fatalf("%d steps, pivot %d, %+v, crash %d at transition %d: %v\n%+v", n, pivot, f, c, at, err, w.p)
						}
						if w.p.State == Stuck {
							stuck++
							requireHealed(t, w)
						}
					}
				}
			}
		}
	}
	t.Logf("up to %d steps: %d runs, %d transitions, ends %v, %d stuck ones healed", most, runs, moves, ends, stuck)
}

// requireHealed retries a stuck saga until it ends.
func requireHealed(t *testing.T, w *world) {
	t.Helper()
	for range 2 * len(w.parts) {
		w.heal()
		for i := range w.parts { // a participant that was asked in vain answers when it is asked again
			clear(w.parts[i].handled)
		}
		w.step(event{what: retry}, noCrash)
		w.drain()
		if err := w.judge(); err != nil {
			t.Fatalf("after a retry: %v\n%+v", err, w.p)
		}
		if w.p.State.Over() {
			return
		}
	}
	t.Fatalf("a stuck saga stays stuck after everything is well again: %+v", w.p)
}

// drain goes on until the world is quiet.
func (w *world) drain() {
	for len(w.flying) > 0 || len(w.answers) > 0 || w.timer || len(w.held) > 0 {
		switch {
		case len(w.flying) > 0:
			w.carry()
		case len(w.answers) > 0:
			e := w.answers[0]
			w.answers = w.answers[1:]
			w.step(e, noCrash)
		case w.timer:
			w.step(event{what: due}, noCrash)
		default:
			w.answers, w.held = w.held, nil
		}
	}
}

// Whatever order things happen in, and whatever strangers, operators and the
// network throw in, a saga ends where it should and nothing panics.
func TestASagaBearsEventsInAnyOrder(t *testing.T) {
	t.Parallel()
	checks := 0
	rapid.Check(t, func(rt *rapid.T) {
		checks++
		n := rapid.IntRange(1, 6).Draw(rt, "steps")
		m := rules(n, rapid.IntRange(0, n).Draw(rt, "pivot"))
		w := newWorld(m)
		for i := range w.parts {
			w.parts[i].temper = rapid.SampledFrom([]temper{willing, willing, willing, refusing, deaf, silent, late}).Draw(rt, "temper")
			w.parts[i].grudges = rapid.SampledFrom([]int{0, 0, 1, 2, 3}).Draw(rt, "grudges")
			w.parts[i].mute = rapid.Bool().Draw(rt, "mute")
		}
		w.step(event{what: began}, noCrash)
		for range rapid.IntRange(0, 120).Draw(rt, "turns") {
			w.turn(rt)
		}
		w.drain()
		if err := w.judge(); err != nil {
			rt.Fatalf("%v\n%+v", err, w.p)
		}
		if w.p.State == Stuck {
			requireHealed(t, w)
		}
	})
	t.Logf("%d schedules", checks)
}

// turn lets something happen, chosen freely.
func (w *world) turn(rt *rapid.T) {
	switch rapid.SampledFrom([]string{"carry", "carry", "answer", "answer", "answer", "twice", "timer", "held", "swap", "noise", "resend", "eager"}).Draw(rt, "turn") {
	case "carry":
		if len(w.flying) > 0 {
			w.carry()
		}
	case "answer":
		if len(w.answers) > 0 {
			i := rapid.IntRange(0, len(w.answers)-1).Draw(rt, "which")
			e := w.answers[i]
			w.answers = slices.Delete(w.answers, i, i+1)
			w.step(e, noCrash)
		}
	case "twice": // an answer arrives, and will arrive again
		if len(w.answers) > 0 {
			e := w.answers[0]
			w.answers = w.answers[1:]
			w.step(e, unfinished)
		}
	case "timer":
		if w.timer {
			w.step(event{what: due}, rapid.SampledFrom([]crash{noCrash, uncommitted, twice}).Draw(rt, "crash"))
		}
	case "held":
		w.answers, w.held = append(w.answers, w.held...), nil
	case "swap": // commands of different steps lie on different topics
		if len(w.flying) > 1 {
			slices.Reverse(w.flying)
		}
	case "resend":
		if len(w.flying) > 0 {
			w.flying = append(w.flying, w.flying[0])
		}
	case "eager": // somebody does a step that nobody asked for, unless it was undone before
		i := rapid.IntRange(0, len(w.parts)-1).Draw(rt, "eager")
		if p := &w.parts[i]; p.temper == willing && !p.fenced && !p.applied && !w.machine[i].pivot {
			p.applied = true
			w.answers = append(w.answers, event{what: answered, step: i, outcome: Done})
		}
	case "noise": // refers to no step, or means nothing
		before := fmt.Sprint(w.p)
		e := event{what: answered, step: cmp.Or(rapid.IntRange(-1, 0).Draw(rt, "step"), len(w.machine)), outcome: Done}
		if rapid.Bool().Draw(rt, "kind") {
			e = event{what: answered, step: 0, outcome: "whatever"}
		}
		if p, out := w.next(w.p, e); out.ignored == "" || fmt.Sprint(p) != before {
			rt.Fatalf("%+v had an effect", e)
		}
	}
}

// soak reports whether long runs are wanted.
func soak() bool { return os.Getenv("SLIPWAY_SOAK") == "1" }
