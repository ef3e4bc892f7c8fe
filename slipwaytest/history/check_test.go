package history_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/slipwaytest/history"
)

func TestCleanHistoriesPass(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := clean(rapid.Uint64().Draw(t, "seed"), rapid.IntRange(150, 600).Draw(t, "records"))
		v := history.Check(r.shuffled())
		if !v.OK() {
			t.Fatalf("a clean history does not pass:\n%v", v)
		}
		if v.Counts.Applied == 0 || v.Counts.Commits == 0 || v.Counts.Revokes == 0 || v.Counts.Faults["lost-ack"] != 1 {
			t.Fatalf("the history exercised too little: %+v", v.Counts)
		}
	})
}

func acked(s history.Send) bool { return s.Outcome == history.OK }

func applied(e history.Effect) bool { return e.Outcome == history.OK }

// anomalies plants one case of each kind into a clean history. Some kinds can
// come about in several ways; each way stands by itself.
var anomalies = map[string]struct {
	kind  history.Kind
	plant func(*run)
}{
	"acknowledged, never read": {history.Lost, func(r *run) {
		_, s := pick(r, acked)
		r.drop(func(e history.Event) bool { read, ok := e.(history.Read); return ok && read.ID == s.ID })
	}},
	"acknowledged, never handled": {history.Lost, func(r *run) {
		_, s := pick(r, acked)
		r.drop(func(e history.Event) bool {
			effect, ok := e.(history.Effect)
			return ok && effect.ID == s.ID && effect.Group == groups[0]
		})
	}},
	"handled, never settled": {history.Lost, func(r *run) {
		_, s := pick(r, acked)
		for i, e := range r.events {
			if effect, ok := e.(history.Effect); ok && effect.ID == s.ID && effect.Outcome != history.Indefinite {
				effect.Outcome = history.Failed
				r.events[i] = effect
			}
		}
	}},
	"indefinite, seen by one group, lost by another": {history.Lost, func(r *run) {
		_, s := pick(r, acked)
		r.drop(func(e history.Event) bool {
			switch e := e.(type) {
			case history.Send:
				return e.ID == s.ID && e.Outcome == history.OK
			case history.Effect:
				return e.ID == s.ID && e.Group == groups[1]
			}
			return false
		})
	}},
	"appended twice": {history.DuplicateRecord, func(r *run) {
		_, read := pick(r, func(history.Read) bool { return true })
		read.Place.Offset += 1_000_000
		r.add(read)
	}},
	"applied twice": {history.DuplicateEffect, func(r *run) {
		_, e := pick(r, applied)
		e.Start, e.End = stamp(r.tick()), stamp(r.tick())
		r.add(e)
	}},
	"applied and dead-lettered": {history.DuplicateEffect, func(r *run) {
		_, e := pick(r, applied)
		e.Start, e.End, e.Outcome = stamp(r.tick()), stamp(r.tick()), history.Dead
		r.add(e)
	}},
	"in the log before an earlier one": {history.OutOfOrder, func(r *run) {
		first, second := r.neighbours()
		places := map[string]history.Place{first.ID: *second.Place, second.ID: *first.Place}
		for i, e := range r.events {
			switch e := e.(type) {
			case history.Send:
				if p, ok := places[e.ID]; ok && e.Place != nil {
					e.Place = &p
					r.events[i] = e
				}
			case history.Read:
				if p, ok := places[e.ID]; ok {
					e.Place = p
					r.events[i] = e
				}
			}
		}
		r.drop(func(e history.Event) bool { _, ok := e.(history.Effect); return ok })
	}},
	"handled before an earlier one": {history.OutOfOrder, func(r *run) {
		_, second := r.neighbours()
		r.move(second.ID, groups[0], -r.clock)
	}},
	"overtook a retry": {history.OutOfOrder, func(r *run) {
		first, second := r.neighbours()
		at := r.lastEnd(second.ID, groups[0])
		r.retime(first.ID, groups[0], at+5)
		early := history.Effect{
			ID: first.ID, Topic: first.Topic, Group: groups[0], Outcome: history.Failed,
			Start: stamp(start - 100), End: stamp(start - 90),
		}
		r.add(early)
	}},
	"overtook a parked one": {history.OutOfOrder, func(r *run) {
		first, _ := r.neighbours()
		for i, e := range r.events {
			effect, ok := e.(history.Effect)
			if ok && effect.ID == first.ID && (effect.Outcome == history.OK || effect.Outcome == history.Dead) {
				effect.Outcome = history.Parked
				r.events[i] = effect
			}
		}
	}},
	"two of a key at once": {history.KeyOverlap, func(r *run) {
		first, second := r.neighbours()
		r.stretch(first.ID, groups[0], r.firstStart(second.ID, groups[0])+3)
	}},
	"one record in two handlers": {history.KeyOverlap, func(r *run) {
		_, e := pick(r, applied)
		e.Worker, e.Outcome = "other", history.Failed
		e.Start, e.End = e.Start.Add(1), e.End.Add(1)
		r.add(e)
	}},
	"committed past a record in its handler": {history.CommitAhead, func(r *run) {
		_, e := pick(r, applied)
		r.add(history.Commit{
			Group: e.Group, Topic: e.Topic, Partition: e.Place.Partition, Offset: e.Place.Offset + 1,
			At: e.End.Add(-1), Outcome: history.OK,
		})
	}},
	"committed past a record nobody has begun": {history.CommitAhead, func(r *run) {
		_, e := pick(r, func(e history.Effect) bool { return applied(e) && e.Place.Offset > 5 })
		r.add(history.Commit{
			Group: e.Group, Topic: e.Topic, Partition: e.Place.Partition, Offset: e.Place.Offset + 1,
			At: stamp(start), Outcome: history.Indefinite,
		})
	}},
	"never sent": {history.Phantom, func(r *run) {
		_, read := pick(r, func(history.Read) bool { return true })
		read.ID, read.Place.Offset = "nobody's", read.Place.Offset+1_000_000
		r.add(read)
	}},
	"sent in vain": {history.Phantom, func(r *run) {
		_, s := pick(r, func(s history.Send) bool { return s.Outcome == history.Failed })
		r.add(history.Effect{ID: s.ID, Topic: s.Topic, Group: groups[0], Outcome: history.OK})
	}},
	"in another topic": {history.Misrouted, func(r *run) {
		_, read := pick(r, func(read history.Read) bool { return read.Topic == topics[0] })
		read.Topic, read.Place.Offset = topics[1], read.Place.Offset+1_000_000
		r.add(read)
	}},
	"under another key": {history.Misrouted, func(r *run) {
		i, read := pick(r, func(history.Read) bool { return true })
		read.Key += "0"
		r.events[i] = read
	}},
	"two at one place": {history.Inconsistent, func(r *run) {
		i, read := pick(r, func(read history.Read) bool { return read.Place.Offset > 5 })
		_, other := pick(r, func(o history.Read) bool {
			return o.Topic == read.Topic && o.Place.Partition == read.Place.Partition && o.ID != read.ID
		})
		read.Place = other.Place
		r.events[i] = read
	}},
	"begun after letting go": {history.Zombie, func(r *run) {
		_, gone := pick(r, func(history.Revoke) bool { return true })
		_, e := pick(r, func(e history.Effect) bool {
			return applied(e) && e.Topic == gone.Topic && e.Group == gone.Group && e.Place.Partition == gone.Partition
		})
		e.Worker, e.Start, e.End = gone.Worker, gone.At.Add(1), gone.At.Add(2)
		r.add(e)
	}},
	"committed after letting go": {history.Zombie, func(r *run) {
		_, gone := pick(r, func(history.Revoke) bool { return true })
		r.add(history.Commit{
			Group: gone.Group, Topic: gone.Topic, Partition: gone.Partition, Worker: gone.Worker, At: gone.At.Add(1),
		})
	}},
}

