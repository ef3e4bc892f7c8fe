package slipway_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/record"
	"github.com/slipway-go/slipway/slipwaytest"
)

func TestUndecodableRecordsAreDeadLetteredAndThePartitionGoesOn(t *testing.T) {
	t.Parallel()
	slipwaytest.Run(t, files("dead-letter"), ship(forward), func(t *testing.T, k *slipwaytest.Kit) {
		for _, value := range [][]byte{[]byte("plain text"), {}, {0, 0, 0, 0, 99, 1}, {0, 0, 0, 0, 1}} {
			k.SendBytes(orders, []byte("k"), value, slipwaytest.Partition(0))
		}
		k.Send(orders, order{"o-1", 5}, slipwaytest.Partition(0))
		k.RequireProduced(shipments, 1)
		k.RequireDeadLettered("shipper", orders, 4)
		for _, dead := range k.Records(k.DeadLetterTopic("shipper", orders)) {
			if reason, _ := record.Get(dead.Headers, record.Reason); reason != "undecodable" {
				t.Errorf("reason = %q, want undecodable", reason)
			}
		}
		requireLogged(t, k, diag.RuntimeUndecodable)
	})
}

func TestARecordAsLargeAsItsTopicAllowsCanBeDeadLettered(t *testing.T) {
	t.Parallel()
	slipwaytest.Run(t, files("dead-letter"), ship(forward), func(t *testing.T, k *slipwaytest.Kit) {
		for range 3 {
			k.SendBytes(orders, []byte("k"), make([]byte, 990_000), slipwaytest.Header("pad", strings.Repeat("x", 5_000)))
		}
		k.RequireDeadLettered("shipper", orders, 3)
	})
}

func TestALongDelayIsKeptWhole(t *testing.T) {
	t.Parallel()
	var seen calls
	lunch := brief(2*time.Hour, 8*time.Minute)
	fail := func(_ context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
		seen.add(m)
		return slipway.RetryAfter(lunch, errors.New("closed for lunch"))
	}
	slipwaytest.Run(t, files("dead-letter"), ship(fail), func(t *testing.T, k *slipwaytest.Kit) {
		k.Send(orders, order{"o-1", 5})
		for range 9 { // in steps, so that the group's heartbeats keep up
			k.Advance(lunch / 8)
		}
		got := seen.all()
		if len(got) != 2 || got[1].at.Sub(got[0].at) < lunch {
			t.Errorf("calls = %v, want a second attempt %v after the first", got, lunch)
		}
	})
}

func TestAHandlerThatPanicsHasFailedAndLeavesItsStack(t *testing.T) {
	t.Parallel()
	explode := func(context.Context, *slipway.Message[order], *slipway.Producer[order]) error { panic("boom") }
	slipwaytest.Run(t, files("dead-letter"), ship(explode), func(t *testing.T, k *slipwaytest.Kit) {
		k.Send(orders, order{"o-1", 5})
		k.RequireDeadLettered("shipper", orders, 1)
		dead := k.Records(k.DeadLetterTopic("shipper", orders))[0]
		message, _ := record.Get(dead.Headers, record.ErrorMessage)
		stack, _ := record.Get(dead.Headers, record.Stack)
		if message != "handler panicked: boom" || !strings.Contains(stack, "failure_test.go") || len(stack) > record.MaxStack {
			t.Errorf("message %q and a stack of %d bytes, want the panic's value and its place", message, len(stack))
		}
		if n := strings.Count(k.Log(), "failure_test.go"); n == 0 {
			t.Error("the log does not show where the handler panicked")
		}
	})
}

func TestATimeoutIsAFailedAttemptAndSaysSo(t *testing.T) {
	t.Parallel()
	var causes calls
	hang := func(ctx context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
		<-ctx.Done()
		if errors.Is(context.Cause(ctx), slipway.ErrTimeout) {
			causes.add(m)
		}
		return ctx.Err()
	}
	slipwaytest.Run(t, files("dead-letter"), ship(hang), func(t *testing.T, k *slipwaytest.Kit) {
		k.Send(orders, order{"o-1", 5})
		k.RequireDeadLettered("shipper", orders, 1)
		if n := len(causes.all()); n != 3 {
			t.Errorf("%d attempts ended with ErrTimeout, want 3", n)
		}
	})
}

