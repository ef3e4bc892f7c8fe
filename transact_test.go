package slipway_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
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
	"github.com/slipway-go/slipway/internal/record"
	"github.com/slipway-go/slipway/slipwaytest"
)

// exact is the shipper with exactly-once shipments: EXTRA goes to the entry.
const exact = `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: shipper, owner: team-warehouse}
identity: {auth: scram-sha-512}
topics:
  shipments.created.v1:
    key: order_id
    partitions: 3
    schema: {format: avro, file: order.avsc}
produces:
  shipments.created.v1: {via: transaction}
consumes:
  orders.created.v1:
    schema: {format: avro, file: order.avsc}
    order: key
    concurrency: 8
    timeout: 10s
    retry: {delays: [1s, 2s], then: dead-letter}
EXTRA`

func exactFiles(extra string) fstest.MapFS {
	return fstest.MapFS{
		"slipway.yaml": {Data: []byte(strings.ReplaceAll(exact, "EXTRA", extra))},
		"order.avsc":   {Data: []byte(orderSchema)},
	}
}

// orderMany sends n orders over 20 keys and 3 partitions; the amount numbers
// them.
func orderMany(k *slipwaytest.Kit, from, n int) {
	for i := from; i < from+n; i++ {
		key := fmt.Sprint("o-", i%20)
		k.Send(orders, order{key, int64(i)}, slipwaytest.ID(fmt.Sprint("e-", i)), slipwaytest.Key(key), slipwaytest.Partition(int32(i%20%3)))
	}
}

// requireExactly fails unless committed readers see every one of n orders once,
// as a shipment or as a dead letter, and shipments of a key in order.
func requireExactly(t *testing.T, k *slipwaytest.Kit, n int) (shipped, dead int) {
	t.Helper()
	settle(k)
	seen := make(map[string]int)
	last := make(map[string]int64)
	for _, o := range slipwaytest.Values[order](k, shipments) {
		if at, ok := last[o.OrderID]; ok && o.Amount < at {
			t.Errorf("shipment %d of %s came after %d", o.Amount, o.OrderID, at)
		}
		last[o.OrderID] = o.Amount
		seen[fmt.Sprint("e-", o.Amount)]++
		shipped++
	}
	for _, r := range k.Records(k.DeadLetterTopic("shipper", orders)) {
		id, _ := record.Get(r.Headers, record.EventID)
		seen[id]++
		dead++
	}
	lost, twice := 0, 0
	for i := range n {
		switch c := seen[fmt.Sprint("e-", i)]; {
		case c == 0:
			lost++
		case c > 1:
			twice++
		}
	}
	if lost > 0 || twice > 0 || len(seen) != n {
		t.Fatalf("%d orders: %d lost, %d twice, %d seen", n, lost, twice, len(seen))
	}
	return shipped, dead
}

// settle waits until all orders have been committed, and a little.
func settle(k *slipwaytest.Kit) {
	for deadline := time.Now().Add(5 * time.Minute); k.Lag("shipper") > 0 && time.Now().Before(deadline); {
		k.Advance(time.Second)
	}
	k.Advance(5 * time.Second)
}

func TestARecordAndItsEffectAreCommittedTogether(t *testing.T) {
	t.Parallel()
	slipwaytest.Run(t, exactFiles(""), ship(forward), func(t *testing.T, k *slipwaytest.Kit) {
		orderMany(k, 0, 100)
		if shipped, dead := requireExactly(t, k, 100); shipped != 100 || dead != 0 {
			t.Errorf("%d shipped and %d dead-lettered, want 100 and 0", shipped, dead)
		}
		if lag := k.Lag("shipper"); lag != 0 {
			t.Errorf("lag = %d after all was handled, want 0", lag)
		}
	})
}

// flaky fails now and then after it has sent, and rejects every 50th order.
func flaky(tries *sync.Map) handle {
	return func(ctx context.Context, m *slipway.Message[order], out *slipway.Producer[order]) error {
		if err := forward(ctx, m, out); err != nil {
			return err
		}
		n, _ := tries.LoadOrStore(m.Value.Amount, new(int))
		*n.(*int)++ // one key is handled by one goroutine at a time
		switch {
		case m.Value.Amount%50 == 0:
			return slipway.Reject(errors.New("no such article"))
		case m.Value.Amount%7 == 0 && m.Attempt < 3:
			return errors.New("warehouse is closed")
		}
		return nil
	}
}

