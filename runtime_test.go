package slipway_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/record"
	"github.com/slipway-go/slipway/slipwaytest"
)

const orderSchema = `{"type": "record", "name": "Order", "fields": [
	{"name": "order_id", "type": "string"},
	{"name": "amount", "type": "long"}
]}`

type order struct {
	OrderID string `avro:"order_id"`
	Amount  int64  `avro:"amount"`
}

// The contract of a service that reads orders and writes shipments.
const shipper = `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: shipper, owner: team-warehouse}
identity: {auth: scram-sha-512}
topics:
  shipments.created.v1:
    key: order_id
    partitions: 3
    schema: {format: avro, file: order.avsc}
produces:
  shipments.created.v1: {via: direct}
consumes:
  orders.created.v1:
    schema: {format: avro, file: order.avsc}
    order: key
    concurrency: 8
    timeout: 10s
    retry: {delays: [1s, 10s], then: THEN}
`

const (
	orders    = "orders.created.v1"
	shipments = "shipments.created.v1"
)

func files(then string) fstest.MapFS {
	return fstest.MapFS{
		"slipway.yaml": {Data: []byte(strings.ReplaceAll(shipper, "THEN", then))},
		"order.avsc":   {Data: []byte(orderSchema)},
	}
}

type handle = func(context.Context, *slipway.Message[order], *slipway.Producer[order]) error

// ship is the wiring of the service, with its handler given.
func ship(h handle) func(*slipway.App) error {
	return func(app *slipway.App) error {
		out := slipway.NewProducer[order](app, shipments)
		slipway.Handle(app, orders, func(ctx context.Context, m *slipway.Message[order]) error { return h(ctx, m, out) })
		return nil
	}
}

func forward(ctx context.Context, m *slipway.Message[order], out *slipway.Producer[order]) error {
	_, err := out.Send(ctx, &m.Value, slipway.WithID(m.ID()))
	return err
}

// calls notes what handlers were given.
type calls struct {
	mu  sync.Mutex
	log []call
}

type call struct {
	order   string
	amount  int64
	attempt int
	at      time.Time
}

func (c *calls) add(m *slipway.Message[order]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log = append(c.log, call{m.Value.OrderID, m.Value.Amount, m.Attempt, time.Now()})
}

func (c *calls) all() []call {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.log)
}

func TestARecordIsHandledAndItsEffectProduced(t *testing.T) {
	t.Parallel()
	slipwaytest.Run(t, files("dead-letter"), ship(forward), func(t *testing.T, k *slipwaytest.Kit) {
		k.Send(orders, order{"o-1", 500}, slipwaytest.ID("e-1"))
		k.RequireProduced(shipments, 1)
		got := slipwaytest.Values[order](k, shipments)
		if want := []order{{"o-1", 500}}; !slices.Equal(got, want) {
			t.Errorf("shipments = %v, want %v", got, want)
		}
		r := k.Records(shipments)[0]
		if string(r.Key) != "o-1" {
			t.Errorf("key = %q, want the order's id", r.Key)
		}
		for name, want := range map[string]string{
			record.EventID: "e-1", record.EventType: shipments, record.EventSource: "/svc-shipper-dev",
			record.EventSpecVersion: "1.0", record.ContentType: "application/avro",
		} {
			if got, _ := record.Get(r.Headers, name); got != want {
				t.Errorf("header %s = %q, want %q", name, got, want)
			}
		}
		if lag := k.Lag("shipper"); lag != 0 {
			t.Errorf("lag = %d after all was handled, want 0", lag)
		}
	})
}

