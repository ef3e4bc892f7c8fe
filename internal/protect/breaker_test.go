package protect_test

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipway-go/slipway/internal/protect"
)

// attempts makes attempts one after the other and returns how many were let
// through.
func attempts(b *protect.Breaker, results ...protect.Result) (passed int) {
	for _, r := range results {
		if p, ok := b.Allow(); ok {
			passed++
			b.Done(p, r)
		}
	}
	return passed
}

const (
	ok      = protect.Success
	bad     = protect.Failure
	neutral = protect.Neutral
	tripped = protect.Tripped
)

func TestABreakerOpensAfterFailuresInARowAndOnlyThen(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		results []protect.Result
		want    protect.State
	}{
		"too few":                        {[]protect.Result{bad, bad}, protect.Closed},
		"enough":                         {[]protect.Result{bad, bad, bad}, protect.Open},
		"a success in between":           {[]protect.Result{bad, bad, ok, bad, bad}, protect.Closed},
		"what says nothing between":      {[]protect.Result{bad, neutral, bad, neutral, bad}, protect.Open},
		"what says nothing alone":        {[]protect.Result{neutral, neutral, neutral, neutral}, protect.Closed},
		"the handler asks for it":        {[]protect.Result{tripped}, protect.Open},
		"the handler asks among success": {[]protect.Result{ok, ok, tripped}, protect.Open},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := protect.NewBreaker(protect.BreakerConfig{Failures: 3}, nil, nil)
			defer b.Close()
			attempts(b, tt.results...)
			if got := b.State(); got != tt.want {
				t.Errorf("after %v the breaker is %v, want %v", tt.results, got, tt.want)
			}
		})
	}
}

func TestWithoutABoundABreakerOpensOnlyWhenItIsAskedTo(t *testing.T) {
	t.Parallel()
	b := protect.NewBreaker(protect.BreakerConfig{}, nil, nil)
	defer b.Close()
	attempts(b, slices.Repeat([]protect.Result{bad}, 1000)...)
	if got := b.State(); got != protect.Closed {
		t.Errorf("after 1000 failures the breaker is %v, want closed", got)
	}
	attempts(b, tripped)
	if got := b.State(); got != protect.Open {
		t.Errorf("after a handler tripped it the breaker is %v, want open", got)
	}
}

func TestWhileABreakerIsOpenNothingPassesAndThenOnlyProbes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := protect.NewBreaker(protect.BreakerConfig{Failures: 1, Open: time.Minute, Probes: 2}, nil, nil)
		attempts(b, bad)
		if until := time.Until(b.Until()); until != time.Minute {
			t.Errorf("open for %v, want 1m", until)
		}
		<-time.After(time.Minute - 1)
		if n := attempts(b, ok); n != 0 {
			t.Error("a record passed before the time was over")
		}
		<-time.After(2)
		synctest.Wait()
		first, _ := b.Allow()
		second, passed := b.Allow()
		if _, third := b.Allow(); !passed || third {
			t.Errorf("second probe passed: %v, third: %v; want two probes", passed, third)
		}
		b.Done(first, ok)
		if _, more := b.Allow(); more {
			t.Error("a third record passed while the second probe was under way")
		}
		b.Done(second, ok)
		if got := b.State(); got != protect.Closed {
			t.Errorf("after two good probes the breaker is %v, want closed", got)
		}
	})
}

func TestAFailedProbeOpensTheBreakerForItsFullTimeAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := protect.NewBreaker(protect.BreakerConfig{Failures: 5, Open: time.Minute}, nil, nil)
		b.Trip()
		for range 3 {
			<-time.After(time.Minute)
			synctest.Wait()
			if n := attempts(b, bad, ok); n != 1 {
				t.Fatalf("%d records passed, want one probe", n)
			}
			if until := time.Until(b.Until()); until != time.Minute {
				t.Fatalf("open for %v after a failed probe, want 1m", until)
			}
		}
		b.Close()
	})
}

func TestAProbeThatSaysNothingMakesRoomForAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		woken := 0
		b := protect.NewBreaker(protect.BreakerConfig{}, nil, func() { woken++ })
		b.Trip()
		<-time.After(time.Minute)
		synctest.Wait()
		before := woken
		attempts(b, neutral)
		if got := b.State(); got != protect.HalfOpen || woken != before+1 {
			t.Errorf("the breaker is %v and has woken %d times, want half-open and once", got, woken-before)
		}
		if n := attempts(b, ok); n != 1 || b.State() != protect.Closed {
			t.Errorf("%d passed and the breaker is %v, want 1 and closed", n, b.State())
		}
	})
}

func TestWhatBeganBeforeTheBreakerOpenedDoesNotCountAfterwards(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := protect.NewBreaker(protect.BreakerConfig{Failures: 1}, nil, nil)
		var slow []protect.Permit
		for range 3 {
			p, _ := b.Allow()
			slow = append(slow, p)
		}
		attempts(b, bad)
		<-time.After(time.Minute)
		synctest.Wait()
		for _, r := range []protect.Result{ok, bad, tripped} {
			b.Done(slow[0], r)
			slow = slow[1:]
			if got := b.State(); got != protect.HalfOpen {
				t.Errorf("a late %v made the breaker %v, want half-open", r, got)
			}
		}
	})
}

func TestChangesAreToldOneAtATimeAndInOrder(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	last, changes, telling := protect.Closed, 0, false
	b := protect.NewBreaker(protect.BreakerConfig{Failures: 1, Open: time.Nanosecond}, func(from, to protect.State) {
		mu.Lock()
		if telling || from != last {
			t.Errorf("told of %v to %v after %v, another telling: %v", from, to, last, telling)
		}
		telling, last = true, to
		mu.Unlock()
		mu.Lock()
		defer mu.Unlock()
		telling = false
		changes++
	}, nil)
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			for i := range 2000 {
				attempts(b, protect.Result((n+i)%3))
			}
		})
	}
	all.Wait()
	b.Close()
	mu.Lock()
	defer mu.Unlock()
	if changes == 0 {
		t.Error("no change was told")
	}
}

func TestABreakersBoundsChangeWhileItIsInUse(t *testing.T) {
	t.Parallel()
	b := protect.NewBreaker(protect.BreakerConfig{Failures: 100}, nil, nil)
	defer b.Close()
	attempts(b, bad, bad)
	b.Set(protect.BreakerConfig{Failures: 3, Open: time.Hour})
	attempts(b, bad)
	if until := time.Until(b.Until()); b.State() != protect.Open || until < 59*time.Minute {
		t.Errorf("the breaker is %v for %v, want open for an hour", b.State(), until)
	}
}

func BenchmarkClosedBreaker(b *testing.B) {
	br := protect.NewBreaker(protect.BreakerConfig{Failures: 5}, nil, nil)
	b.ReportAllocs()
	for b.Loop() {
		p, _ := br.Allow()
		br.Done(p, ok)
	}
}
