package parking_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/slipway-go/slipway/internal/parking"
)

// verdict returns what is wrong with a run that has ended.
func (w *world) verdict() []string {
	var wrong []string
	counts := make(map[parking.Ticket]int)
	for _, o := range w.outcomes {
		if o.rightful || o.what != "skipped" {
			counts[o.at]++
		}
	}
	for _, rec := range slices.Concat(w.src, w.injected) {
		switch n := counts[rec.at]; {
		case n == 0:
			wrong = append(wrong, fmt.Sprintf("%v of %s was lost", rec.at, rec.key))
		case n > 1 && w.crashes == 0:
			wrong = append(wrong, fmt.Sprintf("%v of %s was repeated %d times without a crash", rec.at, rec.key, n-1))
		}
	}
	first := slices.DeleteFunc(slices.Clone(w.outcomes), func(o outcome) bool { return w.cut[o.at] })
	wrong = append(wrong, disorder("first", first)...)
	last := slices.DeleteFunc(slices.Clone(first), func(o outcome) bool { return !o.rightful })
	slices.Reverse(last)
	last = distinct(last)
	slices.Reverse(last)
	wrong = append(wrong, disorder("last", last)...)
	w.owner.commit()
	if end := int64(len(w.log)); w.committed.retry != end || w.committed.source != int64(len(w.src)) {
		wrong = append(wrong, fmt.Sprintf("frontiers are %d of %d and %d of %d", w.committed.source, len(w.src), w.committed.retry, end))
	}
	return wrong
}

// distinct keeps the first outcome of every record.
func distinct(all []outcome) []outcome {
	seen := make(map[parking.Ticket]bool)
	return slices.DeleteFunc(slices.Clone(all), func(o outcome) bool {
		was := seen[o.at]
		seen[o.at] = true
		return was
	})
}

func redriven(t parking.Ticket) bool { return strings.HasPrefix(t.Life, "redrive") }

// disorder finds outcomes of a key that are not in the order of its tickets.
func disorder(what string, all []outcome) (wrong []string) {
	newest := make(map[string]parking.Ticket)
	for _, o := range distinct(all) {
		if o.key == nil || redriven(o.at) {
			continue
		}
		if before, ok := newest[string(o.key)]; ok && before.Compare(o.at) > 0 {
			wrong = append(wrong, fmt.Sprintf("%s outcomes of %q: %v after %v", what, o.key, o.at, before))
		}
		newest[string(o.key)] = o.at
	}
	return wrong
}

// settings are what the runs are about, one after the other.
func settings() []setting {
	base := setting{records: 50, keys: 4, takeover: 0.5, order: "key"}
	var all []setting
	for _, crash := range []float64{0, 0.01, 0.03} {
		for _, park := range []bool{false, true} {
			for _, operator := range []float64{0, 0.02, 0.08} {
				s := base
				s.crash, s.park, s.operator = crash, park, operator
				all = append(all, s)
			}
		}
		s := base
		s.crash, s.order, s.records, s.operator = crash, "partition", 30, 0.01
		all = append(all, s)
	}
	return all
}

// tally is what many runs came to.
type tally struct{ runs, crashes, appends, repeats, trims, commands int }

func (t *tally) add(w *world) {
	t.runs++
	t.crashes += w.crashes
	t.appends += w.appends
	t.repeats += len(w.outcomes) - len(distinct(w.outcomes))
	t.trims += w.trims
	t.commands += w.commands
}

func fromEnv(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// Nothing is lost, every key's first and last outcomes are in the order of its
// tickets, nothing is repeated without a crash, and the log can be trimmed to
// its end: with several keys in flight, acknowledgements in any order, crashes
// at every step, former owners that go on, and an operator at work.
// PARKING_RUNS is how many runs, PARKING_SEED runs one again.
func TestAKeyKeepsItsOrderThroughCrashesAndZombies(t *testing.T) {
	t.Parallel()
	first, runs := uint64(0), fromEnv(t, "PARKING_RUNS", 1_500)
	if seed := fromEnv(t, "PARKING_SEED", ^uint64(0)); seed != ^uint64(0) {
		first, runs = seed, 1
	}
	all := settings()
	var sum tally
	for seed := first; seed < first+runs; seed++ {
		s := all[seed%uint64(len(all))]
		w := newWorld(seed, s)
		if runs == 1 {
			w.tell = t.Logf
		}
		if wrong := w.run(); len(wrong) > 0 {
			t.Fatalf("PARKING_SEED=%d %+v: %q", seed, s, wrong)
		}
		sum.add(w)
	}
	t.Logf("%+v", sum)
}

// Each of the rules is needed: without it the check finds a fault.
func TestEveryRuleIsNeeded(t *testing.T) {
	t.Parallel()
	for name, r := range parking.Rules {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			catch(t, func(s *setting) { s.rule = r })
		})
	}
	for _, broken := range []string{earlyFinish, noMarks, noRaise, sourceLate} {
		t.Run(broken, func(t *testing.T) {
			t.Parallel()
			catch(t, func(s *setting) { s.broken = broken })
		})
	}
}

// catch runs a model that does not keep a rule until it fails.
func catch(t *testing.T, change func(*setting)) {
	t.Helper()
	all := settings()
	for seed := range uint64(3_000) {
		s := all[seed%uint64(len(all))]
		change(&s)
		w := newWorld(seed, s)
		if wrong := w.run(); len(wrong) > 0 {
			t.Logf("seed %d: %s", seed, wrong[0])
			return
		}
	}
	t.Error("not one run failed")
}
