package up

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
)

// A scene is a cluster as a watch sees it, second by second.
type scene struct {
	committed, lag []int64
	dead           int64 // dead letters
	deadAway       int   // the second in which they cannot be counted
	brokerAway     func(second int) bool
	registryAway   func(second int) bool
}

func never(int) bool { return false }

// play watches a scene to its end and returns what is told, in words.
func play(t *testing.T, s scene, seconds int) []string {
	t.Helper()
	var told []string
	began := time.Now()
	now := func() int { return int(time.Since(began).Seconds()) }
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(seconds)*time.Second+time.Millisecond)
	defer cancel()
	w := watch{
		groups: []groupWant{{id: "svc-a-dev", service: "a", topics: []string{"x.v1"}, dead: []string{"svc-a-dev.t.x.v1.dlq"}}},
		look: func(context.Context, ...string) ([]kafka.Group, error) {
			if s.brokerAway(now()) {
				return nil, errors.New("connection refused")
			}
			i := min(now(), len(s.committed)) - 1
			return []kafka.Group{{ID: "svc-a-dev", Topics: []kafka.Progress{
				{Topic: "svc-a-dev.x.v1.retry", Committed: 3, Lag: 5}, // marks and what waits, which are no records of their own
				{Topic: "x.v1", Committed: s.committed[i], Lag: s.lag[i]},
			}}}, nil
		},
		ends: func(context.Context, ...string) (map[string]int64, error) {
			if now() == s.deadAway {
				return nil, errors.New("leader not available")
			}
			return map[string]int64{"svc-a-dev.t.x.v1.dlq": s.dead, "svc-b-dev.t.x.v1.dlq": 9}, nil
		},
		registry: func(context.Context) error {
			if s.registryAway(now()) {
				return errors.New("connection refused")
			}
			return nil
		},
		observe: func(e Event) {
			switch e := e.(type) {
			case Status:
				g := e.Groups[0]
				line := fmt.Sprintf("%ds %s %d records %d/s lag %d flowing %v", now(), g.Service, g.Records, g.Rate, g.Lag, e.Flowing)
				if g.DeadLetters > 0 {
					line += fmt.Sprintf(" dead %d", g.DeadLetters)
				}
				told = append(told, line)
			case Away:
				told = append(told, fmt.Sprintf("%ds away: %s", now(), e.Diagnostic.Message))
				if e.Diagnostic.Code != diag.UpAway {
					t.Errorf("told %s, want %s", e.Diagnostic.Code, diag.UpAway)
				}
			case Back:
				told = append(told, fmt.Sprintf("%ds back: %s", now(), e.What))
			}
		},
	}
	w.run(ctx)
	return told
}

func TestAStatusASecondTellsRecordsRateAndLag(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		got := play(t, scene{committed: []int64{0, 100, 350, 350, 350}, lag: []int64{0, 250, 0, 0, 0}, brokerAway: never, registryAway: never}, 5)
		want := []string{
			"1s a 0 records 0/s lag 0 flowing false",
			"2s a 100 records 100/s lag 250 flowing true",
			"3s a 350 records 250/s lag 0 flowing true",
			"4s a 350 records 0/s lag 0 flowing false",
			"5s a 350 records 0/s lag 0 flowing false",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
	})
}

func TestAStatusTellsAServicesDeadLettersAndKeepsWhatItKnows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		got := play(t, scene{committed: []int64{4}, lag: []int64{0}, dead: 3, deadAway: 2, brokerAway: never, registryAway: never}, 2)
		want := []string{
			"1s a 4 records 4/s lag 0 flowing true dead 3",
			"2s a 4 records 0/s lag 0 flowing false dead 3",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
	})
}

func TestABrokerThatGoesAwayIsToldOnceAndSoIsItsReturn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		got := play(t, scene{committed: []int64{7}, lag: []int64{0}, brokerAway: func(s int) bool { return s == 2 || s == 3 }, registryAway: never}, 4)
		want := []string{
			"1s a 7 records 7/s lag 0 flowing true",
			"2s away: the broker does not answer; services wait for it",
			"4s back: broker",
			"4s a 7 records 0/s lag 0 flowing false",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
	})
}

func TestARegistryThatGoesAwayIsToldOnceAndSoIsItsReturn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		got := play(t, scene{committed: []int64{0}, lag: []int64{0}, brokerAway: never, registryAway: func(s int) bool { return s >= 3 && s < 12 }}, 15)
		var changes []string
		for _, line := range got {
			var second int
			var word string
			if fmt.Sscanf(line, "%ds %s", &second, &word); word != "a" {
				changes = append(changes, line)
			}
		}
		want := []string{"5s away: the registry does not answer; services wait for it", "15s back: registry"}
		if diff := cmp.Diff(want, changes); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
	})
}