func TestAFailedRecordIsTriedAgainAndThenDeadLetteredWithItsBytes(t *testing.T) {
	t.Parallel()
	var seen calls
	fail := func(_ context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
		seen.add(m)
		return errors.New("warehouse is closed")
	}
	slipwaytest.Run(t, files("dead-letter"), ship(fail), func(t *testing.T, k *slipwaytest.Kit) {
		k.Send(orders, order{"o-1", 500}, slipwaytest.Header("origin", "web"), slipwaytest.Header(record.ErrorGroup, "forged"))
		k.RequireDeadLettered("shipper", orders, 1)
		got := seen.all()
		if len(got) != 3 {
			t.Fatalf("%d attempts, want 3", len(got))
		}
		for i, want := range []time.Duration{time.Second, 10 * time.Second} {
			if wait := got[i+1].at.Sub(got[i].at); wait < want {
				t.Errorf("attempt %d came after %v, want at least %v", i+2, wait, want)
			}
			if got[i+1].attempt != i+2 {
				t.Errorf("Attempt = %d, want %d", got[i+1].attempt, i+2)
			}
		}
		sent := only(t, k, orders)
		dead := k.Records(k.DeadLetterTopic("shipper", orders))[0]
		if string(dead.Value) != string(sent.Value) || string(dead.Key) != string(sent.Key) {
			t.Error("the dead letter is not the record as it was")
		}
		for name, want := range map[string]string{
			"origin": "web", record.ErrorTopic: orders, record.ErrorOffset: "0", record.ErrorDeliveryCount: "3",
			record.ErrorGroup: "svc-shipper-dev", record.ErrorMessage: "warehouse is closed", record.Reason: "exhausted",
		} {
			if got, _ := record.Get(dead.Headers, name); got != want {
				t.Errorf("header %s = %q, want %q", name, got, want)
			}
		}
	})
}

func TestARejectedRecordIsDeadLetteredAtOnce(t *testing.T) {
	t.Parallel()
	var seen calls
	reject := func(_ context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
		seen.add(m)
		return slipway.Reject(errors.New("no such article"))
	}
	slipwaytest.Run(t, files("dead-letter"), ship(reject), func(t *testing.T, k *slipwaytest.Kit) {
		k.Send(orders, order{"o-1", 500})
		k.RequireDeadLettered("shipper", orders, 1)
		if n := len(seen.all()); n != 1 {
			t.Errorf("%d attempts of a rejected record, want 1", n)
		}
	})
}

func TestRecordsOfAKeyKeepTheirOrderAcrossRetriesAndOthersFlow(t *testing.T) {
	t.Parallel()
	const perKey, keys = 20, 10
	var seen calls
	flaky := func(_ context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
		if m.Value.OrderID == "o-0" && m.Value.Amount%5 == 0 && m.Attempt < 3 {
			return slipway.RetryAfter(20*time.Second, errors.New("busy"))
		}
		seen.add(m)
		return nil
	}
	slipwaytest.Run(t, files("dead-letter"), ship(flaky), func(t *testing.T, k *slipwaytest.Kit) {
		for n := range perKey {
			for key := range keys {
				id := fmt.Sprint("o-", key)
				k.Send(orders, order{id, int64(n)}, slipwaytest.Key(id))
			}
		}
		k.Advance(5 * time.Second)
		if got, want := len(seen.all()), perKey*(keys-1); got != want {
			t.Errorf("%d records were handled while one key waits, want the %d of all other keys", got, want)
		}
		k.Advance(10 * time.Minute)
		next := map[string]int64{}
		for _, c := range seen.all() {
			if c.amount != next[c.order] {
				t.Fatalf("%s: record %d was handled, want %d", c.order, c.amount, next[c.order])
			}
			next[c.order]++
		}
		if lag := k.Lag("shipper"); len(next) != keys || lag != 0 {
			t.Errorf("%d keys handled and lag %d, want %d and 0", len(next), lag, keys)
		}
	})
}

