package cli_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/internal/cli"
	"github.com/slipway-go/slipway/internal/kafka"
)

// TestLagIsServedUntilTheExporterIsStopped reads the metrics while a group gets
// its first position.
func TestLagIsServedUntilTheExporterIsStopped(t *testing.T) {
	t.Parallel()
	f := shopfloor(t)
	admin := f.admin()
	for _, err := range admin.CreateTopics(t.Context(), []kafka.Topic{{Name: "stock.b.v1", Partitions: 1, Replicas: 1}}) {
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	address := "127.0.0.1:" + freePort()
	ended := make(chan int, 1)
	go func() {
		ended <- cli.Main(ctx, []string{"lag", "export", f.dir, "--group", "legacy", "--every", "1s", "--listen", address},
			cli.System{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard, Getenv: f.getenv})
	}()
	requireListener(t, address)
	f.requireMetrics(address, `slipway_group_state\{consumer_group="legacy",state="Dead"\} 1`, `slipway_lag_export_errors_total 0`)
	if _, err := admin.Commit(t.Context(), "legacy", map[kafka.Partition]kafka.GroupOffset{{Topic: "stock.b.v1"}: {Epoch: -1}}); err != nil {
		t.Fatal(err)
	}
	f.requireMetrics(address, `slipway_group_lag\{consumer_group="legacy",partition="0",topic="stock.b.v1"\} 0`, `slipway_lag_export_last_success_timestamp_seconds 1\.`)
	interrupt()
	if status := <-ended; status != 130 {
		t.Errorf("status %d, want 130", status)
	}
	if _, err := http.Get("http://" + address + "/metrics"); err == nil {
		t.Error("the metrics are still served")
	}
}

// requireListener waits until somebody listens.
func requireListener(t *testing.T, address string) {
	t.Helper()
	for patience := time.After(20 * time.Second); ; {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
			return
		}
		select {
		case <-patience:
			t.Fatalf("nobody listens at %s", address)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
