package history_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/slipway-go/slipway/slipwaytest/history"
)

// A run is a history of a system that keeps every promise, made by playing
// one: producers that lose acknowledgements, a log, groups whose workers retry,
// park, dead-letter, rebalance and commit. What a seeded anomaly needs to know
// of it stays beside the events.
type run struct {
	rand   *rand.Rand
	clock  int64
	events []history.Event
	logs   map[string][][]history.Send // by topic and partition, in offset order
	seqs   map[string]int64

	lostAcks int // never so many that the history proves nothing
}

const (
	partitions = 3
	start      = int64(1_000_000_000)
)

var (
	topics = []string{"orders.created.v1", "stock.reserved.v1"}
	groups = []string{"inventory", "payments"}
)

func clean(seed uint64, records int) *run {
	r := &run{
		rand: rand.New(rand.NewPCG(seed, 1)), clock: start,
		logs: map[string][][]history.Send{}, seqs: map[string]int64{},
	}
	for _, topic := range topics {
		r.logs[topic] = make([][]history.Send, partitions)
	}
	keys := max(2, records/4)
	for n := range records {
		r.send(topics[r.rand.IntN(len(topics))], fmt.Sprintf("id-%d", n), r.rand.IntN(keys))
	}
	for _, topic := range topics {
		for p, log := range r.logs[topic] {
			for _, s := range log {
				r.add(history.Read{ID: s.ID, Topic: topic, Key: s.Key, Place: *place(p, s), Reader: "auditor"})
			}
		}
		r.add(history.Final{Topic: topic})
		for _, group := range groups {
			r.consume(topic, group)
		}
	}
	r.add(history.Fault{Name: "lost-ack"})
	return r
}

func (r *run) add(e history.Event) { r.events = append(r.events, e) }

func (r *run) tick() int64 {
	r.clock += 1 + int64(r.rand.IntN(1000))
	return r.clock
}

func (r *run) chance(percent int) bool { return r.rand.IntN(100) < percent }

// place is where a record of a log lies. Offsets have holes, as they have
// wherever transactions leave markers.
func place(partition int, s history.Send) *history.Place {
	return &history.Place{Partition: int32(partition), Offset: s.Place.Offset}
}

func (r *run) send(topic, id string, key int) {
	p := key % partitions
	s := history.Send{ID: id, Topic: topic, Key: fmt.Sprintf("key-%d", key)}
	s.Seq = r.seqs[topic+s.Key] + 1
	r.seqs[topic+s.Key] = s.Seq
	if r.chance(1) {
		s.Outcome = history.Failed
		r.add(s)
		return
	}
	r.add(s)
	log := r.logs[topic][p]
	offset := int64(r.rand.IntN(2))
	if len(log) > 0 {
		offset += log[len(log)-1].Place.Offset + 1
	}
	placed := s
	placed.Place = &history.Place{Partition: int32(p), Offset: offset}
	r.logs[topic][p] = append(log, placed)
	if r.chance(2) && r.lostAcks*40 < len(r.events) {
		r.lostAcks++
		return
	}
	placed.Outcome = history.OK
	r.add(placed)
}

func (r *run) consume(topic, group string) {
	for p, log := range r.logs[topic] {
		worker := "worker-0"
		assigned := func() history.Assign {
			return history.Assign{Group: group, Worker: worker, Topic: topic, Partition: int32(p), At: stamp(r.tick())}
		}
		r.add(assigned())
		for n := 0; n < len(log); {
			width := min(1+r.rand.IntN(8), len(log)-n)
			r.handle(group, worker, p, log[n:n+width])
			n += width
			r.add(history.Commit{
				Group: group, Topic: topic, Partition: int32(p), Offset: log[n-1].Place.Offset + 1,
				At: stamp(r.tick()), Outcome: history.OK, Worker: worker,
			})
			if r.chance(20) {
				a := assigned()
				r.add(history.Revoke(a))
				worker = fmt.Sprintf("worker-%d", r.rand.IntN(3))
				r.add(assigned())
			}
		}
	}
	r.add(history.Final{Topic: topic, Group: group})
}

