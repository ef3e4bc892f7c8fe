package saga

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Early, late, repeated and contradictory events (F-27), each against a saga of
// three steps.
func TestAnEventThatDoesNotFitIsToldAndChangesNothing(t *testing.T) {
	t.Parallel()
	say := func(step int, o Outcome) event { return event{what: answered, step: step, outcome: o, reason: "why"} }
	begin, timer := event{what: began}, event{what: due}
	back := []event{begin, say(0, Done), say(1, Failed)}              // undoing 0
	compensated := append(append([]event{}, back...), say(0, Undone)) // over
	for name, tt := range map[string]struct {
		before []event
		event  event
		want   string
	}{
		"done twice":                     {[]event{begin, say(0, Done)}, say(0, Done), isRepeated},
		"done after the end":             {[]event{begin, say(0, Done), say(1, Done), say(2, Done)}, say(1, Done), isOver},
		"failed after it was done":       {[]event{begin, say(0, Done)}, say(0, Failed), isContrary},
		"failed twice":                   {back, say(1, Failed), isRepeated},
		"failed by a former attempt":     {[]event{begin}, event{what: answered, step: 0, outcome: Failed, former: true}, isFormer},
		"undone, and nobody asked":       {[]event{begin}, say(0, Undone), isUnasked},
		"undone before it was asked":     {[]event{begin}, say(2, Undone), isUnasked},
		"not undone, and nobody asked":   {[]event{begin}, say(0, NotUndone), isUnasked},
		"undone twice":                   {[]event{begin, say(0, Done), timer, timer, timer, say(1, Undone)}, say(1, Undone), isRepeated},
		"undone after the end":           {compensated, say(0, Undone), isRepeated},
		"not undone while it waits":      {append(append([]event{}, back...), say(0, NotUndone)), say(0, NotUndone), isRepeated},
		"done while it is undone":        {[]event{begin, timer, timer, timer}, say(0, Done), isLate},
		"done again while it is undone":  {back, say(0, Done), isRepeated},
		"done twice while it is undone":  {[]event{begin, timer, timer, timer, say(0, Done)}, say(0, Done), isRepeated},
		"failed while it is undone":      {[]event{begin, timer, timer, timer}, say(0, Failed), isLate},
		"failed after it was undone":     {compensated, say(0, Failed), isOver},
		"early":                          {[]event{begin}, say(2, Done), isEarly},
		"early, twice":                   {[]event{begin, say(2, Done)}, say(2, Done), isRepeated},
		"early, and then otherwise":      {[]event{begin, say(2, Done)}, say(2, Failed), isRepeated},
		"done unasked on the way back":   {back, say(2, Done), isLate + "; it will be undone"},
		"a step that there is not":       {[]event{begin}, say(3, Done), isUnknownStep},
		"a step below the first":         {[]event{begin}, say(-1, Done), isUnknownStep},
		"an outcome that there is not":   {[]event{begin}, say(0, "perhaps"), isMeaningless},
		"a timer after the end":          {compensated, timer, "the saga waits for nothing"},
		"a retry of what is not stuck":   {[]event{begin}, event{what: retry}, "the saga is not stuck"},
		"a retry of what is over":        {compensated, event{what: retry}, "the saga is over"},
		"compensate what is compensated": {compensated, event{what: compensate, step: -1}, "the saga is over"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := machine{threes(false), threes(false), threes(false)}
			p := play(m, tt.before...)
			got, out := m.next(p, tt.event)
			if out.ignored != tt.want {
				t.Errorf("ignored = %q, want %q", out.ignored, tt.want)
			}
			if out.send || out.timer || got.State != p.State || got.At != p.At || got.Attempt != p.Attempt {
				t.Errorf("it has an effect: %+v, from %+v to %+v", out, p, got)
			}
		})
	}
}

func threes(pivot bool) rule {
	return rule{undo: true, pivot: pivot, attempts: 3, backoff: time.Second, within: time.Minute}
}

// play is where a saga is after some events.
func play(m machine, events ...event) position {
	var p position
	for _, e := range events {
		p, _ = m.next(p, e)
	}
	return p
}

// trace tells what a saga sends, and where it ends.
func trace(m machine, events ...event) string {
	var p position
	var b strings.Builder
	for _, e := range events {
		var out effect
		if p, out = m.next(p, e); out.send {
			part := "do"
			if p.Steps[p.At].Phase == undoing {
				part = "undo"
			}
			fmt.Fprintf(&b, "%s%d.%d ", part, p.At, p.Steps[p.At].Round)
		} else if out.timer {
			fmt.Fprintf(&b, "wait%v ", out.wait)
		}
	}
	return b.String() + string(p.State)
}