func TestAFailedAttemptSendsNothing(t *testing.T) {
	t.Parallel()
	var tries sync.Map
	slipwaytest.Run(t, exactFiles(""), ship(flaky(&tries)), func(t *testing.T, k *slipwaytest.Kit) {
		orderMany(k, 0, 300)
		if shipped, dead := requireExactly(t, k, 300); shipped != 294 || dead != 6 {
			t.Errorf("%d shipped and %d dead-lettered, want 294 and 6", shipped, dead)
		}
		if n, _ := tries.Load(int64(7)); *n.(*int) != 3 {
			t.Errorf("order 7 was tried %d times, want 3", *n.(*int))
		}
	})
}

func TestASkippedRecordSendsNothing(t *testing.T) {
	t.Parallel()
	skip := func(ctx context.Context, m *slipway.Message[order], out *slipway.Producer[order]) error {
		if err := forward(ctx, m, out); err != nil || m.Value.Amount != 7 {
			return err
		}
		return slipway.Skip(errors.New("not for us"))
	}
	slipwaytest.Run(t, exactFiles(""), ship(skip), func(t *testing.T, k *slipwaytest.Kit) {
		orderMany(k, 0, 20)
		k.RequireProduced(shipments, 19)
		if lag := k.Lag("shipper"); lag != 0 {
			t.Errorf("lag = %d after all was finished, want 0", lag)
		}
	})
}

// A broker that does the work and says that it timed out is how an
// acknowledgement gets lost; one that does nothing and says so looks the same.
func TestALostAnswerRepeatsNothing(t *testing.T) {
	t.Parallel()
	after := func(key kmsg.Key) func(*slipwaytest.Kit, int) func() int {
		return func(k *slipwaytest.Kit, times int) func() int { return k.LoseAnswers(key, times) }
	}
	before := func(key kmsg.Key) func(*slipwaytest.Kit, int) func() int {
		return func(k *slipwaytest.Kit, times int) func() int {
			fault := kfake.Fault{Keys: []kmsg.Key{key}, Err: kerr.RequestTimedOut, Count: times}
			if key == kmsg.Produce {
				fault.Topic = shipments
			}
			return k.Kafka().Fault(fault).Hits
		}
	}
	losses := map[string]func(*slipwaytest.Kit, int) func() int{
		"Produce": before(kmsg.Produce), "TxnOffsetCommit": before(kmsg.TxnOffsetCommit), // these are done all the same
		"EndTxn": before(kmsg.EndTxn), "EndTxn after": after(kmsg.EndTxn),
		"InitProducerID": before(kmsg.InitProducerID), "InitProducerID after": after(kmsg.InitProducerID),
		"Heartbeat": before(kmsg.Heartbeat), "JoinGroup": before(kmsg.JoinGroup), "OffsetFetch": before(kmsg.OffsetFetch),
	}
	for _, name := range brief(slices.Sorted(maps.Keys(losses)), []string{"EndTxn", "EndTxn after", "InitProducerID after", "JoinGroup", "Produce"}) {
		lose := losses[name]
		for _, times := range brief([]int{1, 3}, []int{1}) {
			t.Run(fmt.Sprintf("%s ×%d", name, times), func(t *testing.T) {
				t.Parallel()
				var tries sync.Map
				slipwaytest.Run(t, exactFiles(""), ship(flaky(&tries)), func(t *testing.T, k *slipwaytest.Kit) {
					lost := lose(k, times)
					orderMany(k, 0, 100)
					k.Start("shipper") // so that members join and fetch offsets as well
					orderMany(k, 100, 100)
					requireExactly(t, k, 200)
					if lost() != times {
						t.Errorf("%d answers were lost, want %d", lost(), times)
					}
					if strings.HasPrefix(name, "EndTxn") && !strings.Contains(k.Log(), fmt.Sprintf("committed=%t", name == "EndTxn after")) {
						t.Error("the outcome of a transaction in doubt was not found out")
					}
				})
			})
		}
	}
}

