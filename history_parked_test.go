package slipway_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/internal/parking"
	"github.com/slipway-go/slipway/slipwaytest"
)

// ordering is the ways in which an entry can keep order, as contract and wiring.
var ordering = map[string]struct {
	says  string
	batch bool
	keys  []string // keys of other records; empty for records without one
	order bool     // the parked key's records are handled in their order
}{
	"key":            {"order: key, retry: {delays: [200ms, 7s], then: park}", false, numbered(20), true},
	"key, batches":   {"order: key, batch: 20, retry: {delays: [200ms, 7s], then: park}", true, numbered(20), true},
	"key, null keys": {"order: key, retry: {delays: [200ms, 7s], then: park}", false, []string{"", "", "", ""}, true},
	"partition":      {"order: partition, retry: {delays: [200ms, 7s]}", false, numbered(20), true},
	"none":           {"order: none, retry: {delays: [200ms, 7s]}", false, numbered(20), false},
	"none, batches":  {"order: none, batch: 20, retry: {delays: [200ms, 7s]}", true, numbered(20), false},
}

func TestAParkedKeySurvivesKillsAtAnyTimeAndKeepsItsOrder(t *testing.T) {
	t.Parallel()
	for name, tt := range ordering {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kills := brief(4, 2)
			if full(0) > 0 {
				kills = 40
			}
			s := newStudy(t)
			s.ordered = tt.order
			var repaired atomic.Bool
			do := func(ctx context.Context, j job) error {
				<-time.After(time.Duration(j.dice("work", 40)) * time.Millisecond)
				if j.key == "bad" && j.seq == 2 && !repaired.Load() {
					return slipway.Park(errors.New("broken"))
				}
				if j.attempt == 1 && j.dice("fate", 100) < 10 {
					return errors.New("not yet")
				}
				return nil
			}
			wire := s.wire(do)
			if tt.batch {
				wire = s.wireBatch(do)
			}
			files := consuming("concurrency: 16, session: 6s, heartbeat: 1s, " + tt.says)
			slipwaytest.Run(t, files, wire, func(t *testing.T, k *slipwaytest.Kit) {
				load := append([]string{"bad"}, tt.keys...)
				s.send(k, load...)
				s.send(k, load...)
				k.Advance(20 * time.Second) // the second of the bad key is parked
				for i := range kills {
					s.send(k, repeat(5, load...)...)
					k.Advance(time.Duration(job{id: fmt.Sprint(name, i)}.dice("kill", 15_000)) * time.Millisecond)
					k.Kill(worker)
					s.fault("killed")
					k.Start(worker)
				}
				k.Advance(time.Minute)
				if got := s.handled("bad"); tt.order && len(got) != 1 || got[0] != 1 {
					t.Errorf("handled %v of the key while it is parked, want only the first", got)
				}
				repaired.Store(true)
				k.Release(worker, jobs, "bad")
				s.await(k, s.sent, time.Hour)
				if tt.keys[0] == "" {
					return // their ids repeat: only the bad key can be judged
				}
				if !tt.order {
					s.forgetOrder()
				}
				v := s.judge(k, true)
				if v.Counts.Faults["killed"] != kills {
					t.Errorf("%d kills, want %d", v.Counts.Faults["killed"], kills)
				}
			})
		})
	}
}

// A key whose head is parked, and one that waits for an hour: what the others
// get is compared with the same load without them.
func TestAParkedKeyBlocksOnlyItself(t *testing.T) {
	t.Parallel()
	for name, batch := range map[string]bool{"records": false, "batches": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			free := throughput(t, batch, false)
			blocked := throughput(t, batch, true)
			t.Logf("the other keys took %v beside no parked key, %v beside one", free, blocked)
			const turn = 10 * time.Millisecond // of one handler: what a figure may be off by
			if share := float64(free+turn) / float64(blocked); share < 0.95 {
				t.Errorf("other keys keep %.0f %% of their throughput, want 95 %%", 100*share)
			}
		})
	}
}

// throughput is how long the records of good keys take, in virtual time.
func throughput(t *testing.T, batch, blocked bool) time.Duration {
	t.Helper()
	var took time.Duration
	t.Run(fmt.Sprint("blocked=", blocked), func(t *testing.T) {
		s := newStudy(t)
		var last atomic.Int64
		var began time.Time
		do := func(_ context.Context, j job) error {
			if j.key == "bad" {
				if blocked && j.seq == 1 {
					return slipway.Park(errors.New("broken"))
				}
				return nil
			}
			if !batch {
				<-time.After(10 * time.Millisecond)
			}
			last.Store(int64(time.Since(began)))
			return nil
		}
		wire := s.wire(do)
		if batch {
			s.ordered, s.pause = true, 10*time.Millisecond // as one round trip for each batch takes
			wire = s.wireBatch(do)
		}
		slipwaytest.Run(t, consuming("order: key, batch: 100, concurrency: 16, retry: {delays: [6s], then: park}"), wire, func(t *testing.T, k *slipwaytest.Kit) {
			began = time.Now()
			s.send(k, "bad", "bad")
			k.Advance(5 * time.Second)
			began = time.Now()
			s.send(k, slices.Concat(repeat(400, numbered(40)...), repeat(10, "bad"))...)
			k.Advance(5 * time.Minute)
			want := 16_012
			if blocked {
				want = 16_000
			}
			if s.done() != want {
				t.Errorf("%d records are settled, want %d", s.done(), want)
			}
			if blocked {
				k.Release(worker, jobs, "bad")
				k.Advance(time.Minute)
				s.fault("parked again") // its head says Park for ever: skip it
				k.Skip(worker, jobs, "bad")
				k.Advance(time.Minute)
				if got := s.handled("bad"); len(got) != 11 || !slices.IsSorted(got) {
					t.Errorf("handled %v of the key after its head was skipped, want 2 to 12 in order", got)
				}
			}
		})
		took = time.Duration(last.Load())
	})
	return took
}

