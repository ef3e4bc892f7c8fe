package lane_test

import (
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipway-go/slipway/internal/lane"
)

func TestAnIdlePoolIsNoGoroutine(t *testing.T) { // not parallel: it counts the goroutines of all pools
	for name, m := range modes {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				end := make(chan struct{})
				p := lane.New(64, func(name uint64, items []task) lane.Verdict {
					switch items[0].runs++; {
					case name > 0:
						return lane.Done()
					case items[0].runs == 1:
						return lane.Hold()
					}
					<-end
					return lane.Done()
				})
				p.Force(m)
				p.Add(oneEach(10_000))
				pass(10 * time.Millisecond)
				if got := goroutines(); got != 0 {
					t.Errorf("%d goroutines of the pool are left when nothing runs", got)
				}
				p.Release(0)
				synctest.Wait()
				if got := goroutines(); got != 1 {
					t.Errorf("%d goroutines of the pool where one item runs, want 1: the test does not count them", got)
				}
				close(end)
			})
		})
	}
}

// goroutines returns how many goroutines were started by a pool.
func goroutines() int {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	return strings.Count(string(stacks), "created by github.com/slipway-go/slipway/internal/lane.")
}

func TestALaneUnderConstantLoadDoesNotGrow(t *testing.T) { // not parallel: it looks at the heap
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	for name, m := range modes {
		t.Run(name, func(t *testing.T) {
			grown := make(chan int64, 1)
			var p *lane.Pool[task]
			p = lane.New(1, func(name uint64, items []task) lane.Verdict {
				n := items[0].n
				if n%1000 == 0 {
					p.Force(m) // whatever the pool would rather be
				}
				if n == 0 {
					grown <- heap()
					return lane.Done()
				}
				p.Add([]lane.Item[task]{{Lane: name, Value: task{n: n - 1}}}) // the next one is there before this one is done
				return lane.Done()
			})
			p.Force(m)
			before := heap()
			p.Add([]lane.Item[task]{{Lane: 1, Value: task{n: 1_000_000}}})
			if n := <-grown - before; n > 1<<20 {
				t.Errorf("a lane that a million items went through holds %d bytes, want next to nothing", n)
			}
		})
	}
}

func TestABurstLeavesLittleBehind(t *testing.T) { // not parallel: it looks at the heap
	for name, m := range modes {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var before, after runtime.MemStats
				var gate count
				p := lane.New(4, func(uint64, []task) lane.Verdict {
					if gate.Load() == 0 {
						return lane.Hold()
					}
					return lane.Done()
				})
				p.Force(m)
				runtime.GC()
				runtime.ReadMemStats(&before)
				for n := range uint64(100) {
					p.Add(tasks(n, 0, 5000))
				}
				synctest.Wait()
				gate.Store(1)
				p.Wake(func(*task) bool { return true })
				synctest.Wait()
				requireEmpty(t, p)
				runtime.GC()
				runtime.ReadMemStats(&after)
				if n := int64(after.HeapAlloc) - int64(before.HeapAlloc); n > 4<<20 {
					t.Errorf("half a million items left %d bytes behind, want at most 4 MiB", n)
				}
				runtime.KeepAlive(p)
			})
		})
	}
}