func TestRebalancesRepeatNothing(t *testing.T) {
	t.Parallel()
	rounds := brief(5, 2)
	for _, protocol := range []string{"classic", "consumer"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			var tries sync.Map
			slipwaytest.Run(t, exactFiles("    protocol: "+protocol+"\n"), ship(flaky(&tries)), func(t *testing.T, k *slipwaytest.Kit) {
				for round := range rounds {
					orderMany(k, 100*round, 50)
					k.Start("shipper")
					orderMany(k, 100*round+50, 50)
					if round%2 == 1 {
						k.Stop("shipper")
					}
				}
				requireExactly(t, k, 100*rounds)
			})
		})
	}
}

// In a batch every value is sent for a message, and shares its fate.
func TestABatchSendsForEachOfItsMessages(t *testing.T) {
	t.Parallel()
	wire := func(app *slipway.App) error {
		out := slipway.NewProducer[order](app, shipments)
		slipway.HandleBatch(app, orders, func(ctx context.Context, batch []*slipway.Message[order]) []error {
			outcomes := make([]error, len(batch))
			for i, m := range batch {
				if _, err := out.Send(ctx, &m.Value); !errors.Is(err, slipway.ErrNoTransaction) {
					outcomes[i] = slipway.Reject(fmt.Errorf("a send for no message: %w", err))
					continue
				}
				_, outcomes[i] = out.Send(ctx, &m.Value, slipway.For(m), slipway.WithID(m.ID()))
				switch {
				case m.Value.Amount%50 == 0:
					outcomes[i] = slipway.Reject(errors.New("no such article"))
				case m.Value.Amount%7 == 0 && m.Attempt < 3:
					outcomes[i] = errors.New("warehouse is closed")
				}
			}
			return outcomes
		})
		return nil
	}
	slipwaytest.Run(t, exactFiles("    batch: 10\n"), wire, func(t *testing.T, k *slipwaytest.Kit) {
		orderMany(k, 0, 300)
		if shipped, dead := requireExactly(t, k, 300); shipped != 294 || dead != 6 {
			t.Errorf("%d shipped and %d dead-lettered, want 294 and 6", shipped, dead)
		}
	})
}

// A handler that is slow is killed with its instance: what it sent is never
// seen, and what its instance had finished is seen once.
func TestAKilledInstanceLeavesNothingHalfDone(t *testing.T) {
	t.Parallel()
	for name, during := range map[string]kmsg.Key{
		"while it produces": kmsg.Produce, "before its offsets": kmsg.TxnOffsetCommit, "before its end": kmsg.EndTxn,
	} {
		if testing.Short() && during != kmsg.EndTxn {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var tries sync.Map
			slipwaytest.Run(t, exactFiles(""), ship(flaky(&tries)), func(t *testing.T, k *slipwaytest.Kit) {
				k.Start("shipper")
				orderMany(k, 0, 50)
				hold := make(chan struct{})
				var held atomic.Int64
				k.Kafka().ControlKey(int16(during), func(req kmsg.Request) (kmsg.Response, error, bool) {
					k.Kafka().KeepControl()
					if by := transactionOf(req); by != "svc-shipper-dev.1" || held.Add(1) > 1 {
						return nil, nil, false
					}
					k.Kafka().SleepControl(func() { <-hold })
					return nil, nil, false
				})
				orderMany(k, 50, 150)
				for held.Load() == 0 {
					k.Advance(time.Second)
				}
				k.Kill("shipper")
				close(hold)
				k.Advance(time.Minute)
				orderMany(k, 200, 50)
				requireExactly(t, k, 250)
			})
		})
	}
}

// transactionOf is the transactional id of a request.
func transactionOf(req kmsg.Request) string {
	switch r := req.(type) {
	case *kmsg.ProduceRequest:
		if r.TransactionID != nil {
			return *r.TransactionID
		}
	case *kmsg.TxnOffsetCommitRequest:
		return r.TransactionalID
	case *kmsg.EndTxnRequest:
		return r.TransactionalID
	}
	return ""
}

type kit = slipwaytest.Kit

func runExact(t *testing.T, wire func(*slipway.App) error, test func(*testing.T, *kit)) {
	t.Helper()
	slipwaytest.Run(t, exactFiles(""), wire, test)
}