func TestAKeyStaysWhileNobodyAnswersAndChangesAfterARefusal(t *testing.T) {
	t.Parallel()
	say := func(step int, o Outcome) event { return event{what: answered, step: step, outcome: o, reason: "why"} }
	begin, timer := event{what: began}, event{what: due}
	for name, tt := range map[string]struct {
		pivot  int
		events []event
		want   string
	}{
		"all goes well":                  {9, []event{begin, say(0, Done), say(1, Done), say(2, Done)}, "do0.0 do1.0 do2.0 completed"},
		"silence is asked again":         {9, []event{begin, timer, timer, say(0, Done)}, "do0.0 do0.0 do0.0 do1.0 running"},
		"silence that nobody heard":      {9, []event{begin, timer, timer, {what: due, unheard: true}, say(0, Done)}, "do0.0 do0.0 do0.0 wait1m0s do1.0 running"},
		"silence is undone":              {9, []event{begin, timer, timer, timer, say(0, Undone)}, "do0.0 do0.0 do0.0 undo0.0 compensated"},
		"a refusal is not undone":        {9, []event{begin, say(0, Done), say(1, Failed), say(0, Undone)}, "do0.0 do1.0 undo0.0 compensated"},
		"the last step first":            {9, []event{begin, say(0, Done), say(1, Done), say(2, Failed), say(1, Undone)}, "do0.0 do1.0 do2.0 undo1.0 undo0.0 compensating"},
		"an undo is asked again":         {9, []event{begin, say(0, Done), say(1, Failed), say(0, NotUndone), timer, say(0, NotUndone), timer, say(0, Undone)}, "do0.0 do1.0 undo0.0 wait1s undo0.1 wait2s undo0.2 compensated"},
		"an undo fails for good":         {9, []event{begin, say(0, Done), say(1, Failed), say(0, NotUndone), timer, say(0, NotUndone), timer, say(0, NotUndone)}, "do0.0 do1.0 undo0.0 wait1s undo0.1 wait2s undo0.2 stuck"},
		"an undo in silence":             {9, []event{begin, say(0, Done), say(1, Failed), timer, timer, timer}, "do0.0 do1.0 undo0.0 undo0.0 undo0.0 stuck"},
		"a late undo frees a stuck one":  {9, []event{begin, say(0, Done), say(1, Failed), timer, timer, timer, say(0, Undone)}, "do0.0 do1.0 undo0.0 undo0.0 undo0.0 compensated"},
		"a retry after refusals":         {9, []event{begin, say(0, Done), say(1, Failed), say(0, NotUndone), timer, say(0, NotUndone), timer, say(0, NotUndone), {what: retry}}, "do0.0 do1.0 undo0.0 wait1s undo0.1 wait2s undo0.2 undo0.3 compensating"},
		"a retry after silence":          {9, []event{begin, say(0, Done), say(1, Failed), timer, timer, timer, {what: retry}, say(0, Undone)}, "do0.0 do1.0 undo0.0 undo0.0 undo0.0 undo0.0 compensated"},
		"behind the pivot only forward":  {0, []event{begin, say(0, Done), say(1, Failed), timer, say(1, Done)}, "do0.0 do1.0 wait1s do1.1 do2.0 running"},
		"a pivot that is silent":         {0, []event{begin, timer, timer, timer}, "do0.0 do0.0 do0.0 stuck"},
		"a pivot that says no":           {1, []event{begin, say(0, Done), say(1, Failed)}, "do0.0 do1.0 undo0.0 compensating"},
		"an early answer is not asked":   {9, []event{begin, say(1, Done), say(0, Done)}, "do0.0 do2.0 running"},
		"an early refusal turns back":    {9, []event{begin, say(1, Failed), say(0, Done)}, "do0.0 undo0.0 compensating"},
		"an early answer is undone too":  {9, []event{begin, say(2, Done), say(0, Failed)}, "do0.0 undo2.0 compensating"},
		"found done when all is over":    {9, []event{begin, timer, timer, timer, say(0, Undone), say(0, Done), say(0, Undone)}, "do0.0 do0.0 do0.0 undo0.0 undo0.1 compensated"},
		"an operator undoes it":          {9, []event{begin, say(0, Done), {what: compensate, step: -1, reason: "asked"}, say(1, Undone)}, "do0.0 do1.0 undo1.0 undo0.0 compensating"},
		"an operator undid a part":       {9, []event{begin, say(0, Done), say(1, Done), {what: compensate, step: 0, reason: "asked"}, say(0, Undone)}, "do0.0 do1.0 do2.0 undo0.0 compensated"},
		"an operator did it by hand":     {0, []event{begin, timer, timer, timer, {what: settle}, say(1, Done)}, "do0.0 do0.0 do0.0 do1.0 do2.0 running"},
		"an operator undid it by hand":   {9, []event{begin, say(0, Done), say(1, Failed), timer, timer, timer, {what: settle}}, "do0.0 do1.0 undo0.0 undo0.0 undo0.0 compensated"},
		"stranded, and taken up":         {9, []event{begin, {what: strand, reason: "version"}, {what: retry}, say(0, Done)}, "do0.0 do0.0 do1.0 running"},
		"stranded, and an answer helps":  {9, []event{begin, {what: strand, reason: "version"}, say(0, Done)}, "do0.0 do1.0 running"},
		"a refusal behind, for good":     {0, []event{begin, say(0, Done), say(1, Failed), timer, say(1, Failed), timer, say(1, Failed), {what: retry}}, "do0.0 do1.0 wait1s do1.1 wait2s do1.2 do1.3 running"},
		"a refusal that comes once more": {0, []event{begin, say(0, Done), say(1, Failed), say(1, Failed), say(1, Failed)}, "do0.0 do1.0 wait1s running"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := machine{threes(tt.pivot == 0), threes(tt.pivot == 1), threes(false)}
			if diff := cmp.Diff(tt.want, trace(m, tt.events...)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
