package slipway_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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

// A transaction is open while it is written and not while handlers run, so a
// slow handler neither breaks one nor holds up readers of the others.
func TestASlowHandlerHoldsUpNobodysTransaction(t *testing.T) {
	t.Parallel()
	slow := func(ctx context.Context, m *slipway.Message[order], out *slipway.Producer[order]) error {
		if err := forward(ctx, m, out); err != nil {
			return err
		}
		if m.Value.Amount == 3 {
			select { // three times a transaction's timeout
			case <-time.After(time.Minute):
			case <-ctx.Done():
			}
		}
		return nil
	}
	files := exactFiles("")
	files["slipway.yaml"].Data = []byte(strings.ReplaceAll(string(files["slipway.yaml"].Data), "timeout: 10s", "timeout: 2m"))
	slipwaytest.Run(t, files, ship(slow), func(t *testing.T, k *slipwaytest.Kit) {
		orderMany(k, 0, 60)
		k.Advance(10 * time.Second)
		if n := len(k.Records(shipments)); n != 57 { // but for the three orders of one key
			t.Errorf("%d shipments are seen while a handler is slow, want 57", n)
		}
		requireExactly(t, k, 60)
	})
}

// A transaction that is not ended in time is ended by the cluster; what it held
// is written again, and told by name.
func TestATransactionThatTimesOutIsWrittenAgain(t *testing.T) {
	t.Parallel()
	slipwaytest.Run(t, exactFiles(""), ship(forward), func(t *testing.T, k *slipwaytest.Kit) {
		var held atomic.Int64
		until := time.Now().Add(time.Minute)
		k.Kafka().ControlKey(int16(kmsg.EndTxn), func(kmsg.Request) (kmsg.Response, error, bool) {
			k.Kafka().KeepControl()
			if time.Now().Before(until) {
				held.Add(1)
				k.Kafka().SleepControl(func() { <-time.After(time.Until(until)) })
			}
			return nil, nil, false
		})
		orderMany(k, 0, 100)
		k.Advance(50 * time.Second)
		if n := len(k.Records(shipments)); n != 0 {
			t.Errorf("%d shipments of a transaction that was not committed are seen", n)
		}
		if h := k.Health("shipper"); !slices.ContainsFunc(h.Checks, func(c slipway.Check) bool {
			return c.Name == "transactions of group svc-shipper-dev" && c.Status != slipway.CheckOK
		}) {
			t.Errorf("health = %+v, want it to name the transactions", h)
		}
		requireExactly(t, k, 100)
		if held.Load() == 0 {
			t.Error("no transaction was held up")
		}
		if log := k.Log(); !strings.Contains(log, string(diag.TransactionFailed)) || !strings.Contains(log, "transactional_id=svc-shipper-dev.0") {
			t.Errorf("the log does not tell of the transaction:\n%s", log)
		}
		if err := k.Ready("shipper"); err != nil {
			t.Errorf("Ready() = %v when all is well again", err)
		}
	})
}

// The end of a transaction that arrives when the next ones are under way must
// not end one of those.
func TestALateEndOfATransactionEndsNoOther(t *testing.T) {
	t.Parallel()
	slipwaytest.Run(t, exactFiles(""), ship(forward), func(t *testing.T, k *slipwaytest.Kit) {
		var held atomic.Int64
		k.Kafka().ControlKey(int16(kmsg.EndTxn), func(req kmsg.Request) (kmsg.Response, error, bool) {
			k.Kafka().KeepControl()
			if transactionOf(req) == "svc-shipper-dev.0" && held.Add(1) == 1 {
				k.Kafka().SleepControl(func() { <-time.After(12 * time.Second) })
			}
			return nil, nil, false
		})
		for round := range 20 { // the client asks again after 10 seconds, so others follow
			orderMany(k, 20*round, 20)
			k.Advance(time.Second)
		}
		requireExactly(t, k, 400)
		if n := held.Load(); n < 5 {
			t.Errorf("%d transactions were ended, want the late one among others", n)
		}
	})
}

