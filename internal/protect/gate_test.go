package protect_test

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipway-go/slipway/internal/protect"
)

// A runner handles records through a gate as a pool of lanes does: whenever it
// is woken it lets as many pass as may.
type runner struct {
	gate *protect.Gate
	work time.Duration
	end  func(n int) protect.Result

	mu      sync.Mutex
	waiting int
	started []time.Time
	most    int
	running int
	asked   int
}

func newRunner(cfg protect.Config, n int) *runner {
	r := &runner{waiting: n, end: func(int) protect.Result { return ok }}
	cfg.Wake = func() { go r.run() }
	r.gate = protect.NewGate(cfg)
	return r
}

func (r *runner) run() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.waiting > 0 {
		r.asked++
		pass, ok := r.gate.Enter()
		if !ok {
			return
		}
		r.waiting--
		r.running++
		r.most = max(r.most, r.running)
		n := len(r.started)
		r.started = append(r.started, time.Now())
		time.AfterFunc(r.work, func() {
			r.mu.Lock()
			r.running--
			r.mu.Unlock()
			r.gate.Leave(pass, r.end(n))
		})
	}
}

func (r *runner) state() (waiting, running, most, asked int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.waiting, r.running, r.most, r.asked
}

func TestAtMostSoManyHandlersRunAndAllGetTheirTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRunner(protect.Config{Bulkhead: 3}, 10)
		r.work = time.Second
		begin := time.Now()
		r.run()
		<-time.After(5 * time.Second)
		synctest.Wait()
		waiting, running, most, _ := r.state()
		if waiting+running != 0 || most != 3 {
			t.Errorf("%d wait and %d run, %d ran at once; want all done and 3 at once", waiting, running, most)
		}
		if took := r.started[9].Sub(begin); took != 3*time.Second {
			t.Errorf("the last began after %v, want 3s", took)
		}
	})
}

func TestABulkheadsBoundChangesWhileItIsInUse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRunner(protect.Config{Bulkhead: 1}, 100)
		r.work = time.Second
		r.run()
		r.gate.Bulkhead().Set(10)
		synctest.Wait()
		if _, running, _, _ := r.state(); running != 10 {
			t.Errorf("%d run after the bound went from 1 to 10, want 10", running)
		}
		r.gate.Bulkhead().Set(2)
		<-time.After(time.Second)
		synctest.Wait()
		if _, running, _, _ := r.state(); running != 2 {
			t.Errorf("%d run after the bound went to 2, want 2", running)
		}
		r.gate.Bulkhead().Set(0)
		synctest.Wait()
		if waiting, _, _, _ := r.state(); waiting != 0 {
			t.Errorf("%d wait without a bound, want none", waiting)
		}
		<-time.After(time.Second)
	})
}

func TestARateIsKeptAndWhatWaitsCostsOneTimer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRunner(protect.Config{Rate: 10}, 110)
		begin := time.Now()
		r.run()
		<-time.After(20 * time.Second)
		synctest.Wait()
		waiting, _, _, asked := r.state()
		if waiting != 0 {
			t.Fatalf("%d wait after 20s, want none", waiting)
		}
		for i, at := range r.started {
			if n := float64(i+1) - 10; at.Sub(begin).Seconds() < n/10-0.001 {
				t.Fatalf("record %d began after %v: more than 10 kept and 10 a second", i, at.Sub(begin))
			}
		}
		if took := r.started[109].Sub(begin); took > 10*time.Second+200*time.Millisecond {
			t.Errorf("110 records took %v, want 10s", took)
		}
		if asked > 2*110+20 {
			t.Errorf("110 records asked %d times", asked)
		}
	})
}

func TestAHighRateIsKeptWithAThousandWakesASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRunner(protect.Config{Rate: 20_000}, 42_000)
		begin := time.Now()
		r.run()
		<-time.After(3 * time.Second)
		synctest.Wait()
		waiting, _, _, asked := r.state()
		if waiting != 0 {
			t.Fatalf("%d wait after 3s, want none", waiting)
		}
		if took := r.started[41_999].Sub(begin); took < 1990*time.Millisecond || took > 2050*time.Millisecond {
			t.Errorf("42,000 records, of which 2,000 were kept, took %v, want 2s", took)
		}
		if wakes := asked - 42_000; wakes > 2100 {
			t.Errorf("asked %d times in vain, want at most one a millisecond", wakes)
		}
	})
}

func TestARateChangesForThoseThatWaitAlready(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRunner(protect.Config{Rate: 0.001}, 3)
		r.run()
		r.gate.Rate().Set(1)
		<-time.After(5 * time.Second)
		synctest.Wait()
		if waiting, _, _, _ := r.state(); waiting != 0 {
			t.Errorf("%d wait five seconds after the rate went to 1 a second", waiting)
		}
	})
}

func TestWhatARefusalTouchesIsGivenBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := protect.NewGate(protect.Config{Bulkhead: 1, Rate: 1})
		pass, _ := g.Enter()
		for range 100 {
			if _, passed := g.Enter(); passed {
				t.Fatal("two passed at once, want one")
			}
		}
		g.Leave(pass, ok)
		for range 100 {
			if _, passed := g.Enter(); passed {
				t.Fatal("two passed in a second, want one")
			}
		}
		if n := g.Bulkhead().Used(); n != 0 {
			t.Errorf("%d places are taken by those that were refused", n)
		}
		<-time.After(time.Second)
		if _, passed := g.Enter(); !passed {
			t.Error("refused after a second: the refusals were paid for")
		}
		g.Close()
	})
}

// A probe that finds no room in the bulkhead must neither be lost nor ask
// without end.
func TestAHalfOpenGateWithoutRoomAsksOnlyWhenThereIsSome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRunner(protect.Config{Breaker: protect.BreakerConfig{Failures: 1, Open: time.Second}, Bulkhead: 1}, 5)
		r.work = time.Hour
		r.end = func(int) protect.Result { return ok }
		r.run()
		r.gate.Breaker().Trip()
		<-time.After(time.Minute)
		synctest.Wait()
		if _, running, _, asked := r.state(); running != 1 || asked > 10 {
			t.Errorf("%d run and the gate was asked %d times, want 1 and a few", running, asked)
		}
		<-time.After(5 * time.Hour)
		synctest.Wait()
		if waiting, _, _, _ := r.state(); waiting != 0 || r.gate.Breaker().State() != protect.Closed {
			t.Errorf("%d wait and the breaker is %v, want none and closed", waiting, r.gate.Breaker().State())
		}
	})
}

func TestWhatTheBreakerHoldsUpRunsOnceItHalfOpens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var changes []protect.State
		r := newRunner(protect.Config{
			Breaker: protect.BreakerConfig{Failures: 2, Open: time.Minute},
			Changed: func(_, to protect.State) { changes = append(changes, to) },
		}, 0)
		r.end = func(n int) protect.Result {
			if n < 3 { // two that open it, and the first probe
				return bad
			}
			return ok
		}
		for range 10 {
			r.mu.Lock()
			r.waiting++
			r.mu.Unlock()
			r.run()
			synctest.Wait()
		}
		r.mu.Lock()
		n := len(r.started)
		r.mu.Unlock()
		if n != 2 {
			t.Errorf("%d records were handled before the breaker opened, want 2", n)
		}
		<-time.After(3 * time.Minute)
		synctest.Wait()
		if waiting, _, _, _ := r.state(); waiting != 0 {
			t.Errorf("%d wait though the breaker has closed", waiting)
		}
		want := []protect.State{protect.Open, protect.HalfOpen, protect.Open, protect.HalfOpen, protect.Closed}
		if got := changes; !slices.Equal(got, want) {
			t.Errorf("the breaker became %v, want %v", got, want)
		}
	})
}

// Many goroutines, real time, and bounds that change: whoever was refused is
// woken, or this test never ends.
func TestNoWakeIsLost(t *testing.T) {
	t.Parallel()
	const workers, each = 8, 3000
	var left, inside, most atomic.Int64
	left.Store(workers * each)
	woken := make(chan struct{}, 1)
	wake := func() {
		select {
		case woken <- struct{}{}:
		default:
		}
	}
	g := protect.NewGate(protect.Config{Bulkhead: 2, Rate: 200_000, Wake: wake})
	defer g.Close()
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for left.Load() > 0 {
				pass, passed := g.Enter()
				for !passed {
					select {
					case <-woken:
					case <-time.After(20 * time.Second):
						t.Errorf("worker %d was not woken with %d left", w, left.Load())
						return
					}
					if pass, passed = g.Enter(); passed {
						wake() // one wake may be for several
					}
				}
				n := inside.Add(1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
				left.Add(-1)
				inside.Add(-1)
				g.Leave(pass, ok)
			}
			wake() // those that wait for nothing any more
		})
	}
	all.Wait()
	if n := most.Load(); n > 2 {
		t.Errorf("%d were inside at once, want at most 2", n)
	}
}

func BenchmarkGateWithoutBounds(b *testing.B) { benchmarkGate(b, protect.Config{}) }
func BenchmarkGateWithBreakerAndBulkhead(b *testing.B) {
	benchmarkGate(b, protect.Config{Breaker: protect.BreakerConfig{Failures: 5}, Bulkhead: 64})
}
func BenchmarkGateWithAll(b *testing.B) {
	benchmarkGate(b, protect.Config{Breaker: protect.BreakerConfig{Failures: 5}, Bulkhead: 64, Rate: 1e9})
}

func benchmarkGate(b *testing.B, cfg protect.Config) {
	g := protect.NewGate(cfg)
	defer g.Close()
	b.ReportAllocs()
	for b.Loop() {
		pass, _ := g.Enter()
		g.Leave(pass, ok)
	}
}
