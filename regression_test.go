package slipway_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/avro"
	"github.com/slipway-go/slipway/slipwaytest"
)

// with is the shipper's files with one more line of policy.
func with(line string) fstest.MapFS {
	return edited("    order: key\n", "    order: key\n    "+line+"\n")
}

func TestAPartitionGivenUpDuringADrainIsNotHandledTwice(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	running, handled := map[string]int{}, map[string]int{}
	slow := func(_ context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
		mu.Lock()
		if running[m.Value.OrderID]++; running[m.Value.OrderID] > 1 {
			t.Errorf("%s is handled by two instances at once", m.Value.OrderID)
		}
		mu.Unlock()
		<-time.After(8 * time.Second)
		mu.Lock()
		defer mu.Unlock()
		running[m.Value.OrderID]--
		handled[m.Value.OrderID]++
		return nil
	}
	slipwaytest.Run(t, files("dead-letter"), ship(slow), func(t *testing.T, k *slipwaytest.Kit) {
		for p := range int32(3) {
			k.Send(orders, order{fmt.Sprint("o-", p), 1}, slipwaytest.Partition(p))
		}
		k.Advance(time.Second)
		k.Signal("shipper") // a rolling restart: the next one joins while this one drains
		k.Start("shipper")
		k.Advance(time.Minute)
		mu.Lock()
		defer mu.Unlock()
		for id, n := range handled {
			if n != 1 {
				t.Errorf("%s was handled %d times, want once", id, n)
			}
		}
		if len(handled) != 3 {
			t.Errorf("%d records were handled, want 3", len(handled))
		}
	})
}

func TestADeletedOffsetStopsThePartitionAndIsNotAskedForWithoutEnd(t *testing.T) {
	t.Parallel()
	var seen calls
	note := func(_ context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
		seen.add(m)
		return nil
	}
	slipwaytest.Run(t, with("gap: stop"), ship(note), func(t *testing.T, k *slipwaytest.Kit) {
		send := func(from, to int) {
			for n := from; n < to; n++ {
				k.Send(orders, order{"o", int64(n)}, slipwaytest.Partition(0))
			}
		}
		send(0, 5)
		k.Advance(5 * time.Second)
		k.Stop("shipper")
		send(5, 10)
		if err := k.Kafka().DeleteRecords(orders, 0, 8); err != nil {
			t.Fatal(err)
		}
		fetches := k.Kafka().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Observe: true, Count: -1})
		k.Start("shipper")
		k.Advance(30 * time.Second)
		if n := fetches.Hits(); n > 1_000 {
			t.Errorf("%d fetches in 30 seconds, want no loop", n)
		}
		if err := k.Ready("shipper"); err == nil {
			t.Error("Ready() = nil while a partition stands still")
		}
		if got := amounts(seen.all(), "o"); len(got) != 5 {
			t.Errorf("handled %v, want nothing beyond the gap", got)
		}
		requireLogged(t, k, diag.RuntimePartitionStopped)
	})
}

func TestADeniedTopicIsToldNotRetriedHotAndComesBack(t *testing.T) {
	t.Parallel()
	slipwaytest.Run(t, files("dead-letter"), ship(forward), func(t *testing.T, k *slipwaytest.Kit) {
		denied := k.Kafka().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: orders, Err: kerr.TopicAuthorizationFailed, Count: -1})
		k.Advance(time.Minute)
		if n := denied.Hits(); n == 0 || n > 300 {
			t.Errorf("%d denied fetches in a minute, want some and no loop", n)
		}
		if err := k.Ready("shipper"); err == nil {
			t.Error("Ready() = nil while the topic is denied")
		}
		if !strings.Contains(k.Log(), string(diag.RuntimeNotAuthorized)) {
			t.Errorf("nobody logged %s", diag.RuntimeNotAuthorized)
		}
		denied.Remove()
		began := time.Now()
		k.Send(orders, order{"o-1", 5})
		k.Advance(10 * time.Second)
		if n := k.Lag("shipper"); n != 0 {
			t.Errorf("lag = %d %v after the right came back, want 0", n, time.Since(began))
		}
	})
}

func TestAShutdownWithoutCoordinatorKeepsItsBudget(t *testing.T) {
	t.Parallel()
	slipwaytest.Run(t, files("dead-letter"), ship(forward), func(t *testing.T, k *slipwaytest.Kit) {
		k.Kafka().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.LeaveGroup, kmsg.FindCoordinator}, Err: kerr.CoordinatorNotAvailable, Count: -1})
		began := time.Now()
		k.Stop("shipper")
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("an idle service took %v to stop while the coordinator is away", took)
		}
	})
}

