package slipway_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

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

func TestAHandlerThatPanicsHasFailedAndLeavesItsStack(t *testing.T) {
	t.Parallel()
	explode := func(context.Context, *slipway.Message[order], *slipway.Producer[order]) error { panic("boom") }
	slipwaytest.Run(t, files("dead-letter"), ship(explode), func(t *testing.T, k *slipwaytest.Kit) {
		k.Send(orders, order{"o-1", 5})
		k.RequireDeadLettered("shipper", orders, 1)
		dead := k.Records(k.DeadLetterTopic("shipper", orders))[0]
		message, _ := record.Get(dead.Headers, record.ErrorMessage)
		stack, _ := record.Get(dead.Headers, record.Stack)
		if message != "handler panicked: boom" || !strings.Contains(stack, "runtime_test.go") || len(stack) > record.MaxStack {
			t.Errorf("message %q and a stack of %d bytes, want the panic's value and its place", message, len(stack))
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
		if err := k.Ready("shipper"); err == nil || !strings.Contains(err.Error(), "dead letters") {
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
		k.CutRegistry(true)
		k.Send(orders, order{"o-1", 5}) // the reader has not asked for its schema id yet
		k.Advance(5 * time.Minute)
		k.RequireDeadLettered("shipper", orders, 0)
		if lag := k.Lag("shipper"); lag != 1 {
			t.Errorf("lag = %d while the registry is away, want 1", lag)
		}
		k.CutRegistry(false)
		k.RequireProduced(shipments, 1)
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
		if lag := k.Lag("shipper"); lag != 2 {
			t.Errorf("lag = %d, want the stopped record and the one behind it", lag)
		}
		requireLogged(t, k, diag.RuntimePartitionStopped)
	})
}

func TestWhatAnEarlierLifeLeftIsSentBeforeAnythingIsConsumed(t *testing.T) {
	t.Parallel()
	wire := func(app *slipway.App) error {
		out := slipway.NewProducer[order](app, shipments)
		app.OnStart("send what was left", func(ctx context.Context) error {
			_, err := out.Send(ctx, &order{"left", 1})
			return err
		})
		slipway.Handle(app, orders, func(ctx context.Context, m *slipway.Message[order]) error { return forward(ctx, m, out) })
		return nil
	}
	slipwaytest.Run(t, files("dead-letter"), wire, func(t *testing.T, k *slipwaytest.Kit) {
		k.RequireProduced(shipments, 1)
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
