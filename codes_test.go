package slipway_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/slipwaytest"
)

func TestAPartitionThatCannotBeOpenedIsToldAndOpensLater(t *testing.T) {
	t.Parallel()
	slipwaytest.Run(t, files("dead-letter"), ship(forward), func(t *testing.T, k *slipwaytest.Kit) {
		k.Send(orders, order{"o-1", 1})
		k.RequireProduced(shipments, 1)
		k.Stop("shipper")
		fault := k.FailRequests(kmsg.ListOffsets, kerr.TopicAuthorizationFailed, 1, orders)
		k.Start("shipper")
		k.Send(orders, order{"o-2", 1})
		k.RequireProduced(shipments, 2)
		if fault.Hits() == 0 {
			t.Error("the fault did not happen")
		}
		requireLogged(t, k, diag.RuntimeOpenFailed)
	})
}

func TestARecordThatTheRetryTopicRefusesStaysOpenUntilItIsTaken(t *testing.T) {
	t.Parallel()
	fail := func(_ context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
		if m.Attempt < 3 {
			return errors.New("not yet")
		}
		return nil
	}
	slipwaytest.Run(t, files("dead-letter"), ship(fail), func(t *testing.T, k *slipwaytest.Kit) {
		fault := k.FailRequests(kmsg.Produce, kerr.MessageTooLarge, 2, retryTopic)
		k.Send(orders, order{"o-1", 1})
		k.Advance(2500 * time.Millisecond)
		if lag := k.Lag("shipper"); lag != 1 {
			t.Errorf("lag = %d while the retry topic refuses the record, want 1", lag)
		}
		k.Advance(time.Minute)
		if lag := k.Lag("shipper"); lag != 0 || fault.Hits() == 0 {
			t.Errorf("lag = %d after %d faults, want none after some", lag, fault.Hits())
		}
		requireLogged(t, k, diag.RuntimeRetryFailed)
		k.RequireDeadLettered("shipper", orders, 0)
	})
}

func TestAForeignRecordInTheRetryTopicBecomesEvidence(t *testing.T) {
	t.Parallel()
	slipwaytest.Run(t, files("dead-letter"), ship(forward), func(t *testing.T, k *slipwaytest.Kit) {
		k.SendBytes(retryTopic, []byte("k"), []byte("who wrote this"), slipwaytest.Partition(0))
		k.RequireDeadLettered("shipper", orders, 1)
		if letter := k.Records(k.DeadLetterTopic("shipper", orders))[0]; string(letter.Value) != "who wrote this" {
			t.Errorf("the evidence is %q, want the record's bytes", letter.Value)
		}
		requireLogged(t, k, diag.RuntimeRetryForeign)
		k.Send(orders, order{"o-1", 1})
		k.RequireProduced(shipments, 1)
	})
}