func TestTheConsumerProtocolIsTheOneOfKIP848(t *testing.T) {
	t.Parallel()
	slipwaytest.Run(t, with("protocol: consumer"), ship(forward), func(t *testing.T, k *slipwaytest.Kit) {
		beats := k.Kafka().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.ConsumerGroupHeartbeat}, Observe: true, Count: -1})
		k.Send(orders, order{"o-1", 1})
		k.RequireProduced(shipments, 1)
		k.Advance(30 * time.Second)
		if beats.Hits() == 0 {
			t.Error("no heartbeat of the new protocol was seen")
		}
	})
}

func TestSendEndsWithItsContextThoughTheClusterNeverAnswers(t *testing.T) {
	t.Parallel()
	var took atomic.Int64
	send := func(ctx context.Context, m *slipway.Message[order], out *slipway.Producer[order]) error {
		began := time.Now()
		_, err := out.Send(ctx, &m.Value)
		took.Store(int64(time.Since(began)))
		return err
	}
	slipwaytest.Run(t, files("dead-letter"), ship(send), func(t *testing.T, k *slipwaytest.Kit) {
		var away atomic.Bool
		away.Store(true)
		k.Kafka().ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
			k.Kafka().KeepControl()
			for _, topic := range r.(*kmsg.ProduceRequest).Topics {
				if away.Load() && (topic.Topic == shipments || topic.TopicID == k.Kafka().TopicInfo(shipments).TopicID) {
					return nil, errors.New("cut"), true
				}
			}
			return nil, nil, false
		})
		k.Send(orders, order{"o-1", 5})
		k.Advance(15 * time.Second)
		if d := time.Duration(took.Load()); d == 0 || d > 11*time.Second {
			t.Errorf("Send took %v under a timeout of 10s", d)
		}
		away.Store(false)
	})
}

func TestAnUnreadableRegistryCredentialCostsNoRecord(t *testing.T) {
	t.Parallel()
	slipwaytest.Run(t, files("dead-letter"), ship(forward), func(t *testing.T, k *slipwaytest.Kit) {
		restore := k.HideFile("registry.auth")
		k.Send(orders, order{"o-1", 5})
		k.Advance(10 * time.Second)
		k.RequireDeadLettered("shipper", orders, 0)
		restore()
		k.RequireProduced(shipments, 1)
	})
}

func TestHealthIsGreenAgainWhenThePartitionIsSomebodyElses(t *testing.T) {
	t.Parallel()
	reject := func(context.Context, *slipway.Message[order], *slipway.Producer[order]) error {
		return slipway.Reject(errors.New("no such article"))
	}
	slipwaytest.Run(t, files("dead-letter"), ship(reject), func(t *testing.T, k *slipwaytest.Kit) {
		refused := k.Kafka().Fault(kfake.Fault{
			Keys: []kmsg.Key{kmsg.Produce}, Topic: k.DeadLetterTopic("shipper", orders), Err: kerr.TopicAuthorizationFailed, Count: -1,
		})
		for p := range int32(3) {
			k.Send(orders, order{fmt.Sprint("o-", p), 5}, slipwaytest.Partition(p))
		}
		k.Advance(5 * time.Second)
		k.Start("shipper")
		k.Advance(10 * time.Second)
		refused.Remove()
		k.Advance(5 * time.Minute)
		if err := k.Ready("shipper"); err != nil || k.Lag("shipper") != 0 {
			t.Errorf("Ready() = %v and lag %d after all dead letters were written, want nil and 0", err, k.Lag("shipper"))
		}
	})
}

func TestATaskThatEndsWellDoesNotEndTheService(t *testing.T) {
	t.Parallel()
	wire := func(app *slipway.App) error {
		app.Go("warm up", func(context.Context) error { return nil })
		return ship(forward)(app)
	}
	slipwaytest.Run(t, files("dead-letter"), wire, func(t *testing.T, k *slipwaytest.Kit) {
		k.Advance(time.Minute)
		k.Send(orders, order{"o-1", 5})
		k.RequireProduced(shipments, 1)
	})
}

func TestValuesThatNeedTheRegistryAreNotReadWithoutOne(t *testing.T) {
	t.Parallel()
	inCluster(t, func(t *testing.T, env slipway.Environment, dial dialer) {
		env.RegistryURL = ""
		app, err := slipway.New(slipway.Config{
			Files:       edited("identity: {auth: scram-sha-512}", "identity: {auth: scram-sha-512}\nadopt: {principal: admin}"),
			Environment: env, Dial: dial, Codecs: []schema.Codec{avro.Codec()},
		})
		if err != nil {
			t.Fatal(err)
		}
		handleOrders(app, orders)
		if err := app.Run(t.Context()); !errors.Is(err, diag.RuntimeVariableMissing) || !strings.Contains(err.Error(), "SCHEMA_REGISTRY_URL") {
			t.Errorf("Run() = %v, want SLP-RUN-001 naming SCHEMA_REGISTRY_URL", err)
		}
	})
}
