package lane_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipway-go/slipway/internal/lane"
)

// TestOrderHoldsWhateverHappens lets everything happen at random: items that
// are slow, fail, hold, end their goroutine or are done in part, the pool
// resized, woken, released, switched and made to batch at any moment.
func TestOrderHoldsWhateverHappens(t *testing.T) {
	t.Parallel()
	for seed := range uint64(30) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { turmoil(t, rand.NewPCG(seed, 0)) })
		})
	}
}

func turmoil(t *testing.T, source rand.Source) {
	rnd := rand.New(source)
	j, added := newJournal(), map[uint64]int{}
	trouble := 1 + rnd.IntN(300) // of a thousand runs
	lanes := 1 + rnd.IntN(300)
	p := lane.New(1+rnd.IntN(40), func(name uint64, items []task) lane.Verdict {
		j.begin(name, items)
		done, verdict := mishap(len(items), trouble)
		if done < 0 {
			defer j.end(name, len(items))
			runtime.Goexit()
		}
		j.end(name, done)
		return verdict
	})
	for range 150 {
		switch rnd.IntN(12) {
		default:
			var items []lane.Item[task]
			for range rnd.IntN(3000) {
				name := uint64(rnd.IntN(lanes))
				items = append(items, tasks(name, added[name], added[name]+1)...)
				added[name]++
			}
			p.Add(items)
			clear(items)
		case 0:
			p.Resize(1 + rnd.IntN(100))
		case 1:
			p.Batch(max(1, rnd.IntN(20)-10))
		case 2:
			p.Wake(func(it *task) bool { return it.n%2 == 0 })
		case 3:
			p.Release(uint64(rnd.IntN(lanes)))
		case 4:
			p.Force(lane.Exact)
		case 5:
			p.Force(lane.Hashed)
		case 6:
			<-time.After(time.Duration(rnd.IntN(20_000)) * time.Microsecond)
		case 7:
			runtime.Gosched()
		}
	}
	for before := -1; p.Stats().Queued > 0 && j.finished() > before; {
		before = j.finished()
		for range 1000 {
			p.Wake(func(*task) bool { return true })
			pass(time.Millisecond)
		}
	}
	synctest.Wait()
	j.check(t, added)
	requireEmpty(t, p)
}

// mishap is what may befall a run: how many of its items it finishes, -1 if
// the goroutine ends, and the verdict.
func mishap(given, trouble int) (done int, v lane.Verdict) {
	if rand.IntN(1000) >= trouble {
		return given, lane.Done()
	}
	delay := time.Duration(rand.IntN(10_000)) * time.Microsecond
	done = rand.IntN(given + 1)
	switch rand.IntN(8) {
	case 0:
		return -1, v
	case 1:
		return 0, lane.Again(delay)
	case 2:
		return done, lane.AgainN(done, delay)
	case 3:
		return done, lane.DoneN(done)
	case 4:
		return 0, lane.Hold()
	case 5:
		return done, lane.HoldN(done)
	case 6:
		runtime.Gosched()
		return given, lane.Done()
	}
	<-time.After(delay)
	return given, lane.Done()
}

func TestItemsOfALaneRunOneAtATimeInOrder(t *testing.T) {
	t.Parallel()
	inBothModes(t, func(t *testing.T, m lane.Mode) {
		j, added := newJournal(), map[uint64]int{}
		p := lane.New(8, func(name uint64, items []task) lane.Verdict {
			j.begin(name, items)
			<-time.After(rand.N(5 * time.Millisecond))
			if it := items[0]; it.n%4 == 0 && it.runs < 3 {
				j.end(name, 0)
				return lane.Again(rand.N(time.Second))
			}
			j.end(name, 1)
			return lane.Done()
		})
		p.Force(m)
		for n := range 200 {
			for name := range uint64(20) {
				p.Add(tasks(name, n, n+1))
				added[name]++
			}
		}
		pass(time.Hour)
		j.check(t, added)
		requireEmpty(t, p)
	})
}

func TestOneLaneGetsNoMoreTurnsThanAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var order list[uint64]
		p := lane.New(1, func(name uint64, _ []task) lane.Verdict {
			<-time.After(time.Millisecond)
			order.add(name)
			return lane.Done()
		})
		p.Add(tasks(1, 0, 1000))
		p.Add(tasks(2, 0, 3))
		pass(time.Minute)
		turns := 0
		for i, name := range order.get()[:6] {
			if name == 2 {
				turns++
			}
			if got, want := turns, (i+1)/2; got != want {
				t.Errorf("after %d turns the short lane has had %d, want %d", i+1, got, want)
			}
		}
	})
}

func TestNoMoreWorkersRunThanAllowed(t *testing.T) {
	t.Parallel()
	inBothModes(t, func(t *testing.T, m lane.Mode) {
		var now, most count
		p := lane.New(3, func(uint64, []task) lane.Verdict {
			most.raise(now.Add(1))
			<-time.After(10 * time.Millisecond)
			now.Add(-1)
			return lane.Done()
		})
		p.Force(m)
		for _, workers := range []int{3, 50, 1, 7} {
			p.Resize(workers)
			pass(100 * time.Millisecond) // those that were too many leave
			most.Store(0)
			p.Add(oneEach(1000))
			pass(100 * time.Millisecond)
			if got := p.Stats().Running; got != workers {
				t.Errorf("%d of %d workers run", got, workers)
			}
			if most.Load() != int64(workers) {
				t.Errorf("at most %d ran at once, want %d", most.Load(), workers)
			}
		}
		pass(time.Hour)
		requireEmpty(t, p)
	})
}
