package slipway_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/trace"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/slipwaytest"
)

// seller is a service that only produces; PRODUCES is its block's entry.
const seller = `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: seller, owner: team-sales}
identity: {auth: scram-sha-512}
topics:
  orders.created.v1:
    key: order_id
    partitions: 3
    compact: true
    schema: {format: avro, file: order.avsc}
produces:
  orders.created.v1: PRODUCES
`

func selling(produces string) fstest.MapFS {
	return fstest.MapFS{
		"slipway.yaml": {Data: []byte(strings.ReplaceAll(seller, "PRODUCES", produces))},
		"order.avsc":   {Data: []byte(orderSchema)},
	}
}

// sell runs a test with the producer of a service that does nothing else.
func sell(t *testing.T, produces string, test func(t *testing.T, k *slipwaytest.Kit, out *slipway.Producer[order])) {
	t.Helper()
	var out *slipway.Producer[order]
	slipwaytest.Run(t, selling(produces), func(app *slipway.App) error {
		out = slipway.NewProducer[order](app, orders)
		return nil
	}, func(t *testing.T, k *slipwaytest.Kit) { test(t, k, out) })
}

// codedAs reports whether err carries a diagnostic of a code.
func codedAs(err error, code diag.Code) bool {
	return slices.ContainsFunc(diag.Of(err), func(d diag.Diagnostic) bool { return d.Code == code })
}

// fates collects what done is called with.
type fates struct {
	mu  sync.Mutex
	all map[int][]error
	log []int
}

func (d *fates) done(n int) func(slipway.Receipt, error) {
	return func(_ slipway.Receipt, err error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.all == nil {
			d.all = make(map[int][]error)
		}
		d.all[n] = append(d.all[n], err)
		d.log = append(d.log, n)
	}
}

// once requires that each of n sends was told once, and returns how many went
// wrong, by error.
func (d *fates) once(t *testing.T, n int) (written int, failed []error) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range n {
		switch all := d.all[i]; {
		case len(all) != 1:
			t.Fatalf("send %d was told %d times: %v", i, len(all), all)
		case all[0] == nil:
			written++
		default:
			failed = append(failed, all[0])
		}
	}
	return written, failed
}

func TestSendAsyncTellsEverySendOnceAndInTheOrderOfItsKey(t *testing.T) {
	t.Parallel()
	const n = 3000
	sell(t, "{}", func(t *testing.T, k *slipwaytest.Kit, out *slipway.Producer[order]) {
		var d fates
		for i := range n {
			out.SendAsync(t.Context(), &order{OrderID: fmt.Sprint(i % 17), Amount: int64(i)}, d.done(i))
		}
		k.Advance(time.Minute)
		if written, failed := d.once(t, n); written != n {
			t.Fatalf("%d of %d were written; %v", written, n, failed[0])
		}
		last := make(map[int]int)
		for _, i := range d.log {
			if i < last[i%17] {
				t.Fatalf("send %d was told after %d of the same key", i, last[i%17])
			}
			last[i%17] = i
		}
		seen := make(map[string]int64)
		for _, o := range slipwaytest.Values[order](k, orders) {
			if o.Amount < seen[o.OrderID] {
				t.Fatalf("key %s: %d is behind %d", o.OrderID, o.Amount, seen[o.OrderID])
			}
			seen[o.OrderID] = o.Amount
		}
	})
}

func TestWhatIsRefusedAtOnceIsToldBeforeSendAsyncReturns(t *testing.T) {
	t.Parallel()
	sell(t, "{max: 1KiB}", func(t *testing.T, k *slipwaytest.Kit, out *slipway.Producer[order]) {
		for name, tt := range map[string]struct {
			value *order
			want  error
		}{
			"nil":       {nil, slipway.ErrNoValue},
			"too large": {&order{OrderID: strings.Repeat("x", 2000)}, slipway.ErrTooLarge},
		} {
			var got error
			out.SendAsync(t.Context(), tt.value, func(_ slipway.Receipt, err error) { got = err })
			if !errors.Is(got, tt.want) || errors.Is(got, slipway.ErrUnacknowledged) {
				t.Errorf("%s: %v, want %v", name, got, tt.want)
			}
		}
		k.RequireProduced(orders, 0)
	})
}

