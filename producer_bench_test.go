package slipway_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/twmb/franz-go/pkg/kgo"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/internal/embedded"
)

const benchSeller = `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: seller, owner: team-sales}
identity: {auth: scram-sha-512}
adopt: {principal: admin}
topics:
  events.v1: {partitions: 6}
produces:
  events.v1: {}
`

// producing runs a benchmark with a service that only produces bytes.
func producing(b *testing.B, run func(ctx context.Context, out *slipway.Producer[[]byte], beside *kgo.Client)) {
	b.Helper()
	producingTraced(b, nil, run)
}

func producingTraced(b *testing.B, provider trace.TracerProvider, run func(ctx context.Context, out *slipway.Producer[[]byte], beside *kgo.Client)) {
	b.Helper()
	cluster, err := embedded.Start(b.Context(), embedded.Config{AutoCreateTopics: true})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = cluster.Close() }()
	beside, err := kgo.NewClient(append(cluster.Options(cluster.Admin()), kgo.AllowAutoTopicCreation(), kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchCompression(kgo.SnappyCompression()), kgo.ProducerLinger(0), kgo.MaxBufferedRecords(50_000))...)
	if err != nil {
		b.Fatal(err)
	}
	defer beside.Close()
	env := mounted(b, cluster)
	env.CreateTopics = true
	app, err := slipway.New(slipway.Config{
		Files: fstest.MapFS{"slipway.yaml": {Data: []byte(benchSeller)}}, Environment: env, Dial: cluster.Dial, Logger: slog.New(slog.DiscardHandler),
		TracerProvider: provider,
	})
	if err != nil {
		b.Fatal(err)
	}
	out := slipway.NewProducer[[]byte](app, "events.v1")
	ctx, stop := context.WithCancel(b.Context())
	app.OnStart("bench", func(ctx context.Context) error {
		run(ctx, out, beside)
		stop()
		return nil
	})
	if err := app.Run(ctx); err != nil {
		b.Fatal(err)
	}
}

// A countdown waits for as many outcomes as there are sends.
type countdown struct {
	left   atomic.Int64
	failed atomic.Int64
	done   chan struct{}
}

func newCountdown() *countdown {
	t := &countdown{done: make(chan struct{})}
	t.left.Store(1)
	return t
}

func (t *countdown) told(err error) {
	if err != nil {
		t.failed.Add(1)
	}
	if t.left.Add(-1) == 0 {
		close(t.done)
	}
}

func (t *countdown) wait(b *testing.B) {
	b.Helper()
	t.told(nil)
	<-t.done
	if n := t.failed.Load(); n > 0 {
		b.Fatalf("%d of %d sends failed", n, b.N)
	}
}

// sendMany sends as often as the benchmark says and waits for all outcomes.
func sendMany(b *testing.B, ctx context.Context, out *slipway.Producer[[]byte], value *[]byte) {
	b.Helper()
	t := newCountdown()
	done := func(_ slipway.Receipt, err error) { t.told(err) }
	b.ReportAllocs()
	for b.Loop() {
		t.left.Add(1)
		out.SendAsync(ctx, value, done)
	}
	t.wait(b)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkSendAsync is a record's way through a producer, without encoding,
// beside what the client underneath takes for one that has the same headers.
func BenchmarkSendAsync(b *testing.B) {
	value := make([]byte, 100)
	slipwayWith := func(provider trace.TracerProvider, sampled bool) func(b *testing.B) {
		return func(b *testing.B) {
			producingTraced(b, provider, func(ctx context.Context, out *slipway.Producer[[]byte], _ *kgo.Client) {
				if provider != nil {
					ctx = trace.ContextWithRemoteSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
						TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.TraceFlags(0).WithSampled(sampled),
					}))
				}
				sendMany(b, ctx, out, &value)
			})
		}
	}
	b.Run("slipway", slipwayWith(nil, false))
	b.Run("slipway within a trace that is not kept", slipwayWith(sdktrace.NewTracerProvider(), false))
	b.Run("slipway within a trace that is kept", slipwayWith(sdktrace.NewTracerProvider(), true))
	b.Run("kgo", func(b *testing.B) {
		producing(b, func(ctx context.Context, _ *slipway.Producer[[]byte], client *kgo.Client) {
			t := newCountdown()
			done := func(_ *kgo.Record, err error) { t.told(err) }
			b.ReportAllocs()
			for b.Loop() {
				t.left.Add(1)
				client.Produce(ctx, &kgo.Record{Topic: "events.v1", Value: value, Headers: []kgo.RecordHeader{
					{Key: "ce_specversion", Value: []byte("1.0")}, {Key: "ce_id", Value: []byte(rand.Text())}, {Key: "ce_source", Value: []byte("/svc-seller-dev")},
					{Key: "ce_type", Value: []byte("events.v1")}, {Key: "ce_time", Value: []byte("2026-03-04T04:06:07.000008Z")}, {Key: "content-type", Value: []byte("application/octet-stream")},
				}}, done)
			}
			t.wait(b)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	})
	b.Run("kgo without headers", func(b *testing.B) {
		producing(b, func(ctx context.Context, _ *slipway.Producer[[]byte], client *kgo.Client) {
			t := newCountdown()
			done := func(_ *kgo.Record, err error) { t.told(err) }
			b.ReportAllocs()
			for b.Loop() {
				t.left.Add(1)
				client.Produce(ctx, &kgo.Record{Topic: "events.v1", Value: value}, done)
			}
			t.wait(b)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	})
}
