//go:build kafka

package otlp_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// realCollector builds a collector of OpenTelemetry, once for all runs, starts it
// and returns its addresses and what it writes.
func realCollector(t *testing.T) (overHTTP, overGRPC string, lines *journal) {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(cache, "slipway", "otel-collector-0.119.0")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	build.Dir, build.Env = "../../observability/collector", append(os.Environ(), "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	overHTTP, overGRPC, lines = away(t), away(t), newJournal()
	run := exec.CommandContext(t.Context(), program, overHTTP[len("http://"):], overGRPC[len("http://"):])
	run.Stdout, run.Stderr = lines, lines
	stdin, err := run.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		_ = run.Wait()
	})
	return overHTTP, overGRPC, lines
}

// The service starts first, and what it tells arrives once the collector is up.
func TestSpansAndMetricsArriveAtARealCollector(t *testing.T) {
	overHTTP, overGRPC, lines := realCollector(t)
	for protocol, url := range map[string]string{"http/protobuf": overHTTP, "grpc": overGRPC} {
		t.Run(protocol, func(t *testing.T) {
			got := setup(t, url, io.Discard, map[string]string{
				"OTEL_EXPORTER_OTLP_PROTOCOL": protocol, "OTEL_SERVICE_NAME": "orders-" + protocol, "OTEL_EXPORTER_OTLP_TIMEOUT": "5000", "OTEL_BSP_EXPORT_TIMEOUT": "5000",
				"OTEL_RESOURCE_ATTRIBUTES": "service.version=2.1.0,deployment.environment.name=prod",
			})
			who := "orders-" + protocol + " 2.1.0 prod"
			counter, err := got.Meter.Meter("test").Int64Counter("orders.placed")
			if err != nil {
				t.Fatal(err)
			}
			counter.Add(t.Context(), 1)
			for !lines.has("span place", who) {
				_, span := got.Tracer.Tracer("test").Start(t.Context(), "place")
				span.End()
				select {
				case <-lines.written:
				case <-time.After(100 * time.Millisecond): // it may still be starting
				case <-t.Context().Done():
					t.Fatalf("nothing came:\n%s", lines)
				}
			}
			lines.await(t, "metric orders.placed", who)
		})
	}
}