func TestBytesWithoutLengthAreNoTombstoneByAccident(t *testing.T) {
	t.Parallel()
	files := selling("{}")
	files["slipway.yaml"].Data = bytes.ReplaceAll(files["slipway.yaml"].Data, []byte("    schema: {format: avro, file: order.avsc}\n"), nil)
	files["slipway.yaml"].Data = bytes.ReplaceAll(files["slipway.yaml"].Data, []byte("    key: order_id\n"), nil)
	files["slipway.yaml"].Data = bytes.ReplaceAll(files["slipway.yaml"].Data, []byte("    compact: true\n"), nil)
	delete(files, "order.avsc")
	var out *slipway.Producer[[]byte]
	slipwaytest.Run(t, files, func(app *slipway.App) error {
		out = slipway.NewProducer[[]byte](app, orders)
		return nil
	}, func(t *testing.T, k *slipwaytest.Kit) {
		for name, value := range map[string]*[]byte{"no pointer": nil, "nil": new([]byte), "empty": {}} {
			if _, err := out.Send(t.Context(), value); !errors.Is(err, slipway.ErrNoValue) {
				t.Errorf("%s: %v, want %v", name, err, slipway.ErrNoValue)
			}
		}
		if _, err := out.Delete(t.Context(), "k"); !codedAs(err, diag.ProducerKeyless) {
			t.Errorf("delete from a topic without keys: %v", err)
		}
		k.RequireProduced(orders, 0)
	})
}

// A topic of bytes has no field that could be the key.
func TestBytesGetTheKeyTheyAreGivenAndSchemasKeepTheirs(t *testing.T) {
	t.Parallel()
	files := selling("{}")
	for _, line := range []string{"    schema: {format: avro, file: order.avsc}\n", "    key: order_id\n", "    compact: true\n"} {
		files["slipway.yaml"].Data = bytes.ReplaceAll(files["slipway.yaml"].Data, []byte(line), nil)
	}
	delete(files, "order.avsc")
	var raw *slipway.Producer[[]byte]
	slipwaytest.Run(t, files, func(app *slipway.App) error {
		raw = slipway.NewProducer[[]byte](app, orders)
		return nil
	}, func(t *testing.T, _ *slipwaytest.Kit) {
		value := []byte("v")
		rec, err := raw.Record(t.Context(), &value, slipway.WithKey([]byte("k")))
		if err != nil || string(rec.Key) != "k" {
			t.Errorf("Record() = %v, %v, want key k", rec, err)
		}
	})
	sell(t, "{}", func(t *testing.T, _ *slipwaytest.Kit, out *slipway.Producer[order]) {
		if _, err := out.Send(t.Context(), &order{OrderID: "o"}, slipway.WithKey([]byte("k"))); !errors.Is(err, slipway.ErrKeyed) {
			t.Errorf("Send() = %v, want %v", err, slipway.ErrKeyed)
		}
	})
}

// A service that takes values from others answers 422 and not 503.
func TestAValueThatDoesNotFitItsSchemaIsToldApart(t *testing.T) {
	t.Parallel()
	type badge struct {
		Code string `json:"code"`
	}
	files := selling("{}")
	for from, to := range map[string]string{"format: avro, file: order.avsc": "file: badge.json", "    key: order_id\n    partitions: 3\n    compact: true\n": "    partitions: 3\n"} {
		files["slipway.yaml"].Data = bytes.ReplaceAll(files["slipway.yaml"].Data, []byte(from), []byte(to))
	}
	files["badge.json"] = &fstest.MapFile{Data: []byte(`{"type": "object", "properties": {"code": {"type": "string", "maxLength": 3}}, "required": ["code"]}`)}
	var out *slipway.Producer[badge]
	slipwaytest.Run(t, files, func(app *slipway.App) error {
		out = slipway.NewProducer[badge](app, orders)
		return nil
	}, func(t *testing.T, k *slipwaytest.Kit) {
		if _, err := out.Send(t.Context(), &badge{"long"}); !errors.Is(err, slipway.ErrUnfit) || errors.Is(err, slipway.ErrUnacknowledged) {
			t.Errorf("Send() = %v, want %v", err, slipway.ErrUnfit)
		}
		k.RequireProduced(orders, 0)
	})
}

