package slipwaytest_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/slipwaytest"
)

// jobs is the contract of a service whose keys are parked after two attempts.
var jobs = fstest.MapFS{"slipway.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Service
metadata: {name: worker, owner: team-warehouse}
identity: {auth: scram-sha-512}
consumes:
  jobs.v1: {session: 10s, heartbeat: 2s, retry: {delays: [10s], then: park}}
`)}}

// work does what the job's value says.
func work(t *testing.T, repaired *atomic.Bool) func(*slipway.App) error {
	return func(app *slipway.App) error {
		slipway.Handle(app, "jobs.v1", func(_ context.Context, m *slipway.Message[[]byte]) error {
			switch job := string(m.Value); {
			case job == "break" && !repaired.Load():
				return errors.New("broken")
			case job == "refuse":
				return slipway.Reject(errors.New("refused"))
			case job == "ignore":
				return slipway.Skip(errors.New("none of ours"))
			case job == "sleep":
				<-time.After(5 * time.Second)
			}
			return nil
		})
		return nil
	}
}

func TestEveryOutcomeCanBeRequired(t *testing.T) {
	t.Parallel()
	var repaired atomic.Bool
	slipwaytest.Run(t, jobs, work(t, &repaired), func(t *testing.T, k *slipwaytest.Kit) {
		send := func(id, key, job string) {
			k.Send("jobs.v1", []byte(job), slipwaytest.ID(id), slipwaytest.Key(key))
		}
		send("e-1", "a", "sleep")
		send("e-2", "b", "done")
		send("e-3", "c", "refuse")
		send("e-4", "d", "ignore")
		send("e-5", "bad", "break")
		send("e-6", "bad", "done")
		k.Advance(2 * time.Second)
		for id, want := range map[string]slipwaytest.Outcome{
			"e-1": slipwaytest.Open, "e-2": slipwaytest.Handled, "e-3": slipwaytest.DeadLettered, "e-4": slipwaytest.Skipped,
			"e-5": slipwaytest.Waiting, "e-6": slipwaytest.Waiting,
		} {
			k.RequireOutcome("worker", "jobs.v1", id, want)
		}
		k.RequireOutcome("worker", "jobs.v1", "e-1", slipwaytest.Handled)
		k.RequireOutcome("worker", "jobs.v1", "e-5", slipwaytest.Parked)
		k.RequireOutcome("worker", "jobs.v1", "e-6", slipwaytest.Waiting)
		if got := k.Lag("worker"); got != 0 {
			t.Errorf("lag = %d while a key is parked, want 0: what waits is in the retry topic", got)
		}
		repaired.Store(true)
		k.Release("worker", "jobs.v1", "bad")
		k.RequireOutcome("worker", "jobs.v1", "e-5", slipwaytest.Handled)
		k.RequireOutcome("worker", "jobs.v1", "e-6", slipwaytest.Handled)
	})
}

func TestAParkedKeyGoesOnWithoutTheRecordThatIsSkipped(t *testing.T) {
	t.Parallel()
	slipwaytest.Run(t, jobs, work(t, new(atomic.Bool)), func(t *testing.T, k *slipwaytest.Kit) {
		k.Send("jobs.v1", []byte("break"), slipwaytest.ID("e-1"))
		k.Send("jobs.v1", []byte("done"), slipwaytest.ID("e-2"))
		k.RequireOutcome("worker", "jobs.v1", "e-1", slipwaytest.Parked)
		k.Skip("worker", "jobs.v1", "test")
		k.RequireOutcome("worker", "jobs.v1", "e-1", slipwaytest.Skipped)
		k.RequireOutcome("worker", "jobs.v1", "e-2", slipwaytest.Handled)
	})
}

func TestAKeyParkedByHandWaitsUntilLetGo(t *testing.T) {
	t.Parallel()
	slipwaytest.Run(t, jobs, work(t, new(atomic.Bool)), func(t *testing.T, k *slipwaytest.Kit) {
		k.ParkKey("worker", "jobs.v1", "o-1")
		k.Advance(time.Second)
		k.Send("jobs.v1", []byte("done"), slipwaytest.ID("e-1"), slipwaytest.Key("o-1"))
		k.RequireOutcome("worker", "jobs.v1", "e-1", slipwaytest.Waiting)
		k.LetGo("worker", "jobs.v1", "o-1")
		k.RequireOutcome("worker", "jobs.v1", "e-1", slipwaytest.Handled)
	})
}

func TestARedriveSendsEveryDeadLetterOnce(t *testing.T) {
	t.Parallel()
	slipwaytest.Run(t, jobs, work(t, new(atomic.Bool)), func(t *testing.T, k *slipwaytest.Kit) {
		k.Send("jobs.v1", []byte("refuse"), slipwaytest.ID("e-1"))
		k.RequireDeadLettered("worker", "jobs.v1", 1)
		if got := k.Redrive("worker", "jobs.v1"); got != 1 {
			t.Errorf("redrive sent %d letters, want 1", got)
		}
		k.RequireDeadLettered("worker", "jobs.v1", 2)
		k.RequireOutcome("worker", "jobs.v1", "e-1", slipwaytest.DeadLettered)
	})
}

func TestAKilledInstanceLeavesItsPlaceWhenItsSessionIsOver(t *testing.T) {
	t.Parallel()
	slipwaytest.Run(t, jobs, work(t, new(atomic.Bool)), func(t *testing.T, k *slipwaytest.Kit) {
		k.Send("jobs.v1", []byte("sleep"), slipwaytest.ID("e-1"))
		k.Advance(time.Second)
		began := time.Now()
		k.Kill("worker")
		k.Start("worker")
		if took := time.Since(began); took < 5*time.Second {
			t.Errorf("the next instance owned the partitions after %v, want what is left of the session", took)
		}
		k.RequireOutcome("worker", "jobs.v1", "e-1", slipwaytest.Handled)
	})
}

func TestAnIsolatedInstanceComesBack(t *testing.T) {
	t.Parallel()
	slipwaytest.Run(t, jobs, work(t, new(atomic.Bool)), func(t *testing.T, k *slipwaytest.Kit) {
		heal := k.Isolate("worker")
		k.Send("jobs.v1", []byte("done"), slipwaytest.ID("e-1"))
		k.Advance(30 * time.Second)
		k.RequireOutcome("worker", "jobs.v1", "e-1", slipwaytest.Open)
		heal()
		k.RequireOutcome("worker", "jobs.v1", "e-1", slipwaytest.Handled)
	})
}

func TestABrokerThatIsCutIsMissedUntilItIsBack(t *testing.T) {
	t.Parallel()
	slipwaytest.Run(t, jobs, work(t, new(atomic.Bool)), func(t *testing.T, k *slipwaytest.Kit) {
		mend := k.CutBroker(int(k.Kafka().LeaderFor("jobs.v1", 0)))
		k.Send("jobs.v1", []byte("done"), slipwaytest.ID("e-1"), slipwaytest.Partition(0))
		k.Advance(30 * time.Second)
		k.RequireOutcome("worker", "jobs.v1", "e-1", slipwaytest.Open)
		mend()
		k.RequireOutcome("worker", "jobs.v1", "e-1", slipwaytest.Handled)
	})
}

func TestRequestsFailAsOftenAsTold(t *testing.T) {
	t.Parallel()
	slipwaytest.Run(t, jobs, work(t, new(atomic.Bool)), func(t *testing.T, k *slipwaytest.Kit) {
		fault := k.FailRequests(kmsg.Produce, kerr.TopicAuthorizationFailed, 3, k.DeadLetterTopic("worker", "jobs.v1"))
		k.Send("jobs.v1", []byte("refuse"), slipwaytest.ID("e-1"))
		k.RequireOutcome("worker", "jobs.v1", "e-1", slipwaytest.DeadLettered)
		if got := fault.Hits(); got != 3 {
			t.Errorf("%d requests were refused, want 3", got)
		}
		if !strings.Contains(k.Log(), "TOPIC_AUTHORIZATION_FAILED") {
			t.Error("the log does not tell of the refusals")
		}
	})
}