func TestTheCommittedOffsetNeverPassesAnOpenRecord(t *testing.T) {
	t.Parallel()
	block := func(_ context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
		if m.Value.OrderID == "slow" {
			<-time.After(9 * time.Second)
		}
		return nil
	}
	slipwaytest.Run(t, files("dead-letter"), ship(block), func(t *testing.T, k *slipwaytest.Kit) {
		k.Send(orders, order{"slow", 0}, slipwaytest.Key("slow"), slipwaytest.Partition(0))
		for i := range 50 {
			id := fmt.Sprint("o-", i)
			k.Send(orders, order{id, 0}, slipwaytest.Key(id), slipwaytest.Partition(0))
		}
		k.Advance(5 * time.Second)
		if lag := k.Lag("shipper"); lag != 51 {
			t.Errorf("lag = %d while the first of 51 records is open, want 51", lag)
		}
		k.Advance(10 * time.Second)
		if lag := k.Lag("shipper"); lag != 0 {
			t.Errorf("lag = %d after the last record was finished, want 0", lag)
		}
	})
}

func TestShutdownBurnsNoAttemptAndLosesNothing(t *testing.T) {
	t.Parallel()
	var seen calls
	var mu sync.Mutex
	hang, cause := true, error(nil)
	slow := func(ctx context.Context, m *slipway.Message[order], out *slipway.Producer[order]) error {
		seen.add(m)
		mu.Lock()
		wait := hang
		mu.Unlock()
		if !wait {
			return forward(ctx, m, out)
		}
		<-ctx.Done()
		mu.Lock()
		defer mu.Unlock()
		cause = context.Cause(ctx)
		return ctx.Err()
	}
	contract := files("dead-letter")
	contract["slipway.yaml"].Data = []byte(strings.ReplaceAll(string(contract["slipway.yaml"].Data), "timeout: 10s", "timeout: 10m"))
	slipwaytest.Run(t, contract, ship(slow), func(t *testing.T, k *slipwaytest.Kit) {
		k.Send(orders, order{"o-1", 5})
		k.Advance(time.Second)
		began := time.Now()
		k.Stop("shipper")
		if took := time.Since(began); took > slipway.DefaultShutdownTimeout {
			t.Errorf("shutdown took %v, want at most %v", took, slipway.DefaultShutdownTimeout)
		}
		mu.Lock()
		if !errors.Is(cause, slipway.ErrShutdown) && !errors.Is(cause, slipway.ErrRevoked) {
			t.Errorf("cause = %v, want ErrShutdown", cause)
		}
		hang = false
		mu.Unlock()
		k.Start("shipper")
		k.RequireProduced(shipments, 1)
		k.RequireDeadLettered("shipper", orders, 0)
		if got := seen.all(); len(got) != 2 || got[1].attempt != 1 {
			t.Errorf("calls = %v, want two first attempts", got)
		}
	})
}

func TestARunningHandlerFinishesAndIsCommittedAtShutdown(t *testing.T) {
	t.Parallel()
	var seen calls
	slow := func(ctx context.Context, m *slipway.Message[order], out *slipway.Producer[order]) error {
		seen.add(m)
		<-time.After(5 * time.Second)
		return forward(ctx, m, out)
	}
	slipwaytest.Run(t, files("dead-letter"), ship(slow), func(t *testing.T, k *slipwaytest.Kit) {
		for i := range 20 {
			k.Send(orders, order{"o-1", int64(i)})
		}
		k.Advance(time.Second)
		k.Stop("shipper")
		if n := len(seen.all()); n != 1 {
			t.Errorf("%d handlers ran, want only the one that was running when the shutdown began", n)
		}
		if lag := k.Lag("shipper"); lag != 19 {
			t.Errorf("lag = %d after the drain, want 19: what finished is committed", lag)
		}
		k.Start("shipper")
		k.RequireProduced(shipments, 20)
	})
}

func TestAHandlerThatIgnoresItsContextDoesNotHoldUpShutdown(t *testing.T) {
	t.Parallel()
	stubborn := func(context.Context, *slipway.Message[order], *slipway.Producer[order]) error {
		<-time.After(time.Hour)
		return nil
	}
	slipwaytest.Run(t, files("dead-letter"), ship(stubborn), func(t *testing.T, k *slipwaytest.Kit) {
		k.Send(orders, order{"o-1", 5})
		k.Advance(time.Second)
		began := time.Now()
		k.Stop("shipper")
		if took := time.Since(began); took > slipway.DefaultShutdownTimeout {
			t.Errorf("shutdown took %v, want at most %v", took, slipway.DefaultShutdownTimeout)
		}
		if lag := k.Lag("shipper"); lag != 1 {
			t.Errorf("lag = %d, want 1: the record was not finished", lag)
		}
		k.Advance(2 * time.Hour)
		requireLogged(t, k, diag.RuntimeDrainExceeded)
	})
}

