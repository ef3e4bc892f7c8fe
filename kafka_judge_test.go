//go:build kafka

package slipway_test

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/internal/record"
	"github.com/slipway-go/slipway/slipwaytest/history"
)

// A judgement is what came of a trial.
type judgement struct {
	history.Verdict
	archived

	Faults     map[string]int
	Rebalances int
	Refused    int // commits of those who were no longer members
	Superseded int // partitions given up because of somebody else's fence
	Inherited  int // records not repeated, thanks to the map of what is finished ahead
	Released   int
	Zombies    int            // attempts that ended behind somebody else's fence
	Repeats    map[string]int // records handled again, by why
	Oldest     time.Duration  // between a record's end and the death of the worker whose commit did not say so
	Stall      time.Duration  // the longest time in which nothing of some partition was handled
	Ahead      int            // commits past a record that was neither handled nor handed over
	Backwards  int            // last outcomes of a key that are out of order
}

func (j *judgement) String() string {
	return fmt.Sprintf("%v\nfaults %v; rebalances %d, commits refused %d, partitions given up to a higher fence %d; finished ahead and taken over %d\n"+
		"retry topic %+v, released %d\nlost %d, out of order %d, last outcomes out of order %d, of a key at the same time %d, committed ahead %d\n"+
		"zombie attempts %d; repeats %v (the oldest was handled %v before); no partition stood longer than %v",
		j.Verdict, j.Faults, j.Rebalances, j.Refused, j.Superseded, j.Inherited, j.archived, j.Released,
		j.Count(history.Lost), j.Count(history.OutOfOrder), j.Backwards, j.Count(history.KeyOverlap), j.Ahead,
		j.Zombies, j.Repeats, j.Oldest.Round(time.Millisecond), j.Stall.Round(100*time.Millisecond))
}

// An outcome is one attempt of which the end is known.
type outcome struct {
	history.Effect
	lost time.Time // of a zombie's: when the higher fence came
}

// judge reads what lies in the topic, and judges the whole history. What must
// never be is an error here; what a test meant to provoke is for it to check.
func (x *trial) judge(t *testing.T) *judgement {
	t.Helper()
	for _, r := range x.readAll(t, x.topic) {
		id, _ := record.Get(r.Headers, record.EventID)
		x.Add(history.Read{ID: id, Topic: r.Topic, Key: string(r.Key), Place: history.Place{Partition: r.Partition, Offset: r.Offset}})
	}
	x.Add(history.Final{Topic: x.topic})
	x.Add(history.Final{Topic: x.topic, Group: x.group, AtLeastOnce: true})
	x.mu.Lock()
	defer x.mu.Unlock()
	x.archive.mu.Lock()
	defer x.archive.mu.Unlock()
	j := &judgement{archived: x.archive.counts, Faults: make(map[string]int), Repeats: make(map[string]int), Released: len(x.released)}
	for _, s := range x.spells {
		j.Faults[s.what]++
	}
	x.readLogs(j)
	rightful, zombies := x.apart()
	j.Zombies = len(zombies)
	j.Verdict = history.Check(slices.Concat(x.Events(), rightful))
	ends := outcomes(rightful)
	x.judgeCommits(t, j, ends)
	x.judgeLast(t, j, ends)
	x.judgeRepeats(t, j, ends)
	j.Stall = stall(ends)
	t.Log(j)
	if !j.OK() {
		t.Error("the history is not clean")
	}
	if x.archive.fault != nil {
		t.Errorf("the witness of the retry topic met %v", x.archive.fault)
	}
	for _, z := range zombies {
		if why := x.explain(z.Worker, z.lost, z.End); why == "" {
			t.Errorf("worker %s handled %s until %v behind a higher fence of %v, though nothing was done to it", z.Worker, z.ID, z.End, z.lost)
		}
	}
	return j
}

var refusedCommit = regexp.MustCompile(`msg="commit failed, trying again".*(ILLEGAL_GENERATION|UNKNOWN_MEMBER_ID|STALE_MEMBER_EPOCH|FENCED)`)

var finishedAhead = regexp.MustCompile(`msg="partition starts".* finished_ahead=(\d+)`)

func (x *trial) readLogs(j *judgement) {
	for _, w := range x.workers {
		text := w.log.all()
		j.Rebalances += strings.Count(text, `msg="partitions assigned"`)
		j.Refused += len(refusedCommit.FindAllString(text, -1))
		j.Superseded += strings.Count(text, "another instance owns the partition")
		for _, m := range finishedAhead.FindAllStringSubmatch(text, -1) {
			var n int
			_, _ = fmt.Sscan(m[1], &n)
			j.Inherited += n
		}
	}
}

