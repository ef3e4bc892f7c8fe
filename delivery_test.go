package slipway_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/slipwaytest"
)

var deliveredFiles = fstest.MapFS{
	"slipway.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Service
metadata: {name: reader, owner: team-reading}
identity: {auth: scram-sha-512}
consumes:
  plain.v1: {retry: {delays: [1s, 30s]}}
  header.v1: {retry: {delays: [1s, 30s]}, dedup: {by: "header:request", ttl: 2h}}
  field.v1: {schema: {file: order.avsc}, retry: {delays: [1s, 30s]}, dedup: {by: "field:order_id"}}
  batch.v1: {order: partition, dedup: {by: "header:request"}}
`)},
	"order.avsc": {Data: []byte(`{"type": "record", "name": "Order", "fields": [{"name": "order_id", "type": "string"}]}`)},
}

type delivered struct {
	OrderID string `avro:"order_id"`
}

// deliveries notes what handlers are told.
type deliveries struct {
	sync.Mutex
	seen   []slipway.Delivery
	refuse bool
}

func (d *deliveries) note(t *testing.T, ctx context.Context) error {
	d.Lock()
	defer d.Unlock()
	got, ok := slipway.DeliveryFrom(ctx)
	if !ok {
		t.Error("a handler's context belongs to no delivery")
	}
	d.seen = append(d.seen, got)
	if d.refuse {
		return errors.New("not yet")
	}
	return nil
}

// ids are the different ids that were told, of so many calls.
func (d *deliveries) ids() (ids []string, calls int) {
	d.Lock()
	defer d.Unlock()
	for _, s := range d.seen {
		ids = append(ids, s.ID)
	}
	slices.Sort(ids)
	return slices.Compact(ids), len(d.seen)
}

func TestADeliveryIsKnownByOneIDThroughRetriesAndRedrive(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		topic string
		send  func(*slipwaytest.Kit)
		want  string
		keep  time.Duration
	}{
		"its event": {"plain.v1", func(k *slipwaytest.Kit) {
			k.SendBytes("plain.v1", []byte("key"), []byte("v"), slipwaytest.ID("e-1"), slipwaytest.Header("ce_source", "/orders"))
		}, "/orders e-1", 24 * time.Hour},
		"its place": {"plain.v1", func(k *slipwaytest.Kit) {
			k.SendBytes("plain.v1", []byte("key"), []byte("v"), slipwaytest.Partition(0), slipwaytest.Header("ce_id", ""))
		}, "plain.v1/0/0", 24 * time.Hour},
		"a header": {"header.v1", func(k *slipwaytest.Kit) {
			k.SendBytes("header.v1", []byte("key"), []byte("v"), slipwaytest.Header("request", "r-1"))
		}, "r-1", 2 * time.Hour},
		"a field": {"field.v1", func(k *slipwaytest.Kit) { k.Send("field.v1", delivered{"o-1"}, slipwaytest.Key("key")) }, "o-1", 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &deliveries{refuse: true}
			slipwaytest.Run(t, deliveredFiles, func(app *slipway.App) error {
				app.Deduplicates()
				slipway.Handle(app, "plain.v1", func(ctx context.Context, _ *slipway.Message[[]byte]) error { return d.note(t, ctx) })
				slipway.Handle(app, "header.v1", func(ctx context.Context, _ *slipway.Message[[]byte]) error { return d.note(t, ctx) })
				slipway.Handle(app, "field.v1", func(ctx context.Context, _ *slipway.Message[delivered]) error { return d.note(t, ctx) })
				slipway.HandleBatch(app, "batch.v1", func(context.Context, []*slipway.Message[[]byte]) []error { return nil })
				return nil
			}, func(t *testing.T, k *slipwaytest.Kit) {
				tt.send(k)
				k.RequireDeadLettered("reader", tt.topic, 1)
				d.Lock()
				d.refuse = false
				d.Unlock()
				if n := k.Redrive("reader", tt.topic); n != 1 {
					t.Fatalf("redrove %d dead letters, want 1", n)
				}
				k.Advance(time.Minute)
				ids, calls := d.ids()
				if calls != 4 || !slices.Equal(ids, []string{tt.want}) {
					t.Errorf("%d calls with the ids %q, want 4 with %q", calls, ids, tt.want)
				}
				if got := d.seen[0]; got.Keep != tt.keep || got.Group != "svc-reader-dev" || got.Entry != tt.topic || got.Attempt != 1 || d.seen[1].Attempt != 2 {
					t.Errorf("deliveries %+v, want attempts from 1 on, of the group, kept for %v", d.seen, tt.keep)
				}
			})
		})
	}
}

func TestEachMessageOfABatchIsADeliveryOfItsOwn(t *testing.T) {
	t.Parallel()
	d := &deliveries{}
	slipwaytest.Run(t, fstest.MapFS{"slipway.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Service
metadata: {name: reader, owner: team-reading}
identity: {auth: scram-sha-512}
consumes:
  batch.v1: {order: partition, dedup: {by: "header:request"}}
`)}}, func(app *slipway.App) error {
		app.Deduplicates()
		slipway.HandleBatch(app, "batch.v1", func(ctx context.Context, batch []*slipway.Message[[]byte]) []error {
			if _, ok := slipway.DeliveryFrom(ctx); ok {
				t.Error("the context of a batch belongs to one delivery")
			}
			for _, m := range batch {
				if err := d.note(t, m.Context(ctx)); err != nil {
					t.Error(err)
				}
			}
			return nil
		})
		return nil
	}, func(t *testing.T, k *slipwaytest.Kit) {
		for _, id := range []string{"a", "b", "c"} {
			k.SendBytes("batch.v1", []byte("key"), []byte("v"), slipwaytest.Header("request", id))
		}
		k.Advance(time.Second)
		if ids, calls := d.ids(); calls != 3 || !slices.Equal(ids, []string{"a", "b", "c"}) {
			t.Errorf("%d deliveries with the ids %q, want a, b and c", calls, ids)
		}
		if log := k.Log(); strings.Count(log, string(diag.InboxBypassed)) != 1 {
			t.Errorf("the log tells %d times, want once, that nothing keeps the ids:\n%s", strings.Count(log, string(diag.InboxBypassed)), log)
		}
	})
}

