package lane_test

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipway-go/slipway/internal/lane"
)

func TestThePoolChoosesByHowLongItemsTake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var slow count
		p := lane.New(1000, func(uint64, []task) lane.Verdict {
			if d := slow.Load(); d > 0 {
				<-time.After(time.Duration(d))
			}
			return lane.Done()
		})
		for i, tt := range []struct {
			takes time.Duration
			want  lane.Mode
		}{
			{5 * time.Millisecond, lane.Exact},
			{0, lane.Hashed},
			{5 * time.Millisecond, lane.Exact},
			{0, lane.Hashed},
			{300 * time.Microsecond, lane.Exact}, // no item is held to be stuck
			{0, lane.Hashed},
		} {
			slow.Store(int64(tt.takes))
			for range 20 {
				p.Add(oneEach(2000))
				pass(20 * time.Millisecond)
			}
			pass(time.Minute)
			if got := p.Stats().Mode; got != tt.want {
				t.Errorf("phase %d: with items of %v the pool is %v, want %v", i, tt.takes, got, tt.want)
			}
			requireEmpty(t, p)
		}
	})
}

// Most items take no time here, so that the shards are far from being busy; it
// is the few that hold them up which would run side by side in exact queues.
func TestItemsThatAreSeldomSlowMakeThePoolExact(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := lane.New(1000, func(name uint64, _ []task) lane.Verdict {
			if name < 50 {
				<-time.After(20 * time.Millisecond)
			}
			return lane.Done()
		})
		p.Force(lane.Hashed)
		p.Add(oneEach(1000))
		pass(25 * time.Millisecond) // by then they are done
		if got := p.Stats(); got.Mode != lane.Hashed {
			t.Errorf("after a few slow items, %+v, want hashed", got)
		}
		for range 50 {
			p.Add(oneEach(50))
			pass(25 * time.Millisecond)
			p.Add(oneEach(1000)[50:])
			pass(5 * time.Millisecond)
		}
		if got := p.Stats(); got.Mode != lane.Exact {
			t.Errorf("while slow items hold up the shards, %+v, want exact", got)
		}
		requireEmpty(t, p)
	})
}

func TestSlowItemsAllRunAtOnceThoughThePoolWasHashed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := lane.New(1000, func(uint64, []task) lane.Verdict {
			<-time.After(time.Second)
			return lane.Done()
		})
		p.Force(lane.Hashed)
		p.Add(oneEach(1000))
		pass(20 * time.Millisecond)
		if got := p.Stats().Running; got != 1000 {
			t.Errorf("%d items run after 20ms, want 1000", got)
		}
		pass(time.Minute)
		requireEmpty(t, p)
	})
}

// The bounds in virtual time are those in real time, less what the work itself
// takes: a look of the timer each millisecond, of which two see an item stand.
func TestASlowItemDelaysOnlyItsLane(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		workers, slow int
		within        time.Duration
	}{
		"one lane":    {1000, 1, 2 * time.Millisecond},
		"fifty lanes": {1000, 50, 3 * time.Millisecond}, // whose first items lie close together
		"two workers": {2, 1, 2 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			inBothModes(t, func(t *testing.T, m lane.Mode) {
				j, added := newJournal(), map[uint64]int{}
				var last count // when the last item of another lane was done
				begun := time.Now()
				p := lane.New(tt.workers, func(name uint64, items []task) lane.Verdict {
					j.begin(name, items)
					defer j.end(name, 1)
					if name < uint64(tt.slow) {
						<-time.After(time.Second)
					} else {
						last.raise(int64(time.Since(begun)))
					}
					return lane.Done()
				})
				p.Force(m)
				for n := range 3 {
					for name := range uint64(2000) {
						p.Add(tasks(name, n, n+1))
						added[name]++
					}
				}
				pass(time.Minute)
				if got := time.Duration(last.Load()); got > tt.within {
					t.Errorf("other lanes were delayed by %v, want at most %v", got, tt.within)
				}
				j.check(t, added)
				requireEmpty(t, p)
			})
		})
	}
}

func TestALaneThatFailsDoesNotMakeThePoolExact(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := lane.New(100, func(name uint64, _ []task) lane.Verdict {
			if name == 1 {
				return lane.Again(time.Second)
			}
			return lane.Done()
		})
		for range 100 {
			p.Add(oneEach(1000))
			pass(time.Second)
		}
		if got := p.Stats(); got.Mode != lane.Hashed || got.Switches != 1 || got.Queued != 100 {
			t.Errorf("Stats() = %+v, want one switch to hashed and the 100 items of the lane that fails", got)
		}
	})
}

func TestItemsMayAddItems(t *testing.T) {
	t.Parallel()
	inBothModes(t, func(t *testing.T, m lane.Mode) {
		var runs count
		var p *lane.Pool[task]
		p = lane.New(2, func(name uint64, items []task) lane.Verdict {
			runs.Add(1)
			if n := items[0].n; n > 0 {
				p.Add([]lane.Item[task]{{Lane: name, Value: task{n: n - 1}}, {Lane: name + uint64(n)}})
			}
			return lane.Done()
		})
		p.Force(m)
		p.Add([]lane.Item[task]{{Lane: 1, Value: task{n: 1000}}})
		synctest.Wait()
		if runs.Load() != 2001 {
			t.Errorf("%d items ran, want 2001", runs.Load())
		}
		requireEmpty(t, p)
	})
}

func TestARunThatEndsItsGoroutineCostsNoWorkerAndNoLane(t *testing.T) {
	t.Parallel()
	for name, takes := range map[string]time.Duration{"at once": 0, "after a while": time.Second} {
		t.Run(name, func(t *testing.T) {
			inBothModes(t, func(t *testing.T, m lane.Mode) {
				j := newJournal()
				p := lane.New(1, func(name uint64, items []task) lane.Verdict {
					j.begin(name, items)
					defer j.end(name, 1)
					if items[0].n%2 == 0 {
						<-time.After(takes)
						runtime.Goexit()
					}
					return lane.Done()
				})
				p.Force(m)
				p.Add(tasks(1, 0, 10))
				p.Add(tasks(2, 0, 10))
				pass(time.Minute)
				j.check(t, map[uint64]int{1: 10, 2: 10})
				requireEmpty(t, p)
			})
		})
	}
}