func TestTwoInstancesHandOverWithoutLossOrRepetition(t *testing.T) {
	t.Parallel()
	var seen calls
	work := func(ctx context.Context, m *slipway.Message[order], out *slipway.Producer[order]) error {
		seen.add(m)
		<-time.After(20 * time.Millisecond)
		return forward(ctx, m, out)
	}
	slipwaytest.Run(t, files("dead-letter"), ship(work), func(t *testing.T, k *slipwaytest.Kit) {
		const perKey, keys = 60, 9
		send := func(from, to int) {
			for n := from; n < to; n++ {
				for key := range keys {
					id := fmt.Sprint("o-", key)
					k.Send(orders, order{id, int64(n)}, slipwaytest.Key(id))
				}
			}
		}
		send(0, 20)
		k.Start("shipper")
		send(20, 40)
		k.Stop("shipper")
		send(40, perKey)
		k.RequireProduced(shipments, perKey*keys)
		next := map[string]int64{}
		for _, c := range seen.all() {
			if c.amount != next[c.order] {
				t.Fatalf("%s: record %d was handled, want %d", c.order, c.amount, next[c.order])
			}
			next[c.order]++
		}
	})
}

func TestATombstoneReachesTheHandler(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var got slipway.Message[order]
	look := func(_ context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
		mu.Lock()
		defer mu.Unlock()
		got = *m
		return nil
	}
	slipwaytest.Run(t, files("dead-letter"), ship(look), func(t *testing.T, k *slipwaytest.Kit) {
		k.SendBytes(orders, []byte("o-1"), nil)
		k.Advance(5 * time.Second)
		mu.Lock()
		defer mu.Unlock()
		if !got.Tombstone || got.Value != (order{}) || string(got.Key) != "o-1" {
			t.Errorf("message = %+v, want a tombstone of o-1", got)
		}
	})
}

func TestWhatAnEarlierLifeLeftIsSentBeforeAnythingIsConsumed(t *testing.T) {
	t.Parallel()
	var ended atomic.Bool
	wire := func(app *slipway.App) error {
		out := slipway.NewProducer[order](app, shipments)
		app.OnStart("send what was left", func(ctx context.Context) error {
			_, err := out.Send(ctx, &order{"left", 1})
			return err
		})
		app.OnStop("note the end", func() error { ended.Store(true); return nil })
		slipway.Handle(app, orders, func(ctx context.Context, m *slipway.Message[order]) error { return forward(ctx, m, out) })
		return nil
	}
	slipwaytest.Run(t, files("dead-letter"), wire, func(t *testing.T, k *slipwaytest.Kit) {
		k.RequireProduced(shipments, 1)
		if ended.Load() {
			t.Error("OnStop ran while the service runs")
		}
		k.Stop("shipper")
		if !ended.Load() {
			t.Error("OnStop did not run when the service stopped")
		}
	})
}

// requireLogged fails the test unless the services logged a code.
func requireLogged(t *testing.T, k *slipwaytest.Kit, code diag.Code) {
	t.Helper()
	if !strings.Contains(k.Log(), "code="+string(code)) {
		t.Errorf("nobody logged %s", code)
	}
}

// only returns the single record of a topic.
func only(t *testing.T, k *slipwaytest.Kit, topic string) (r struct{ Key, Value []byte }) {
	t.Helper()
	records := k.Records(topic)
	if len(records) != 1 {
		t.Fatalf("topic %s holds %d records, want 1", topic, len(records))
	}
	return struct{ Key, Value []byte }{records[0].Key, records[0].Value}
}