// Two processes with one instance name take the transactional id from each
// other. That is told, and repeats nothing.
func TestATransactionalIDThatIsTakenIsTold(t *testing.T) {
	t.Parallel()
	slipwaytest.Run(t, exactFiles(""), ship(forward), func(t *testing.T, k *slipwaytest.Kit) {
		fenced := k.FailRequests(kmsg.EndTxn, kerr.ProducerFenced, 2)
		unknown := k.FailRequests(kmsg.TxnOffsetCommit, kerr.UnknownProducerID, 2)
		orderMany(k, 0, 100)
		requireExactly(t, k, 100)
		if fenced.Hits() != 2 || unknown.Hits() != 2 {
			t.Errorf("%d and %d faults, want 2 and 2", fenced.Hits(), unknown.Hits())
		}
		if !strings.Contains(k.Log(), string(diag.TransactionFenced)) {
			t.Errorf("the log has no %s:\n%s", diag.TransactionFenced, k.Log())
		}
	})
}

// What a topic refuses holds up the partition it came from, until it is taken.
func TestEffectsThatATopicRefusesWait(t *testing.T) {
	t.Parallel()
	for name, topic := range map[string]string{"an effect": shipments, "a dead letter": "svc-shipper-dev." + orders + ".dlq"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var tries sync.Map
			slipwaytest.Run(t, exactFiles(""), ship(flaky(&tries)), func(t *testing.T, k *slipwaytest.Kit) {
				denied := k.FailRequests(kmsg.Produce, kerr.TopicAuthorizationFailed, 3, topic)
				orderMany(k, 0, 100)
				requireExactly(t, k, 100)
				if denied.Hits() != 3 || !strings.Contains(k.Log(), string(diag.TransactionRefused)) {
					t.Errorf("%d refusals, want 3 that are told as %s", denied.Hits(), diag.TransactionRefused)
				}
			})
		})
	}
}

// An effect that no topic takes is the end of the record that caused it, and
// of no other.
func TestAnEffectThatIsTooLargeDeadLettersItsRecord(t *testing.T) {
	t.Parallel()
	var tries sync.Map
	slipwaytest.Run(t, exactFiles(""), ship(flaky(&tries)), func(t *testing.T, k *slipwaytest.Kit) {
		large := k.Kafka().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: shipments, Err: kerr.MessageTooLarge, Count: 2})
		orderMany(k, 1, 1)
		k.RequireDeadLettered("shipper", orders, 1)
		if large.Hits() != 2 {
			t.Errorf("it was tried %d times, want twice: with others and alone", large.Hits())
		}
		if reason, _ := record.Get(k.Records(k.DeadLetterTopic("shipper", orders))[0].Headers, record.Reason); reason != record.Rejected {
			t.Errorf("reason = %q, want %q", reason, record.Rejected)
		}
	})
}

// An operator who sets offsets while a transaction is in doubt leaves nobody
// able to tell what became of it.
func TestOffsetsMovedByOthersStopThePartition(t *testing.T) {
	t.Parallel()
	slipwaytest.Run(t, exactFiles(""), ship(forward), func(t *testing.T, k *slipwaytest.Kit) {
		lost := k.LoseAnswers(kmsg.EndTxn, 1)
		var once atomic.Bool
		k.Kafka().ControlKey(int16(kmsg.OffsetFetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
			k.Kafka().KeepControl()
			if lost() == 0 || !once.CompareAndSwap(false, true) {
				return nil, nil, false
			}
			return movedOffsets(req.(*kmsg.OffsetFetchRequest)), nil, true
		})
		orderMany(k, 0, 20)
		k.Advance(10 * time.Second)
		if err := k.Ready("shipper"); err == nil || !strings.Contains(err.Error(), string(diag.TransactionOverruled)) {
			t.Errorf("Ready() = %v, want %s", err, diag.TransactionOverruled)
		}
	})
}

// movedOffsets says that every partition stands at offset 1,000.
func movedOffsets(req *kmsg.OffsetFetchRequest) *kmsg.OffsetFetchResponse {
	resp := req.ResponseKind().(*kmsg.OffsetFetchResponse)
	resp.SetVersion(req.GetVersion())
	for _, g := range req.Groups {
		group := kmsg.NewOffsetFetchResponseGroup()
		group.Group = g.Group
		for _, t := range g.Topics {
			topic := kmsg.NewOffsetFetchResponseGroupTopic()
			topic.Topic, topic.TopicID = t.Topic, t.TopicID
			for _, id := range t.Partitions {
				p := kmsg.NewOffsetFetchResponseGroupTopicPartition()
				p.Partition, p.Offset = id, 1000
				topic.Partitions = append(topic.Partitions, p)
			}
			group.Topics = append(group.Topics, topic)
		}
		resp.Groups = append(resp.Groups, group)
	}
	return resp
}
