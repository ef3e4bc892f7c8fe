package lane_test

import (
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipway-go/slipway/internal/lane"
)

// A count is what several goroutines count with.
type count struct{ atomic.Int64 }

func (c *count) raise(n int64) {
	for {
		old := c.Load()
		if old >= n || c.CompareAndSwap(old, n) {
			return
		}
	}
}

func TestAWaitingLaneHoldsNoWorker(t *testing.T) {
	t.Parallel()
	for name, verdict := range map[string]lane.Verdict{"again": lane.Again(time.Hour), "hold": lane.Hold()} {
		t.Run(name, func(t *testing.T) {
			inBothModes(t, func(t *testing.T, m lane.Mode) {
				var others count
				p := lane.New(1, func(name uint64, items []task) lane.Verdict {
					if it := &items[0]; name == 0 && it.n == 0 && it.runs == 0 {
						it.runs++
						return verdict
					}
					others.Add(1)
					return lane.Done()
				})
				p.Force(m)
				p.Add(oneEach(1000))
				p.Add(tasks(0, 1, 10))
				synctest.Wait()
				if got := others.Load(); got != 999 {
					t.Errorf("%d items of other lanes ran while one waits, want 999", got)
				}
				if got := p.Stats(); got.Queued != 10 || got.Waiting != 1 || got.Running != 0 {
					t.Errorf("Stats() = %+v, want 10 items queued in 1 lane that waits", got)
				}
				pass(time.Hour)
				p.Release(0)
				synctest.Wait()
				if got := others.Load(); got != 1009 {
					t.Errorf("%d items ran after the wait, want 1009", got)
				}
				requireEmpty(t, p)
			})
		})
	}
}

func TestARetryIsNeverEarly(t *testing.T) {
	t.Parallel()
	inBothModes(t, func(t *testing.T, m lane.Mode) {
		var runs list[time.Time]
		p := lane.New(4, func(_ uint64, items []task) lane.Verdict {
			runs.add(time.Now())
			if items[0].runs++; items[0].runs < 4 {
				return lane.Again(time.Duration(items[0].runs) * time.Minute)
			}
			return lane.Done()
		})
		p.Force(m)
		p.Add(tasks(1, 0, 1))
		pass(time.Hour)
		all := runs.get()
		if len(all) != 4 {
			t.Fatalf("%d attempts, want 4", len(all))
		}
		for i := 1; i < len(all); i++ {
			if got, want := all[i].Sub(all[i-1]), time.Duration(i)*time.Minute; got != want {
				t.Errorf("attempt %d came after %v, want %v", i+1, got, want)
			}
		}
	})
}

func TestAWokenLaneRunsAtOnceAndOnlyOnce(t *testing.T) {
	t.Parallel()
	inBothModes(t, func(t *testing.T, m lane.Mode) {
		var woken atomic.Bool
		var runs count
		p := lane.New(4, func(name uint64, _ []task) lane.Verdict {
			runs.Add(1)
			if woken.Load() {
				return lane.Done()
			}
			return lane.Again(time.Duration(name+1) * time.Minute)
		})
		p.Force(m)
		p.Add(oneEach(2))
		synctest.Wait()
		woken.Store(true)
		p.Wake(func(*task) bool { return true })
		synctest.Wait()
		requireEmpty(t, p)
		p.Add(oneEach(2)) // in the queues that the lanes left, whose timers were stopped
		pass(time.Hour)
		if runs.Load() != 6 {
			t.Errorf("%d runs, want 6: a stopped timer ran an item again", runs.Load())
		}
	})
}

