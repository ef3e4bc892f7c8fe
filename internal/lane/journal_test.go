package lane_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipway-go/slipway/internal/lane"
)

// modes are the ways to queue, by their names. A promise that holds in one has
// to hold in the other.
var modes = map[string]lane.Mode{"exact": lane.Exact, "hashed": lane.Hashed}

// inBothModes runs a test in a bubble of virtual time, once in each mode.
func inBothModes(t *testing.T, f func(t *testing.T, m lane.Mode)) {
	for name, m := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { f(t, m) })
		})
	}
}

// pass lets virtual time go by, and what is due then finish.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// A task is the item of these tests: the n-th of its lane.
type task struct{ n, runs int }

// tasks returns the items from to to of a lane.
func tasks(name uint64, from, to int) []lane.Item[task] {
	var items []lane.Item[task]
	for n := from; n < to; n++ {
		items = append(items, lane.Item[task]{Lane: name, Value: task{n: n}})
	}
	return items
}

// oneEach returns the first item of each of n lanes.
func oneEach(n int) []lane.Item[task] {
	items := make([]lane.Item[task], n)
	for i := range items {
		items[i].Lane = uint64(i)
	}
	return items
}

// A journal holds what ran to the promises of order.
type journal struct {
	mu      sync.Mutex
	next    map[uint64]int  // the number of the item that must run
	runs    map[uint64]int  // how often it has run
	running map[uint64]bool // lanes that run
	total   int             // finished items
	faults  []string
}

func newJournal() *journal {
	return &journal{next: map[uint64]int{}, runs: map[uint64]int{}, running: map[uint64]bool{}}
}

func (j *journal) fault(format string, args ...any) {
	if len(j.faults) < 5 {
		j.faults = append(j.faults, fmt.Sprintf(format, args...))
	}
}

// begin notes that a lane runs items, and that they know how often they ran.
func (j *journal) begin(name uint64, items []task) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.running[name] {
		j.fault("lane %d runs twice at a time", name)
	}
	j.running[name] = true
	for i := range items {
		if items[i].n != j.next[name]+i {
			j.fault("lane %d runs item %d, want %d", name, items[i].n, j.next[name]+i)
		}
		items[i].runs++
	}
	j.runs[name]++
	if got, want := items[0].runs, j.runs[name]; got < want {
		j.fault("item %d of lane %d remembers %d runs, want %d", items[0].n, name, got, want)
	}
}

// end notes that the first items of those that ran are finished.
func (j *journal) end(name uint64, done int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.running[name] = false
	j.next[name] += done
	j.total += done
	if done > 0 {
		j.runs[name] = 0
	}
}

func (j *journal) finished() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.total
}

// check reports what broke a promise, and a lane that has not finished as many
// items as were added to it.
func (j *journal) check(t *testing.T, added map[uint64]int) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, f := range j.faults {
		t.Error(f)
	}
	for name, n := range added {
		if j.next[name] != n {
			t.Errorf("lane %d finished %d of %d items", name, j.next[name], n)
		}
	}
}

func requireEmpty[T any](t *testing.T, p *lane.Pool[T]) {
	t.Helper()
	got := p.Stats()
	got.Mode, got.Switches = 0, 0
	if got != (lane.Stats{}) {
		t.Errorf("Stats() = %+v when all is done, want nothing", got)
	}
}

// A list is what several goroutines write to.
type list[T any] struct {
	mu  sync.Mutex
	all []T
}

func (l *list[T]) add(v T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, v)
}

func (l *list[T]) get() []T {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.all)
}
