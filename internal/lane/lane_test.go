package lane_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipway-go/slipway/internal/lane"
)

// pass lets virtual time go by, and what is due then finish.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestItemsOfAKeyRunOneAtATimeInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		type item struct{ n, attempt int }
		var mu sync.Mutex
		running, next := map[int]bool{}, map[int]int{}
		p := lane.New(8, func(key int, it *item) lane.Verdict {
			mu.Lock()
			if running[key] {
				t.Errorf("two items of key %d run at once", key)
			}
			if it.n != next[key] {
				t.Errorf("key %d runs item %d, want %d", key, it.n, next[key])
			}
			running[key] = true
			mu.Unlock()
			<-time.After(rand.N(5 * time.Millisecond))
			mu.Lock()
			defer mu.Unlock()
			running[key] = false
			if it.attempt++; it.attempt < 3 && it.n%4 == 0 {
				return lane.Again(rand.N(time.Second))
			}
			next[key]++
			return lane.Done()
		})
		for n := range 200 {
			for key := range 20 {
				p.Add(key, item{n: n})
			}
		}
		synctest.Wait()
		pass(time.Hour)
		mu.Lock()
		defer mu.Unlock()
		for key := range 20 {
			if next[key] != 200 {
				t.Errorf("key %d finished %d of 200 items", key, next[key])
			}
		}
		if p.Len() != 0 {
			t.Errorf("Len() = %d when all is done, want 0", p.Len())
		}
	})
}

func TestAWaitingKeyHoldsNoWorker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var others atomic.Int64
		p := lane.New(1, func(key string, attempt *int) lane.Verdict {
			if *attempt++; key == "slow" && *attempt == 1 {
				return lane.Again(time.Hour)
			}
			others.Add(1)
			return lane.Done()
		})
		p.Add("slow", 0)
		for i := range 100 {
			p.Add(fmt.Sprint(i), 0)
		}
		synctest.Wait()
		if got := others.Load(); got != 100 {
			t.Errorf("%d items of other keys ran while one key waits, want 100", got)
		}
		pass(time.Hour)
		if got := others.Load(); got != 101 {
			t.Errorf("%d items ran after the delay, want 101", got)
		}
	})
}

func TestARetryIsNeverEarly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var runs []time.Time
		p := lane.New(4, func(_ int, attempt *int) lane.Verdict {
			mu.Lock()
			runs = append(runs, time.Now())
			mu.Unlock()
			if *attempt++; *attempt < 4 {
				return lane.Again(time.Duration(*attempt) * time.Minute)
			}
			return lane.Done()
		})
		p.Add(1, 0)
		pass(time.Hour)
		mu.Lock()
		defer mu.Unlock()
		for i := 1; i < len(runs); i++ {
			if got, want := runs[i].Sub(runs[i-1]), time.Duration(i)*time.Minute; got < want {
				t.Errorf("attempt %d came after %v, want at least %v", i+1, got, want)
			}
		}
		if len(runs) != 4 {
			t.Errorf("%d attempts, want 4", len(runs))
		}
	})
}

func TestAWokenLaneRunsAtOnceAndOnlyOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var woken atomic.Bool
		var runs atomic.Int64
		p := lane.New(4, func(key int, _ *int) lane.Verdict {
			runs.Add(1)
			if woken.Load() {
				return lane.Done()
			}
			return lane.Again(time.Duration(key+1) * time.Minute)
		})
		p.Add(0, 0)
		p.Add(1, 0)
		synctest.Wait()
		woken.Store(true)
		p.Wake(func(int) bool { return true })
		synctest.Wait()
		if p.Len() != 0 || runs.Load() != 4 {
			t.Errorf("after Wake %d items are left and %d runs happened, want 0 and 4", p.Len(), runs.Load())
		}
		pass(time.Hour)
		if runs.Load() != 4 {
			t.Errorf("a stopped timer ran an item again: %d runs, want 4", runs.Load())
		}
	})
}

func TestNoMoreWorkersRunThanAllowed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		p := lane.New(3, func(int, *int) lane.Verdict {
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			<-time.After(time.Millisecond)
			now.Add(-1)
			return lane.Done()
		})
		for i := range 100 {
			p.Add(i, 0)
		}
		pass(time.Minute)
		if most.Load() != 3 {
			t.Errorf("at most %d ran at once, want 3", most.Load())
		}
	})
}

func TestALaneUnderConstantLoadDoesNotGrow(t *testing.T) { // not parallel: it looks at the heap
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before, grown := heap(), make(chan int64, 1)
	var p *lane.Pool[int, int]
	p = lane.New(1, func(key int, n *int) lane.Verdict {
		if *n == 0 {
			grown <- heap() - before
			return lane.Done()
		}
		p.Add(key, *n-1) // the next one is there before this one is done
		return lane.Done()
	})
	p.Add(0, 1_000_000)
	if n := <-grown; n > 1<<20 {
		t.Errorf("a lane that a million items went through holds %d bytes, want next to nothing", n)
	}
}

func BenchmarkEmptyItem(b *testing.B) {
	p := lane.New(16, func(int, *int) lane.Verdict { return lane.Done() })
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		p.Add(i&1023, i)
	}
}