func TestACommandGivenTwiceWorksOnceWhateverIsKilled(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]time.Duration{
		"at once": 0, "once it was read": 5 * time.Millisecond, "while it is handled": 300 * time.Millisecond, "once it is settled": 4 * time.Second,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStudy(t)
			var repaired atomic.Bool
			do := func(_ context.Context, j job) error {
				if repaired.Load() {
					<-time.After(time.Second)
					return nil
				}
				if j.key == "bad" && j.seq == 1 {
					return slipway.Park(errors.New("broken"))
				}
				if j.key == "refused" {
					return slipway.Reject(errors.New("refused"))
				}
				return nil
			}
			slipwaytest.Run(t, consuming("session: 6s, heartbeat: 1s, retry: {delays: [10s], then: park}"), s.wire(do), func(t *testing.T, k *slipwaytest.Kit) {
				s.send(k, "bad", "bad", "refused", "good", "bad")
				k.Advance(5 * time.Second)
				repaired.Store(true)
				for range 2 {
					k.Release(worker, jobs, "bad")
				}
				if got := k.Redrive(worker, jobs); got != 2 { // the evidence of the parked key, a third release, and the refused record
					t.Errorf("redrive sent %d letters, want 2", got)
				}
				again(t, k, s)
				k.Advance(after)
				k.Kill(worker)
				s.fault("killed")
				k.Start(worker)
				again(t, k, s)
				k.Advance(time.Minute)
				if got := slices.Compact(s.handled("bad")); !slices.Equal(got, []int64{1, 2, 3}) {
					t.Errorf("handled %v of the released key, want 1, 2 and 3 in order", got)
				}
				calls := maps.Clone(s.calls())
				if n := calls["refused#1"]; n < 2 || n > 3 {
					t.Errorf("the redriven record was handled %d times, want 2 (the refusal and its return), or one more for the kill", n)
				}
				again(t, k, s)
				k.Advance(time.Minute)
				if now := s.calls(); !maps.Equal(now, calls) {
					t.Errorf("a command that was sent again did something: %v, before %v", now, calls)
				}
			})
		})
	}
}

// again appends every command of the retry topic once more.
func again(t *testing.T, k *slipwaytest.Kit, s *study) {
	t.Helper()
	for _, r := range k.Records(jobsRetry) {
		if e, err := parking.Decode(r); err == nil && e.Kind == parking.Command {
			k.SendBytes(jobsRetry, r.Key, r.Value, sameAs(r))
			s.fault("command sent again")
		}
	}
}

func (s *study) calls() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.attempts)
}

func TestADelayIsNeverEarlyAndAtMostASecondLate(t *testing.T) {
	t.Parallel()
	delays := []time.Duration{time.Second, 5 * time.Second, 6 * time.Second, time.Minute, 10 * time.Minute}
	says := "1s, 5s, 6s, 1m, 10m"
	if full(0) > 0 {
		delays, says = append(delays, time.Hour, 24*time.Hour), says+", 1h, 1d"
	}
	s := newStudy(t)
	s.timing = true
	do := func(_ context.Context, j job) error {
		if j.attempt <= len(delays) {
			return errors.New("not yet")
		}
		return nil
	}
	slipwaytest.Run(t, consuming("retry: {delays: ["+says+"]}"), s.wire(do), func(t *testing.T, k *slipwaytest.Kit) {
		s.send(k, numbered(30)...)
		for s.done() < 30 {
			k.Advance(time.Minute)
		}
		var most time.Duration
		for id, at := range s.began {
			if len(at) != len(delays)+1 {
				t.Errorf("%s was tried %d times, want %d", id, len(at), len(delays)+1)
				continue
			}
			for i, want := range delays {
				late := at[i+1].Sub(at[i]) - want
				most = max(most, late)
				if late < 0 || late > time.Second {
					t.Errorf("%s waited %v for a delay of %v", id, late+want, want)
				}
			}
		}
		t.Logf("%d delays, the latest %v late", 30*len(delays), most)
	})
}