func TestEveryPlantedAnomalyIsFound(t *testing.T) {
	t.Parallel()
	const seeds = 25
	planted := map[history.Kind]bool{}
	for name, tt := range anomalies {
		planted[tt.kind] = true
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(seeds) {
				r := clean(seed, 400)
				tt.plant(r)
				v := history.Check(r.shuffled())
				if v.Result != history.Fail || v.Count(tt.kind) == 0 {
					t.Errorf("seed %d: no %s in\n%v", seed, tt.kind, v)
				}
			}
		})
	}
	for _, kind := range history.Kinds() {
		if !planted[kind] {
			t.Errorf("no test plants %s", kind)
		}
	}
}

func TestARunCutShortIsUnknown(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		cut  func(*run)
		want string
	}{
		"nothing happened":    {func(r *run) { r.events = nil }, "nothing was sent"},
		"log not drained":     {func(r *run) { r.dropFinal(topics[0], "") }, "but nobody says to its end"},
		"group not drained":   {func(r *run) { r.dropFinal(topics[1], groups[1]) }, `nobody says that payments drained topic "stock.reserved.v1"`},
		"only sends":          {func(r *run) { r.only(func(e history.Event) bool { _, ok := e.(history.Send); return ok }) }, `nobody says that topic "orders.created.v1" was drained`},
		"too many indefinite": {func(r *run) { r.forgetAcks(10) }, "have no outcome, more than 5 %"},
		"a handler died": {func(r *run) {
			_, s := pick(r, acked)
			r.drop(func(e history.Event) bool {
				effect, ok := e.(history.Effect)
				return ok && effect.ID == s.ID && effect.Outcome != history.Indefinite
			})
		}, "never told an outcome"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := clean(7, 400)
			tt.cut(r)
			v := history.Check(r.events)
			if v.Result != history.Unknown || v.OK() {
				t.Errorf("result is %s, want %s\n%v", v.Result, history.Unknown, v)
			}
			if !strings.Contains(strings.Join(v.Unknowns, "\n"), tt.want) {
				t.Errorf("unknowns are %q, want one with %q", v.Unknowns, tt.want)
			}
		})
	}
}