// apart tells the attempts of rightful owners from those of zombies: a zombie's
// end when somebody else's higher fence is in the log already.
func (x *trial) apart() (rightful []history.Event, zombies []outcome) {
	owned := make(map[string][]takeover)
	for _, w := range x.workers {
		owned[w.name] = takeovers(w.log.all())
	}
	// A witness's clock counts milliseconds.
	late := func(e history.Effect, at time.Time) (time.Time, bool) {
		var own takeover
		for _, o := range owned[e.Worker] {
			if o.partition == e.Place.Partition && !o.at.After(e.Start) {
				own = o
			}
		}
		lost, found := x.after(e.Place.Partition, own.fence)
		return lost, found && at.After(lost.Add(time.Millisecond))
	}
	type attempt struct {
		worker, id string
		start      int64
	}
	gone := make(map[attempt]bool)
	for _, e := range x.effects {
		e := e.(history.Effect)
		if lost, over := late(e, e.End); over && e.Outcome != history.Indefinite {
			gone[attempt{e.Worker, e.ID, e.Start.UnixNano()}] = true
			zombies = append(zombies, outcome{e, lost})
		}
	}
	for _, event := range x.effects {
		e := event.(history.Effect)
		_, over := late(e, e.Start)
		if !gone[attempt{e.Worker, e.ID, e.Start.UnixNano()}] && !over {
			rightful = append(rightful, event)
		}
	}
	return rightful, zombies
}

// outcomes are the attempts that handled their records, in the order of their
// ends.
func outcomes(events []history.Event) []outcome {
	var all []outcome
	for _, e := range events {
		if e := e.(history.Effect); e.Outcome == history.OK {
			all = append(all, outcome{Effect: e})
		}
	}
	slices.SortFunc(all, func(a, b outcome) int { return a.End.Compare(b.End) })
	return all
}

// judgeCommits holds commits against the ends of records: below a committed
// offset everything was handled, or handed over to the retry topic. A copy that
// was deleted before the witness read it is no evidence against anybody.
func (x *trial) judgeCommits(t *testing.T, j *judgement, ends []outcome) {
	t.Helper()
	over := make(map[history.Place]time.Time)
	for p, offsets := range x.handed {
		for offset, at := range offsets {
			over[history.Place{Partition: p, Offset: offset}] = at
		}
	}
	for _, e := range ends {
		if at, found := over[*e.Place]; !found || e.End.Before(at) {
			over[*e.Place] = e.End
		}
	}
	passed := make(map[int32]int64) // the highest commit so far
	for _, c := range x.commits {
		for offset := passed[c.Partition]; offset < c.Offset; offset++ {
			at, found := over[history.Place{Partition: c.Partition, Offset: offset}]
			if found && !at.After(c.At) {
				continue
			}
			j.Ahead++
			t.Logf("partition %d: committed %d at %v, past %d, which was over at %v", c.Partition, c.Offset, c.At, offset, at)
		}
		passed[c.Partition] = max(passed[c.Partition], c.Offset)
	}
	if j.Ahead > j.Unseen {
		t.Errorf("commits passed %d records that were open", j.Ahead)
	}
	j.Counts.Commits = len(x.commits)
}

// judgeLast holds the last outcomes of each key to their order.
func (x *trial) judgeLast(t *testing.T, j *judgement, ends []outcome) {
	t.Helper()
	last := make(map[string]time.Time)
	for _, e := range ends {
		last[e.ID] = e.Start
	}
	byKey := make(map[string][]history.Send)
	for _, e := range x.Events() {
		if s, ok := e.(history.Send); ok && s.Outcome == history.OK {
			byKey[s.Key] = append(byKey[s.Key], s)
		}
	}
	for _, sends := range byKey {
		slices.SortFunc(sends, func(a, b history.Send) int { return cmp.Compare(a.Seq, b.Seq) })
		for i, s := range sends[1:] {
			if before := sends[i]; last[s.ID].Before(last[before.ID]) {
				if j.Backwards++; j.Backwards < 5 {
					t.Errorf("%s was handled last at %v, %s behind it at %v", before.ID, last[before.ID], s.ID, last[s.ID])
				}
			}
		}
	}
}

// judgeRepeats looks for the reason of each repetition.
func (x *trial) judgeRepeats(t *testing.T, j *judgement, ends []outcome) {
	t.Helper()
	first := make(map[string]outcome)
	for _, e := range ends {
		before, again := first[e.ID]
		first[e.ID] = e
		if !again {
			continue
		}
		why := x.explain(before.Worker, before.End, e.Start)
		j.Repeats[why]++
		j.Oldest = max(j.Oldest, x.since(before, e))
		if why == "" && j.Repeats[""] < 5 {
			t.Errorf("%s was handled by %s at %v and again by %s at %v, though nothing happened to anybody in between",
				e.ID, before.Worker, before.End, e.Worker, e.Start)
		}
	}
}

// explain names what was done to a worker between two times, or else to a node.
func (x *trial) explain(worker string, from, to time.Time) (why string) {
	for _, s := range x.spells {
		switch {
		case s.from.After(to) || s.to.Before(from):
		case s.worker == worker:
			return s.what
		case s.worker == "":
			why = s.what
		}
	}
	return why
}

// since is how long a record had been handled when its worker was killed, or
// when something else began for which it was handled again.
func (x *trial) since(before, again outcome) time.Duration {
	for _, s := range x.spells {
		if s.worker == before.Worker && s.from.After(before.End) && s.from.Before(again.Start) {
			return s.from.Sub(before.End)
		}
	}
	return 0
}

// stall is the longest time between the ends of two records of a partition.
func stall(ends []outcome) (longest time.Duration) {
	last := make(map[int32]time.Time)
	for _, e := range ends {
		if before, found := last[e.Place.Partition]; found {
			longest = max(longest, e.End.Sub(before))
		}
		last[e.Place.Partition] = e.End
	}
	return longest
}