// handle runs a window of records: keys in parallel, each key in order.
func (r *run) handle(group, worker string, p int, window []history.Send) {
	begin := r.tick()
	free := map[string]int64{}
	for _, s := range window {
		at := max(free[s.Key], begin+int64(r.rand.IntN(50)))
		attempt := func(o history.Outcome) {
			e := history.Effect{
				ID: s.ID, Topic: s.Topic, Group: group, Worker: worker, Place: place(p, s), Outcome: o,
				Start: stamp(at), End: stamp(at + 10),
			}
			opened := e
			opened.End, opened.Outcome = time.Time{}, history.Indefinite
			r.add(opened)
			r.add(e)
			at += 10 + int64(r.rand.IntN(5))
		}
		for r.chance(5) {
			attempt(history.Failed)
		}
		if r.chance(3) {
			attempt(history.Parked)
		}
		if r.chance(2) {
			attempt(history.Dead)
		} else {
			attempt(history.OK)
		}
		free[s.Key] = at
		r.clock = max(r.clock, at)
	}
}

func stamp(n int64) time.Time { return time.Unix(0, n).UTC() }

// pick returns the index of a random event for which ok holds.
func pick[E history.Event](r *run, ok func(E) bool) (int, E) {
	var at []int
	for i, e := range r.events {
		if e, is := e.(E); is && ok(e) {
			at = append(at, i)
		}
	}
	if len(at) == 0 {
		panic("history_test: no event to seed an anomaly in")
	}
	i := at[r.rand.IntN(len(at))]
	return i, r.events[i].(E)
}

// drop removes the events for which gone holds.
func (r *run) drop(gone func(history.Event) bool) {
	r.events = slices.DeleteFunc(r.events, gone)
}

// shuffled returns the events as if several processes had written them.
func (r *run) shuffled() []history.Event {
	events := slices.Clone(r.events)
	r.rand.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	return events
}

// neighbours returns two records that follow one another in a key, both
// acknowledged and each applied by every group.
func (r *run) neighbours() (first, second history.Send) {
	byKey := map[string][]history.Send{}
	var pairs [][2]history.Send
	for _, e := range r.events {
		s, ok := e.(history.Send)
		if !ok || s.Outcome != history.OK {
			continue
		}
		key := s.Topic + s.Key
		if prev := byKey[key]; len(prev) > 0 {
			pairs = append(pairs, [2]history.Send{prev[len(prev)-1], s})
		}
		byKey[key] = append(byKey[key], s)
	}
	pair := pairs[r.rand.IntN(len(pairs))]
	return pair[0], pair[1]
}

// change rewrites the timed effects of one record in one group.
func (r *run) change(id, group string, f func(*history.Effect)) {
	for i, e := range r.events {
		if effect, ok := e.(history.Effect); ok && effect.ID == id && effect.Group == group {
			f(&effect)
			r.events[i] = effect
		}
	}
}

func (r *run) move(id, group string, by int64) {
	r.change(id, group, func(e *history.Effect) {
		e.Start = e.Start.Add(time.Duration(by))
		if !e.End.IsZero() {
			e.End = e.End.Add(time.Duration(by))
		}
	})
}

// retime moves a record's attempts so that the first begins at a time.
func (r *run) retime(id, group string, at int64) { r.move(id, group, at-r.firstStart(id, group)) }

// stretch lets a record's attempts end later.
func (r *run) stretch(id, group string, end int64) {
	r.change(id, group, func(e *history.Effect) {
		if !e.End.IsZero() {
			e.End = stamp(end)
		}
	})
}

func (r *run) firstStart(id, group string) int64 {
	first := r.clock
	r.change(id, group, func(e *history.Effect) { first = min(first, e.Start.UnixNano()) })
	return first
}

func (r *run) lastEnd(id, group string) int64 {
	var last int64
	r.change(id, group, func(e *history.Effect) {
		if !e.End.IsZero() {
			last = max(last, e.End.UnixNano())
		}
	})
	return last
}

func (r *run) dropFinal(topic, group string) {
	r.drop(func(e history.Event) bool {
		f, ok := e.(history.Final)
		return ok && f.Topic == topic && f.Group == group
	})
}

func (r *run) only(keep func(history.Event) bool) {
	r.drop(func(e history.Event) bool { return !keep(e) })
}

// forgetAcks takes the outcome from a share of the sends.
func (r *run) forgetAcks(percent int) {
	r.drop(func(e history.Event) bool {
		s, ok := e.(history.Send)
		return ok && s.Outcome == history.OK && r.chance(percent)
	})
}