func TestAnAnomalyInARunCutShortFails(t *testing.T) {
	t.Parallel()
	r := clean(3, 400)
	_, e := pick(r, applied)
	e.Start, e.End = stamp(r.tick()), stamp(r.tick())
	r.add(e)
	r.dropFinal(topics[0], groups[0])
	if v := history.Check(r.events); v.Result != history.Fail {
		t.Errorf("result is %s, want %s\n%v", v.Result, history.Fail, v)
	}
}

func TestRepeatsArePermittedWhereTheyArePromised(t *testing.T) {
	t.Parallel()
	events := []history.Event{
		history.Send{ID: "1", Topic: "a", Outcome: history.OK, Place: &history.Place{Offset: 1}},
		history.Read{ID: "1", Topic: "a", Place: history.Place{Offset: 1}},
		history.Read{ID: "1", Topic: "a", Place: history.Place{Offset: 2}},
		history.Effect{ID: "1", Topic: "a", Group: "g", Outcome: history.OK},
		history.Effect{ID: "1", Topic: "a", Group: "g", Outcome: history.OK},
	}
	for _, permitted := range []bool{true, false} {
		v := history.Check(append(slices.Clone(events),
			history.Final{Topic: "a", AtLeastOnce: permitted}, history.Final{Topic: "a", Group: "g", AtLeastOnce: permitted}))
		if v.OK() != permitted || v.Counts.Repeats != 2 {
			t.Errorf("permitted %v: %d repeats\n%v", permitted, v.Counts.Repeats, v)
		}
	}
}

func TestRecordsWithoutASequenceHaveNoOrder(t *testing.T) {
	t.Parallel()
	both := func(id string) history.Effect {
		return history.Effect{ID: id, Topic: "a", Group: "g", Outcome: history.OK, Start: stamp(1), End: stamp(9)}
	}
	v := history.Check([]history.Event{
		history.Send{ID: "1", Topic: "a", Key: "k", Outcome: history.OK},
		history.Send{ID: "2", Topic: "a", Key: "k", Outcome: history.OK},
		both("1"), both("2"), history.Final{Topic: "a", Group: "g"},
	})
	if !v.OK() {
		t.Errorf("an order was checked that nobody promised:\n%v", v)
	}
}

func TestVerdictNamesTheFirstWitnessesOnly(t *testing.T) {
	t.Parallel()
	var events []history.Event
	for n := range 100 {
		events = append(events, history.Send{ID: fmt.Sprint(n), Topic: "a", Key: "k\x1b", Seq: int64(n + 1), Outcome: history.OK})
	}
	v := history.Check(append(events, history.Final{Topic: "a", Group: "g"}))
	if v.Count(history.Lost) != 100 || len(v.Findings[0].Witnesses) != history.MaxWitnesses {
		t.Errorf("%d lost with %d witnesses, want 100 with %d", v.Count(history.Lost), len(v.Findings[0].Witnesses), history.MaxWitnesses)
	}
	text := v.String()
	if !strings.Contains(text, "and 68 more") || strings.Contains(text, "\x1b") {
		t.Errorf("the rendering is\n%q", text)
	}
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var back history.Verdict
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(v, back); diff != "" {
		t.Errorf("the verdict changes on its way through JSON:\n%s", diff)
	}
}