func TestDedupThatNothingKeepsIsRefusedAtStart(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		wire func(*slipway.App)
		want diag.Code
	}{
		"no inbox": {func(app *slipway.App) {
			slipway.Handle(app, "field.v1", func(context.Context, *slipway.Message[delivered]) error { return nil })
		}, diag.InboxMissing},
		"a field of bytes": {func(app *slipway.App) {
			app.Deduplicates()
			slipway.Handle(app, "field.v1", func(context.Context, *slipway.Message[[]byte]) error { return nil })
		}, diag.InboxField},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app, err := slipway.New(slipway.Config{Files: deliveredFiles, Environment: slipway.Environment{Name: "dev", BootstrapServers: "127.0.0.1:1"}})
			if err != nil {
				t.Fatal(err)
			}
			tt.wire(app)
			if err := app.Run(t.Context()); !errors.Is(err, tt.want) {
				t.Errorf("Run = %v, want %s", err, tt.want)
			}
		})
	}
}

func TestAContextWithoutMessageHasNoDelivery(t *testing.T) {
	t.Parallel()
	if _, ok := slipway.DeliveryFrom(t.Context()); ok {
		t.Error("a context of nothing has a delivery")
	}
	want := slipway.Delivery{Entry: "POST /orders", ID: "key-1", Keep: time.Hour}
	if got, ok := slipway.DeliveryFrom(slipway.WithDelivery(t.Context(), want)); !ok || got != want {
		t.Errorf("DeliveryFrom = %+v, %t, want what was put in", got, ok)
	}
	m := &slipway.Message[int]{Value: 1} // made by hand, in a test
	if m.Context(t.Context()) != t.Context() {
		t.Error("a message made by hand changes the context")
	}
}
