package up

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/internal/kafka"
)

// reading is a group that reads some partitions of one topic.
func reading(assigned int) kafka.Group {
	return kafka.Group{ID: "svc-a-dev", State: "Stable", Members: 1, Topics: []kafka.Progress{{Topic: "t.x.v1", Assigned: assigned}}}
}

func TestAGroupIsReadyWithEveryPartitionAssigned(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		have kafka.Group
		want string
	}{
		"unknown":          {kafka.Group{State: "Dead"}, "group svc-a-dev has no member"},
		"rebalancing":      {kafka.Group{State: "PreparingRebalance", Members: 1}, "group svc-a-dev is PreparingRebalance"},
		"unreadable":       {kafka.Group{Err: errors.New("coordinator is loading")}, "coordinator is loading"},
		"nothing assigned": {reading(0), "group svc-a-dev reads 0 of 3 partitions of t.x.v1"},
		"partly assigned":  {reading(2), "group svc-a-dev reads 2 of 3 partitions of t.x.v1"},
		"ready":            {reading(3), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := readiness{partitions: map[string]int{"t.x.v1": 3}}
			if got := r.unready(groupWant{id: "svc-a-dev", topics: []string{"t.x.v1"}}, tt.have); got != tt.want {
				t.Errorf("unready() = %q, want %q", got, tt.want)
			}
		})
	}
}

// waiting is a readiness of one group that gets its partitions after a while.
func waiting(after time.Duration) readiness {
	began := time.Now()
	return readiness{
		groups:     []groupWant{{id: "svc-a-dev", service: "a", topics: []string{"t.x.v1"}}},
		partitions: map[string]int{"t.x.v1": 3},
		look: func(context.Context, ...string) ([]kafka.Group, error) {
			if time.Since(began) < after {
				return []kafka.Group{reading(1)}, nil
			}
			return []kafka.Group{reading(3)}, nil
		},
	}
}

func TestWaitingEndsWhenReadyAndSaysWhatIsLeftWhenLate(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		after, timeout, took time.Duration
		want                 []wait
	}{
		"at once": {0, time.Minute, 0, nil},
		"soon":    {10 * time.Second, time.Minute, 10 * time.Second, nil},
		"late":    {time.Hour, time.Minute, time.Minute, []wait{{"a", "group svc-a-dev reads 1 of 3 partitions of t.x.v1"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				left, err := waiting(tt.after).await(t.Context(), tt.timeout)
				if diff := cmp.Diff(tt.want, left, cmp.AllowUnexported(wait{})); diff != "" || err != nil {
					t.Errorf("await() left (-want +got), err %v:\n%s", err, diff)
				}
				if took := time.Since(began); took != tt.took {
					t.Errorf("await() took %v, want %v", took, tt.took)
				}
			})
		})
	}
}

func TestWaitingEndsWithTheRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		over := errors.New("a service was given up on")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(3*time.Second, func() { cancel(over) })
		if left, err := waiting(time.Hour).await(ctx, time.Minute); !errors.Is(err, over) || left != nil {
			t.Errorf("await() = %v, %v, want the run's cause", left, err)
		}
	})
}

func TestABrokerThatDoesNotAnswerKeepsEveryServiceWaiting(t *testing.T) {
	t.Parallel()
	r := waiting(0)
	r.look = func(context.Context, ...string) ([]kafka.Group, error) { return nil, errors.New("no broker") }
	if got, want := r.waits(t.Context()), []wait{{"a", "no broker"}}; !slices.Equal(got, want) {
		t.Errorf("waits() = %v, want %v", got, want)
	}
}
