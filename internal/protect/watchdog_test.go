package protect_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipway-go/slipway/internal/protect"
)

// A job is what a watchdog of these tests watches.
type job struct {
	name string
	due  time.Time
}

// sightings notes what a watchdog tells.
type sightings struct {
	mu       sync.Mutex
	overdue  []protect.Overdue[job]
	at       []time.Time
	returned []string
}

func (s *sightings) report(o protect.Overdue[job]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.overdue, s.at = append(s.overdue, o), append(s.at, time.Now())
}

func (s *sightings) back(j *job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.returned = append(s.returned, j.name)
}

func (s *sightings) counts() (overdue, returned int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.overdue), len(s.returned)
}

func due(j *job) time.Time { return j.due }

func (s *sightings) dog() *protect.Watchdog[job] {
	return protect.NewWatchdog(protect.WatchdogConfig[job]{Due: due, Report: s.report, Returned: s.back})
}

// within is a job that is overdue after a while.
func within(d time.Duration, name string) *job { return &job{name, time.Now().Add(d)} }

func TestAHandlerThatDoesNotReturnIsReportedOnceWithItsStack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var seen sightings
		dog := seen.dog()
		release := make(chan struct{})
		begin := time.Now()
		for range 3 { // others that are in time, on stacks that look alike
			go func() {
				for range 20 {
					dog.Watch(within(10*time.Second, "quick"), func() { <-time.After(9 * time.Second) })
				}
			}()
		}
		go dog.Watch(within(10*time.Second, "stuck"), func() { waitForever(release) })
		<-time.After(2 * time.Minute)
		if n, _ := seen.counts(); n != 1 {
			t.Fatalf("%d reports in two minutes, want one", n)
		}
		o := seen.overdue[0]
		if late := seen.at[0].Sub(begin); o.Subject.name != "stuck" || late < 10*time.Second || late > 10200*time.Millisecond {
			t.Errorf("reported %s after %v, want stuck after 10s to 10.2s", o.Subject.name, late)
		}
		if !strings.Contains(o.Stack, "waitForever") || strings.Count(o.Stack, "goroutine ") != 1+strings.Count(o.Stack, "in goroutine ") {
			t.Errorf("the stack is not that of the handler alone:\n%s", o.Stack)
		}
		if late := dog.Late(); len(late) != 1 || late[0] != o.Subject {
			t.Errorf("late = %v, want what was reported", late)
		}
		close(release)
		<-time.After(2 * time.Minute)
		if n, back := seen.counts(); n != 1 || back != 1 || seen.returned[0] != "stuck" {
			t.Errorf("%d reports and %v returned, want one of each", n, seen.returned)
		}
		if late := dog.Late(); len(late) != 0 {
			t.Errorf("late = %v after it came back", late)
		}
	})
}

//go:noinline
func waitForever(c chan struct{}) { <-c }

func TestAHandlerThatReturnsInTimeIsNotReported(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var seen sightings
		dog := seen.dog()
		go func() {
			for range 100 {
				dog.Watch(within(10*time.Second, "quick"), func() { <-time.After(10*time.Second - 1) })
			}
		}()
		<-time.After(time.Hour)
		synctest.Wait()
		if n, back := seen.counts(); n != 0 || back != 0 {
			t.Errorf("%d reported and %d returned, want none", n, back)
		}
	})
}

// In a bubble a ticker without end would keep the test from ever standing
// still; a goroutine that waits for nothing else would hang there.
func TestAnIdleWatchdogHasNoTimer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var seen sightings
		dog := seen.dog()
		dog.Watch(within(time.Second, "once"), func() {})
		<-time.After(3 * time.Second)
		if protect.Armed(dog) {
			t.Error("the watchdog has a timer though nothing runs")
		}
		go dog.Watch(within(time.Second, "later"), func() { <-time.After(time.Minute) })
		<-time.After(30 * time.Second)
		if protect.Armed(dog) {
			t.Error("the watchdog has a timer though nothing runs that was not reported")
		}
		<-time.After(2 * time.Minute)
		if n, back := seen.counts(); n != 1 || back != 1 {
			t.Errorf("%d reported and %d returned after a pause, want one of each", n, back)
		}
	})
}

func TestAHandlerThatEndsItsGoroutineOrPanicsHasReturned(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(){
		"goexit": runtime.Goexit,
		"panic":  func() { panic("broken") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var seen sightings
				dog := seen.dog()
				go func() {
					defer func() { _ = recover() }()
					dog.Watch(within(time.Second, name), func() {
						<-time.After(5 * time.Second)
						end()
					})
				}()
				<-time.After(10 * time.Second)
				if n, back := seen.counts(); n != 1 || back != 1 || len(dog.Late()) != 0 {
					t.Errorf("%d reported, %d returned and %d late, want one, one and none", n, back, len(dog.Late()))
				}
			})
		})
	}
}

func TestHoweverManyRunAtATimeEachIsWatched(t *testing.T) {
	t.Parallel()
	const crowd = 3_000
	synctest.Test(t, func(t *testing.T) {
		var seen sightings
		dog := seen.dog()
		for i := range crowd {
			go dog.Watch(within(time.Second, fmt.Sprint(i)), func() { <-time.After(2 * time.Second) })
		}
		<-time.After(1500 * time.Millisecond)
		if n := len(dog.Late()); n != crowd {
			t.Errorf("%d of %d are late", n, crowd)
		}
		<-time.After(time.Minute)
		if n, back := seen.counts(); n != crowd || back != crowd {
			t.Errorf("%d reported and %d returned of %d", n, back, crowd)
		}
	})
}

func TestNothingIsReportedAfterTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var seen sightings
		dog := seen.dog()
		go dog.Watch(within(time.Second, "long"), func() { <-time.After(time.Minute) })
		synctest.Wait()
		dog.Close()
		<-time.After(2 * time.Minute)
		if n, back := seen.counts(); n != 0 || back != 0 {
			t.Errorf("%d reported and %d returned, want none", n, back)
		}
	})
}

func TestEveryReportIsFollowedByItsReturn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var seen sightings
		dog := seen.dog()
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for n := range 200 {
					dog.Watch(within(time.Second, "work"), func() { <-time.After(time.Duration(n%4) * 600 * time.Millisecond) })
				}
			})
		}
		all.Wait()
		if n, back := seen.counts(); n != back || n != 8*200/2 {
			t.Errorf("%d reported and %d returned, want %d", n, back, 8*200/2)
		}
	})
}

func BenchmarkWatchdog(b *testing.B) {
	var seen sightings
	dog := seen.dog()
	defer dog.Close()
	subject := within(time.Hour, "work")
	b.ReportAllocs()
	for b.Loop() {
		dog.Watch(subject, func() {})
	}
}

func BenchmarkWatchdogParallel(b *testing.B) {
	var seen sightings
	dog := seen.dog()
	defer dog.Close()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		subject := within(time.Hour, "work")
		for pb.Next() {
			dog.Watch(subject, func() {})
		}
	})
}
