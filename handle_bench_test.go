package slipway

import (
	"context"
	"testing"
	"testing/fstest"

	"github.com/twmb/franz-go/pkg/kgo"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/slipway-go/slipway/internal/frontier"
	"github.com/slipway-go/slipway/internal/lane"
)

const benchedContract = `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: reader, owner: team-reading}
identity: {auth: scram-sha-512}
consumes:
  orders.v1: {concurrency: 8, retry: {delays: [1s], then: dead-letter}}
`

// noFetcher is a client that fetches nothing.
type noFetcher struct{}

func (noFetcher) PauseFetchPartitions(map[string][]int32) map[string][]int32 { return nil }
func (noFetcher) ResumeFetchPartitions(map[string][]int32)                   {}

// BenchmarkHandle is what a record costs from its lane to its frontier, with a
// handler that does nothing.
func BenchmarkHandle(b *testing.B) { handling(b, nil, nil) }

// BenchmarkHandleTraced is the same with traces: with a provider that is the API
// alone, with one that does not sample, and with one that keeps every span. The
// records were written in a trace.
func BenchmarkHandleTraced(b *testing.B) {
	const parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0"
	headers := func(sampled string) []kgo.RecordHeader {
		return []kgo.RecordHeader{{Key: traceParent, Value: []byte(parent + sampled)}}
	}
	b.Run("noop", func(b *testing.B) { handling(b, noop.NewTracerProvider(), headers("1")) })
	b.Run("unsampled", func(b *testing.B) { handling(b, sdktrace.NewTracerProvider(), headers("0")) })
	b.Run("sampled", func(b *testing.B) { handling(b, sdktrace.NewTracerProvider(), headers("1")) })
	b.Run("root of 1 percent", func(b *testing.B) {
		handling(b, sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(0.01)))), nil)
	})
}

func handling(b *testing.B, provider trace.TracerProvider, headers []kgo.RecordHeader) {
	b.Helper()
	app, err := New(Config{
		Files:       fstest.MapFS{"slipway.yaml": {Data: []byte(benchedContract)}},
		Environment: Environment{Name: "dev", BootstrapServers: "localhost:1"},
	})
	if err != nil {
		b.Fatal(err)
	}
	Handle(app, "orders.v1", func(context.Context, *Message[[]byte]) error { return nil })
	if app.meter, err = newInstruments(nil); err != nil {
		b.Fatal(err)
	}
	if provider != nil {
		app.tracing.tracer = provider.Tracer(scope)
	}
	c := &consumer{app: app, link: app.linkOf(""), group: "reader", entries: make(map[string]*entry), lease: new(lease)}
	e := &entry{Consume: app.contract.Consumes["orders.v1"], handler: app.handlers["orders.v1"], reader: &reader{}}
	c.equip(e)
	p := newPartition(topicPartition{"orders.v1", 0}, noFetcher{}, e)
	records := make([]*kgo.Record, 1000)
	places := make([]frontier.Position, len(records))
	items := make([]work, 1)
	offset := int64(0)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		for i := range records {
			records[i] = &kgo.Record{Topic: "orders.v1", Offset: offset, Key: []byte("key"), Value: []byte("value"), Headers: headers}
			places[i] = frontier.Position{Offset: offset}
			offset++
		}
		seq, _ := p.begin(places, records)
		b.StartTimer()
		for i, rec := range records {
			items[0] = work{rec: rec, partition: p, seq: seq + uint64(i)}
			if v := c.handle(0, items); v != lane.Done() {
				b.Fatalf("verdict %v", v)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(records)), "ns/record")
}