func TestADeadLetterThatCannotBeWrittenKeepsItsRecordOpenAndHealthRed(t *testing.T) {
	t.Parallel()
	reject := func(context.Context, *slipway.Message[order], *slipway.Producer[order]) error {
		return slipway.Reject(errors.New("no such article"))
	}
	slipwaytest.Run(t, files("dead-letter"), ship(reject), func(t *testing.T, k *slipwaytest.Kit) {
		dead := k.DeadLetterTopic("shipper", orders)
		k.Kafka().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: dead, Err: kerr.TopicAuthorizationFailed, Count: 3})
		k.Send(orders, order{"o-1", 5})
		k.Advance(2 * time.Second)
		if err := k.Ready("shipper"); err == nil || !strings.Contains(err.Error(), dead) {
			t.Errorf("Ready() = %v while dead letters are refused, want what is wrong", err)
		}
		if lag := k.Lag("shipper"); lag != 1 {
			t.Errorf("lag = %d while the dead letter is refused, want 1", lag)
		}
		k.RequireDeadLettered("shipper", orders, 1)
		if err := k.Ready("shipper"); err != nil {
			t.Errorf("Ready() = %v after the dead letter was written, want nil", err)
		}
		requireLogged(t, k, diag.RuntimeDeadLetterFailed)
	})
}

func TestWhileTheRegistryIsAwayRecordsWaitAndNoneIsDeadLettered(t *testing.T) {
	t.Parallel()
	slipwaytest.Run(t, files("dead-letter"), ship(forward), func(t *testing.T, k *slipwaytest.Kit) {
		k.Advance(time.Second) // it is ready
		k.CutRegistry(true)
		k.Send(orders, order{"o-1", 5}) // the reader has not asked for its schema id yet
		k.Advance(5 * time.Minute)
		k.RequireDeadLettered("shipper", orders, 0)
		if lag := k.Lag("shipper"); lag != 1 {
			t.Errorf("lag = %d while the registry is away, want 1", lag)
		}
		if h := k.Health("shipper"); !h.Ready || h.Status() != "degraded" || !slices.ContainsFunc(h.Checks, func(c slipway.Check) bool { return c.Name == "schema registry" && c.Status == slipway.CheckWarn }) {
			t.Errorf("health = %+v while the registry is away, want degraded: no other instance fares better", h)
		}
		k.CutRegistry(false)
		k.RequireProduced(shipments, 1)
		if err := k.Ready("shipper"); err != nil {
			t.Errorf("Ready() = %v after the registry came back, want nil", err)
		}
		k.CutRegistry(true)
		k.Send(orders, order{"o-2", 5}) // its schema id is known for good
		k.RequireProduced(shipments, 2)
		requireLogged(t, k, diag.RuntimeRegistryDown)
	})
}

func TestThenStopHaltsThePartitionAndSaysSo(t *testing.T) {
	t.Parallel()
	var seen calls
	fail := func(_ context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
		seen.add(m)
		if m.Value.OrderID == "bad" {
			return errors.New("books do not balance")
		}
		return nil
	}
	slipwaytest.Run(t, files("stop"), ship(fail), func(t *testing.T, k *slipwaytest.Kit) {
		k.Send(orders, order{"bad", 0}, slipwaytest.Partition(0))
		k.Advance(time.Minute)
		k.Send(orders, order{"good", 0}, slipwaytest.Partition(0))
		k.Send(orders, order{"other", 0}, slipwaytest.Partition(1))
		k.Advance(time.Minute)
		if err := k.Ready("shipper"); err == nil || !strings.Contains(err.Error(), "stopped at offset 0") {
			t.Errorf("Ready() = %v, want where it stopped", err)
		}
		if got := seen.all(); len(got) != 4 || got[3].order != "other" {
			t.Errorf("calls = %v, want three attempts of bad and one of the other partition", got)
		}
		if lag := k.Lag("shipper"); lag != 1 { // the stopped one waits in the retry topic
			t.Errorf("lag = %d, want the record behind the stopped one", lag)
		}
		requireLogged(t, k, diag.RuntimePartitionStopped)
	})
}
