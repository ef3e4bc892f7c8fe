package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/auth"
	"github.com/slipway-go/slipway/internal/embedded"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/parking"
	"github.com/slipway-go/slipway/internal/secret"
)

const (
	deadOrders  = "svc-inventory-prod.orders.created.v1.dlq"
	retryOrders = "svc-inventory-prod.orders.created.v1.retry"
)

// A redrive is killed with SIGKILL on its way, as a process. The next one
// finds what it remembered on the cluster, and goes on under its name.
func TestARedriveThatWasKilledGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	const letters = 60
	dir, environ, cfg := estateWithLetters(t, letters)
	slipway := func(ctx context.Context, args ...string) (*exec.Cmd, *bytes.Buffer) {
		cmd := exec.CommandContext(ctx, "slipway", args...)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr, cmd.Env = &out, &out, append(os.Environ(), environ...)
		return cmd, &out
	}

	cmd, out := slipway(t.Context(), "dlq", "redrive", dir, "--yes", "--rate", "10/s")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); len(commandsIn(t, cfg)) < 15; <-time.After(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("nothing was sent:\n%s", out)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatalf("the redrive came to its end before it was killed:\n%s", out)
	}

	cmd, out = slipway(t.Context(), "dlq", "redrive", dir, "--yes", "--key", "o-1")
	if err := cmd.Run(); err == nil || cmd.ProcessState.ExitCode() != 3 || !strings.Contains(out.String(), "SLP-DLQ-008") {
		t.Errorf("another selection meanwhile: %v, want status 3 and SLP-DLQ-008:\n%s", err, out)
	}
	cmd, out = slipway(t.Context(), "dlq", "redrive", dir, "--yes", "--rate", "1k/s")
	if err := cmd.Run(); err != nil || !strings.Contains(out.String(), "goes on with redrive") {
		t.Fatalf("%v:\n%s", err, out)
	}
	tickets, lives := map[parking.Ticket]int{}, map[string]bool{}
	sent := commandsIn(t, cfg)
	for _, e := range sent {
		tickets[e.Ticket]++
		lives[e.Ticket.Life] = true
	}
	// At 10 a second a commit is a second behind at most.
	if len(tickets) != letters || len(lives) != 1 || len(sent) > letters+20 {
		t.Errorf("%d commands, %d tickets in %d lives; want %d tickets in one", len(sent), len(tickets), len(lives), letters)
	}
}

// estateWithLetters is a directory with an estate that was applied to a
// cluster, the environment that lets its administrator in, and n letters.
func estateWithLetters(t *testing.T, n int) (dir string, environ []string, cfg kafka.Config) {
	t.Helper()
	c, err := embedded.Start(t.Context(), embedded.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	cfg = kafka.Config{
		Bootstrap: strings.Join(c.Bootstrap(), ","), Auth: contract.SCRAMSHA512, TLS: c.TLS(),
		User: c.Admin().User, Password: auth.Static(secret.New(c.Admin().Password)),
	}
	k, err := kafka.Connect(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	dir = place(t, map[string]string{
		"orders/slipway.yaml": owner, "ca.crt": string(c.CA()), "password": c.Admin().Password,
		"inventory/slipway.yaml": "apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: inventory, owner: team}\nconsumes: {orders.created.v1: {retry: {delays: [1m]}}}\n",
		"clusters.yaml": fmt.Sprintf("apiVersion: slipway.dev/v1\nkind: Clusters\nclusters:\n  test: {id: %q, bootstrap: {scram: %q, mtls: \"127.0.0.1:1\"}, ca: {file: ca.crt}}\nenvironments:\n  prod: {default: test}\n",
			k.ID(), cfg.Bootstrap)})
	vars := map[string]string{"SLIPWAY_SASL_USER": cfg.User, "SLIPWAY_SASL_PASSWORD_FILE": filepath.Join(dir, "password")}
	for name, value := range vars {
		environ = append(environ, name+"="+value)
	}
	if got := runWith(t.Context(), func(name string) string { return vars[name] }, "apply", dir, "--yes"); got.status != 0 {
		t.Fatalf("apply: %s%s", got.out, got.err)
	}
	client := clientOf(t, cfg, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	for i := range n {
		r := &kgo.Record{Topic: deadOrders, Partition: 2, Key: fmt.Append(nil, "o-", i), Value: []byte("x")}
		for _, h := range [][2]string{
			{"__dlq.errors.topic", "orders.created.v1"}, {"__dlq.errors.partition", "2"}, {"__dlq.errors.offset", fmt.Sprint(i)},
			{"__dlq.errors.group", "svc-inventory-prod"}, {"slipway-reason", "exhausted"},
		} {
			r.Headers = append(r.Headers, kgo.RecordHeader{Key: h[0], Value: []byte(h[1])})
		}
		if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	return dir, environ, cfg
}

func clientOf(t *testing.T, cfg kafka.Config, more ...kgo.Opt) *kgo.Client {
	t.Helper()
	options, err := cfg.Options()
	if err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(append(options, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// commandsIn are the commands that the retry topic holds.
func commandsIn(t *testing.T, cfg kafka.Config) []parking.Entry {
	t.Helper()
	client := clientOf(t, cfg, kgo.ConsumeTopics(retryOrders), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))
	defer client.Close()
	spans, err := kafka.NewLog(client).Spans(t.Context(), retryOrders)
	if err != nil {
		t.Fatal(err)
	}
	want := int64(0)
	for _, s := range spans {
		want += s.End
	}
	var all []parking.Entry
	for int64(len(all)) < want {
		fetches := client.PollFetches(t.Context())
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		for _, r := range fetches.Records() {
			e, err := parking.Decode(r)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, e)
		}
	}
	return all
}
