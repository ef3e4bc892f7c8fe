package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/slipway-go/slipway/benchmarks/internal/arm"
	"github.com/slipway-go/slipway/benchmarks/internal/broker"
	"github.com/slipway-go/slipway/benchmarks/internal/report"
)

const silentName = "off"

// telemetrySuite measures what a service pays for telling of itself.
func telemetrySuite(options) suite {
	s := suite{
		name: "telemetry", title: "What telemetry costs", rounds: 5, plot: 1,
		about: `A service reads a backlog on the embedded broker, order: key, concurrency 64, and tells of itself as package serve sets it up:
nothing; metrics, scraped every second, and logs from info on; the same with traces, sent by OTLP over HTTP to a collector that drops them. By
default one trace in twenty is kept. Spans that find no room in the queue are dropped, as they are in any service. The empty handler drains 2,000,000
records of 100 bytes. Without a traceparent each record begins a trace of its own; the records of a traced service have one, and 5 % of them
are of a trace that is kept. The other handlers compute SHA-256 as often as takes about as long on this machine (BenchmarkCompute in internal/arm), and are
measured for 4 s after a warm-up of 2 s. The broker has its share of the same two cores.`,
		columns: []column{
			{title: "records/s", key: "rate", unit: report.Count},
			ratio("rate against off", "rate", to(silentName)),
			{title: "CPU s per million", key: "cpu", unit: report.Digits},
			ratio("CPU against off", "cpu", to(silentName)),
			{title: "allocations per record", key: "allocs", unit: report.Digits},
			{title: "peak RSS, MiB", key: "rss", unit: report.Digits},
		},
	}
	traced := broker.Topic{Name: "bench.traced.v1", Records: backlog.Records, Size: 100, Keys: manyKeys, Kept: 0.05}
	working := func(hashes int) []arm.Spec {
		return telemetryArms("slow", arm.Spec{Hashes: hashes, Warmup: 2 * time.Second, Window: 4 * time.Second}, false)
	}
	s.cases = []testCase{
		{title: "empty handler, records of a traced service", broker: "kfake", topic: traced, arms: telemetryArms("consume", arm.Spec{}, false)},
		{title: "empty handler, records without a trace", broker: "kfake", topic: backlog, arms: telemetryArms("consume", arm.Spec{}, true)},
		{title: "10 µs of work, records of a traced service", broker: "kfake", topic: traced, arms: working(127)},
		{title: "100 µs of work, records of a traced service", broker: "kfake", topic: traced, arms: working(1270)},
	}
	return s
}

// telemetryArms are the arms of a case. Where the records say which traces are
// kept, nobody but them decides, so there is no arm that keeps all.
func telemetryArms(of string, spec arm.Spec, roots bool) []arm.Spec {
	spec.Client, spec.Order, spec.InFlight = "slipway", "key", 64
	silent, metrics, usual, all := spec, spec, spec, spec
	silent.Name = silentName
	metrics.Name, metrics.Telemetry = "metrics", arm.Telemetry{Metrics: true}
	usual.Name, usual.Telemetry = "metrics, 5 % of traces", arm.Telemetry{Metrics: true, Traces: arm.DefaultTraces}
	all.Name, all.Telemetry = "metrics, every trace", arm.Telemetry{Metrics: true, Traces: "1"}
	arms := []arm.Spec{silent, metrics, usual}
	if roots {
		arms = append(arms, all)
	}
	return kind(of, arms)
}

// collect starts what takes spans, with the first arm that sends some, and
// returns its address.
func (d *driver) collect(ctx context.Context) (string, error) {
	if d.collector != nil {
		return d.collects, nil
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	d.collects = "http://" + l.Addr().String()
	d.collector = &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // what does not arrive is the sender's to tell
		w.Header().Set("Content-Type", "application/x-protobuf")
	})}
	go func() { _ = d.collector.Serve(l) }() // it ends with Close
	return d.collects, nil
}
