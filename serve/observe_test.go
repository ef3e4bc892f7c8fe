package serve

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/slipwaytest"
	"github.com/slipway-go/slipway/telemetry"
)

func TestMetricsAreServedBesideTheProbesAndAtTheAdminEndpoint(t *testing.T) {
	t.Parallel()
	port, admin := freePort(t), freePort(t)
	stderr, signals, status := startIn(t, port, func(*slipway.App) error { return nil },
		map[string]string{"ADMIN_ADDRESS": fmt.Sprintf("127.0.0.1:%d", admin), "LOG_FORMAT": "json"})
	for _, port := range []int{port, admin} {
		resp, err := eventually(t, fmt.Sprintf("http://127.0.0.1:%d/metrics", port), status)
		if err != nil {
			t.Fatalf("%v\n%s", err, stderr)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(body), `target_info{deployment_environment_name="dev"`) || !strings.Contains(string(body), "\ngo_goroutines ") {
			t.Errorf("status %d, %v:\n%s", resp.StatusCode, err, body)
		}
	}
	signals <- syscall.SIGTERM
	if code := <-status; code != exitOK {
		t.Errorf("exit status %d:\n%s", code, stderr)
	}
	if n := strings.Count(stderr.String(), `"msg":"service starts"`); n != 1 || !strings.Contains(stderr.String(), `"telemetry":"metrics to prometheus"`) {
		t.Errorf("the log tells the start %d times:\n%s", n, stderr)
	}
}

func TestVariablesOfTelemetryThatCannotBeUsedEndTheStart(t *testing.T) {
	t.Parallel()
	stderr, _, status := startIn(t, freePort(t), func(*slipway.App) error { return nil },
		map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_TRACES_SAMPLER_ARG": "most"})
	if code := <-status; code != exitMisfit {
		t.Errorf("exit status %d, want %d", code, exitMisfit)
	}
	for _, want := range []string{"error[SLP-TEL-002]: OTEL_TRACES_EXPORTER names otlp", `error[SLP-TEL-001]: OTEL_TRACES_SAMPLER_ARG is "most"`} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("stderr does not have %q:\n%s", want, stderr)
		}
	}
}

func TestALineOfAHandlerNamesItsMessageAndNotItsKey(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := slog.New(telemetry.Handler(slog.NewTextHandler(&out, nil)))
	wire := func(a *slipway.App) error {
		slipway.Handle(a, "names.v1", func(ctx context.Context, m *slipway.Message[[]byte]) error {
			log.InfoContext(ctx, "greeted", "name", string(m.Value))
			return nil
		})
		return nil
	}
	service := slipwaytest.Service{Files: fstest.MapFS{"slipway.yaml": {Data: []byte(consuming)}}, Wire: wire}
	slipwaytest.RunAll(t, []slipwaytest.Service{service}, func(_ *testing.T, k *slipwaytest.Kit) {
		for _, name := range []string{"Ada", "Bo"} {
			k.SendBytes("names.v1", []byte("customer-17"), []byte(name))
			k.Advance(time.Second)
		}
	})
	hashes := regexp.MustCompile(`name=(?:Ada|Bo) topic=names.v1 partition=\d offset=\d key_hash=([0-9a-f]{8})\n`).FindAllStringSubmatch(out.String(), -1)
	if len(hashes) != 2 || hashes[0][1] != hashes[1][1] {
		t.Errorf("want two lines with one hash:\n%s", out.String())
	}
	if strings.Contains(out.String(), "customer-17") {
		t.Errorf("the log has the key:\n%s", out.String())
	}
}
