package kafka_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/auth"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/secret"
)

const theLock = "slipway-apply-test"

// hasty lets a session be short enough for a test to wait for its end.
func hasty() kfake.Opt { return kfake.GroupMinSessionTimeout(100 * time.Millisecond) }

func named(t testing.TB, cfg kafka.Config, client string) *kafka.Cluster {
	t.Helper()
	cfg.ClientID = client
	return connect(t, cfg)
}

func TestALockKeepsOthersOutAndNamesWhoHasIt(t *testing.T) {
	t.Parallel()
	_, cfg := serve(t)
	ann, bob := named(t, cfg, "ann"), named(t, cfg, "bob")
	for range 3 {
		held, release, err := ann.Lock(t.Context(), theLock, 30*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := bob.Lock(t.Context(), theLock, 30*time.Second); !errors.Is(err, diag.PlanLocked) || !strings.Contains(err.Error(), "client ann at ") {
			t.Errorf("Lock() = %v while ann has it, want %s and her name", err, diag.PlanLocked)
		}
		if err := held.Err(); err != nil {
			t.Errorf("the lock was lost: %v", context.Cause(held))
		}
		release()
		if held.Err() == nil {
			t.Error("the lock is held after its release")
		}
	}
}

func TestOfManyThatRaceOneHasTheLock(t *testing.T) {
	t.Parallel()
	_, cfg := serve(t)
	const racers = 6
	var clients [racers]*kafka.Cluster
	for i := range clients {
		clients[i] = connect(t, cfg)
	}
	for range 3 {
		var holders, won, refused atomic.Int32
		others := make(chan struct{}, racers)
		var wg sync.WaitGroup
		for _, c := range clients {
			wg.Go(func() {
				held, release, err := c.Lock(t.Context(), theLock, 30*time.Second)
				if err != nil {
					refused.Add(1)
					others <- struct{}{}
					if !errors.Is(err, diag.PlanLocked) {
						t.Error(err)
					}
					return
				}
				won.Add(1)
				if n := holders.Add(1); n != 1 {
					t.Errorf("%d hold the lock", n)
				}
				for range racers - 1 { // until all others are through
					select {
					case <-others:
					case <-held.Done():
						t.Errorf("the lock was lost to a race: %v", context.Cause(held))
					}
				}
				holders.Add(-1)
				release()
			})
		}
		wg.Wait()
		if won.Load() != 1 || refused.Load() != racers-1 {
			t.Errorf("%d of %d have the lock and %d are refused", won.Load(), racers, refused.Load())
		}
	}
}

func TestALockThatIsLostEndsTheWork(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]kfake.Fault{
		"given to somebody else":    {Keys: []kmsg.Key{kmsg.Heartbeat}, Err: kerr.UnknownMemberID, Count: -1},
		"of another generation":     {Keys: []kmsg.Key{kmsg.Heartbeat}, Err: kerr.IllegalGeneration, Count: -1},
		"the right to it is gone":   {Keys: []kmsg.Key{kmsg.Heartbeat}, Err: kerr.GroupAuthorizationFailed, Count: -1},
		"the cluster is not there":  {Keys: []kmsg.Key{kmsg.Heartbeat}, Err: kerr.CoordinatorNotAvailable, Count: -1},
		"the cluster cannot answer": {Keys: []kmsg.Key{kmsg.Heartbeat}, Err: kerr.UnknownServerError, Count: -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake, cfg := serve(t, hasty())
			const session = time.Second
			held, release, err := connect(t, cfg).Lock(t.Context(), theLock, session)
			if err != nil {
				t.Fatal(err)
			}
			defer release()
			fake.Fault(fault)
			begun := time.Now()
			<-held.Done()
			if cause := context.Cause(held); !errors.Is(cause, diag.PlanLockLost) {
				t.Errorf("the work ended with %v, want %s", cause, diag.PlanLockLost)
			}
			if took := time.Since(begun); took > session+session/2 {
				t.Errorf("it took %v to notice, and after %v the lock may be somebody else's", took, session)
			}
		})
	}
}

func TestALockOutlivesABadAnswer(t *testing.T) {
	t.Parallel()
	fake, cfg := serve(t, hasty())
	c := connect(t, cfg)
	const session = 3 * time.Second
	held, release, err := c.Lock(t.Context(), theLock, session)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	fault := fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Err: kerr.UnknownServerError, Count: 2})
	after := fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Observe: true, Count: -1})
	for fault.Hits() < 2 || after.Hits() < 4 {
		select {
		case <-held.Done():
			t.Fatalf("the lock was lost: %v", context.Cause(held))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// A cluster that has never had a group needs seconds for its first one.
func TestALockWaitsForTheFirstCoordinatorOfACluster(t *testing.T) {
	t.Parallel()
	fake, cfg := serve(t)
	c := connect(t, cfg)
	fake.Fault(
		kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeGroups}, Err: kerr.CoordinatorNotAvailable, Count: 3},
		kfake.Fault{Keys: []kmsg.Key{kmsg.JoinGroup}, Err: kerr.CoordinatorLoadInProgress, Count: 3},
	)
	_, release, err := c.Lock(t.Context(), theLock, 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	release()
}

func TestTheLockOfADeadProcessEndsByItself(t *testing.T) {
	t.Parallel()
	_, cfg := serve(t, hasty())
	dead := named(t, cfg, "dead")
	const session = time.Second
	ctx, kill := context.WithCancel(t.Context())
	if _, _, err := dead.Lock(ctx, theLock, session); err != nil {
		t.Fatal(err)
	}
	kill() // no release: nobody says goodbye
	c := connect(t, cfg)
	if _, _, err := c.Lock(t.Context(), theLock, session); !errors.Is(err, diag.PlanLocked) {
		t.Errorf("Lock() = %v just after, want %s", err, diag.PlanLocked)
	}
	for begun := time.Now(); ; <-time.After(20 * time.Millisecond) {
		_, release, err := c.Lock(t.Context(), theLock, session)
		if err == nil {
			release()
			return
		}
		if time.Since(begun) > 5*session {
			t.Fatalf("the lock did not end: %v", err)
		}
	}
}

func TestALockTakesTheRightToRead(t *testing.T) {
	t.Parallel()
	_, cfg := serve(t)
	admin := connect(t, cfg)
	requireDone(t, admin.SetPasswords(t.Context(), []kafka.Login{{
		Credential: kafka.Credential{User: "weak", Mechanism: contract.SCRAMSHA512, Iterations: 4096}, Password: secret.New("weak"),
	}}), 1)
	weak := cfg
	weak.User, weak.Password = "weak", auth.Static(secret.New("weak"))
	if _, _, err := connect(t, weak).Lock(t.Context(), theLock, 30*time.Second); !errors.Is(err, diag.KafkaDenied) {
		t.Errorf("Lock() = %v, want %s", err, diag.KafkaDenied)
	}
}