func TestOnlyHeadsThatMatchAreWoken(t *testing.T) {
	t.Parallel()
	inBothModes(t, func(t *testing.T, m lane.Mode) {
		var ran list[uint64]
		p := lane.New(4, func(name uint64, items []task) lane.Verdict {
			if items[0].runs++; items[0].runs == 1 {
				items[0].n = int(name) // what Wake sees is what run has made of the item
				return lane.Hold()
			}
			ran.add(name)
			return lane.Done()
		})
		p.Force(m)
		p.Add(oneEach(10))
		synctest.Wait()
		p.Wake(func(it *task) bool { return it.n == 7 })
		p.Release(3)
		p.Release(99) // which is nothing
		pass(time.Hour)
		if got := ran.get(); len(got) != 2 || got[0]+got[1] != 10 {
			t.Errorf("lanes %d ran, want 7 and 3", got)
		}
		if got := p.Stats().Waiting; got != 8 {
			t.Errorf("%d lanes wait, want 8", got)
		}
	})
}

// A head is told to wait by what was true when it ran. A call that comes
// between that and the verdict must not be lost: there may be no second one.
func TestACallDuringTheRunIsNotLost(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		call  func(p *lane.Pool[task])
		takes time.Duration // of the run, after the call
		want  int64
	}{
		"release":            {func(p *lane.Pool[task]) { p.Release(5) }, 0, 2},
		"release, slow":      {func(p *lane.Pool[task]) { p.Release(5) }, time.Second, 2},
		"release of another": {func(p *lane.Pool[task]) { p.Release(6) }, 0, 1},
		"wake":               {func(p *lane.Pool[task]) { p.Wake(func(it *task) bool { return it.n == 0 }) }, 0, 2},
		"wake, slow":         {func(p *lane.Pool[task]) { p.Wake(func(it *task) bool { return it.n == 0 }) }, time.Second, 2},
		"wake of others":     {func(p *lane.Pool[task]) { p.Wake(func(it *task) bool { return it.n == 1 }) }, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			inBothModes(t, func(t *testing.T, m lane.Mode) {
				var runs count
				called := make(chan struct{})
				p := lane.New(4, func(uint64, []task) lane.Verdict {
					if runs.Add(1) > 1 {
						return lane.Done()
					}
					<-called
					<-time.After(tt.takes)
					return lane.Hold()
				})
				p.Force(m)
				p.Add(tasks(5, 0, 1))
				synctest.Wait()
				tt.call(p)
				close(called)
				pass(time.Hour)
				if runs.Load() != tt.want {
					t.Errorf("the head ran %d times, want %d", runs.Load(), tt.want)
				}
				p.Release(5)
				synctest.Wait()
				requireEmpty(t, p)
			})
		})
	}
}

func TestACallIsForTheHeadThatItMet(t *testing.T) {
	t.Parallel()
	inBothModes(t, func(t *testing.T, m lane.Mode) {
		var runs count
		called := make(chan struct{})
		p := lane.New(4, func(_ uint64, items []task) lane.Verdict {
			runs.Add(1)
			if items[0].n == 0 {
				<-called
				return lane.Done()
			}
			return lane.Hold()
		})
		p.Force(m)
		p.Add(tasks(5, 0, 2))
		synctest.Wait()
		p.Release(5)
		p.Wake(func(*task) bool { return true })
		close(called)
		pass(time.Hour)
		if runs.Load() != 2 || p.Stats().Waiting != 1 {
			t.Errorf("%d runs, and %+v; want 2, and the second item waiting", runs.Load(), p.Stats())
		}
	})
}

func TestABatchIsOfOneLaneAndInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j, added := newJournal(), map[uint64]int{}
		var sizes list[int]
		p := lane.New(4, func(name uint64, items []task) lane.Verdict {
			j.begin(name, items)
			sizes.add(len(items))
			<-time.After(time.Millisecond)
			done := rand.IntN(len(items) + 1)
			j.end(name, done)
			return lane.AgainN(done, time.Second)
		})
		p.Force(lane.Hashed)
		p.Batch(50)
		if p.Stats().Mode != lane.Exact {
			t.Error("a pool with batches is hashed")
		}
		for name := range uint64(8) {
			p.Add(tasks(name, 0, 1000))
			added[name] = 1000
		}
		pass(24 * time.Hour)
		j.check(t, added)
		requireEmpty(t, p)
		most := 0
		for _, n := range sizes.get() {
			most = max(most, n)
		}
		if most != 50 {
			t.Errorf("the largest batch has %d items, want 50", most)
		}
	})
}