func TestDeleteWritesATombstoneThatReadersSee(t *testing.T) {
	t.Parallel()
	sell(t, "{}", func(t *testing.T, k *slipwaytest.Kit, out *slipway.Producer[order]) {
		first, err := out.Send(t.Context(), &order{OrderID: "o-1", Amount: 5})
		if err != nil {
			t.Fatal(err)
		}
		second, err := out.Delete(t.Context(), "o-1", slipway.WithID("e-2"))
		if err != nil {
			t.Fatal(err)
		}
		if second.Partition != first.Partition || second.Offset <= first.Offset {
			t.Errorf("tombstone at %v, value at %v", second, first)
		}
		recs := k.Records(orders)
		last := recs[len(recs)-1]
		if last.Value != nil || string(last.Key) != "o-1" {
			t.Errorf("tombstone is %q = %q", last.Key, last.Value)
		}
		headers := headersOf(last)
		if headers["ce_id"] != "e-2" || headers["ce_type"] != orders || headers["content-type"] != "" {
			t.Errorf("headers %v", headers)
		}
	})
}

func headersOf(rec *kgo.Record) map[string]string {
	m := make(map[string]string)
	for _, h := range rec.Headers {
		m[h.Key] += string(h.Value) // one that is there twice shows
	}
	return m
}

func TestARecordCarriesTheEventAndItsTrace(t *testing.T) {
	t.Parallel()
	var app *slipway.App
	var out *slipway.Producer[order]
	slipwaytest.Run(t, selling("{}"), func(a *slipway.App) error {
		app, out = a, slipway.NewProducer[order](a, orders)
		return nil
	}, func(t *testing.T, k *slipwaytest.Kit) {
		id, _ := trace.TraceIDFromHex("0af7651916cd43dd8448eb211c80319c")
		span, _ := trace.SpanIDFromHex("b7ad6b7169203331")
		ctx := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: span, TraceFlags: 1}))
		at := time.Date(2026, 3, 4, 5, 6, 7, 8000, time.FixedZone("", 3600))
		rec, err := out.Record(ctx, &order{OrderID: "o-1"}, slipway.WithTime(at), slipway.WithHeader("ce_type", "order.created"), slipway.WithHeader("tenant", "a"))
		if err != nil {
			t.Fatal(err)
		}
		h := headersOf(rec)
		want := map[string]string{
			"ce_specversion": "1.0", "ce_source": "/svc-seller-dev", "ce_type": "order.created", "ce_time": "2026-03-04T04:06:07.000008Z",
			"content-type": "application/avro", "tenant": "a", "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		}
		for name, v := range want {
			if h[name] != v {
				t.Errorf("%s is %q, want %q", name, h[name], v)
			}
		}
		if len(h["ce_id"]) != 26 {
			t.Errorf("id %q", h["ce_id"])
		}
		published := make(chan error, 1)
		app.Publish(t.Context(), rec, func(err error) { published <- err })
		if err := <-published; err != nil {
			t.Fatal(err)
		}
		if got := k.Records(orders); len(got) != 1 || !slices.EqualFunc(got[0].Headers, rec.Headers, func(a, b kgo.RecordHeader) bool {
			return a.Key == b.Key && bytes.Equal(a.Value, b.Value)
		}) {
			t.Errorf("published %v", got)
		}
	})
}

func TestAHandlerAndWhatItSendsBelongToTheTraceOfTheMessage(t *testing.T) {
	t.Parallel()
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	var got trace.SpanContext
	handle := func(ctx context.Context, m *slipway.Message[order], out *slipway.Producer[order]) error {
		got = trace.SpanContextFromContext(ctx)
		return forward(ctx, m, out)
	}
	slipwaytest.Run(t, files("dead-letter"), ship(handle), func(t *testing.T, k *slipwaytest.Kit) {
		k.Send(orders, order{"o-1", 1}, slipwaytest.Header("traceparent", parent))
		k.RequireProduced(shipments, 1)
		if !got.IsRemote() || got.TraceID().String() != "0af7651916cd43dd8448eb211c80319c" {
			t.Errorf("span of the handler's context: %v", got)
		}
		if h := headersOf(k.Records(shipments)[0]); h["traceparent"] != parent {
			t.Errorf("traceparent %q", h["traceparent"])
		}
	})
}
