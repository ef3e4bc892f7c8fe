package cli_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/auth"
	"github.com/slipway-go/slipway/internal/cli"
	"github.com/slipway-go/slipway/internal/embedded"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/plan"
)

// A planFixture is an estate of one service, and a cluster that has nothing of
// it.
type planFixture struct {
	*testing.T
	cluster *embedded.Cluster
	dir     string
	getenv  func(string) string
}

func shopfloor(t *testing.T) *planFixture {
	t.Helper()
	c, err := embedded.Start(t.Context(), embedded.Config{Brokers: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	f := &planFixture{T: t, cluster: c}
	id := f.admin().ID()
	f.dir = place(t, map[string]string{
		"ca.crt": string(c.CA()), "password": c.Admin().Password,
		"stock/slipway.yaml": "apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: stock, owner: team}\nidentity: {auth: scram-sha-512}\ntopics: {stock.b.v1: {}}\nproduces: {stock.b.v1: {}}\n",
		"clusters.yaml":      fmt.Sprintf("apiVersion: slipway.dev/v1\nkind: Clusters\nclusters:\n  test: {id: %q, bootstrap: {scram: %q}, ca: {file: ca.crt}, defaults: {replicas: 1}}\nenvironments: {prod: {default: test}}\n", id, strings.Join(c.Bootstrap(), ",")),
	})
	vars := map[string]string{"SLIPWAY_SASL_USER": c.Admin().User, "SLIPWAY_SASL_PASSWORD_FILE": filepath.Join(f.dir, "password")}
	f.getenv = func(name string) string { return vars[name] }
	return f
}

func (f *planFixture) admin() *kafka.Cluster {
	f.Helper()
	k, err := kafka.Connect(f.Context(), kafka.Config{
		Bootstrap: strings.Join(f.cluster.Bootstrap(), ","), TLS: f.cluster.TLS(), ClientID: "the-other-one",
		Auth: contract.SCRAMSHA512, User: f.cluster.Admin().User, Password: auth.Static(secret.New(f.cluster.Admin().Password)),
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(k.Close)
	return k
}

func TestAnApplyIsRefusedWhileAnotherOneWorks(t *testing.T) {
	t.Parallel()
	f := shopfloor(t)
	_, release, err := plan.Lock(t.Context(), f.admin(), "prod")
	if err != nil {
		t.Fatal(err)
	}
	apply := func() (int, string) {
		var out, problems strings.Builder
		status := cli.Main(t.Context(), []string{"apply", f.dir, "--yes", "--secrets", filepath.Join(f.dir, "secrets")},
			cli.System{In: strings.NewReader(""), Out: &out, Err: &problems, Getenv: f.getenv})
		return status, problems.String()
	}
	status, problems := apply()
	if status != 3 || !strings.Contains(problems, "SLP-PLN-025") || !strings.Contains(problems, "client the-other-one at ") {
		t.Errorf("status %d, want 3 and who holds the lock:\n%s", status, problems)
	}
	if _, err := os.Stat(filepath.Join(f.dir, "secrets")); err == nil {
		t.Error("passwords were written although nothing was applied")
	}
	release()
	if status, problems := apply(); status != 0 {
		t.Errorf("status %d after the other one:\n%s", status, problems)
	}
}

// TestAWatchTellsDriftAsItComesAndGoes reads the metrics of a watch while the
// cluster changes behind it.
func TestAWatchTellsDriftAsItComesAndGoes(t *testing.T) {
	t.Parallel()
	f := shopfloor(t)
	admin := f.admin()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	address := "127.0.0.1:" + freePort()
	out := make(answers, 1000)
	ended := make(chan int, 1)
	go func() {
		ended <- cli.Main(ctx, []string{"drift", f.dir, "--watch", "--interval", "1s", "--metrics", address},
			cli.System{In: strings.NewReader(""), Out: out, Err: io.Discard, Getenv: f.getenv})
	}()
	until := func(last string) {
		t.Helper()
		match := regexp.MustCompile(last + `\n$`)
		for patience := time.After(20 * time.Second); ; {
			select {
			case answer := <-out:
				if match.MatchString(answer) {
					return
				}
			case <-patience:
				t.Fatalf("no answer ends in %q", last)
			}
		}
	}
	until(`Drift: 3 differences, 0 orphans\.`)
	f.requireMetrics(address, `slipway_drift_changes\{kind="topic",class="safe"\} 1`, `slipway_drift_changes\{kind="acl",class="safe"\} 1`,
		`slipway_drift_changes\{kind="topic",class="destructive"\} 0`, `slipway_drift_orphans\{kind="topic"\} 0`, `slipway_drift_errors_total 0`,
		`slipway_drift_last_success_timestamp_seconds 1[0-9]{9}`, `# TYPE slipway_drift_errors_total counter`)

	topics := []kafka.Topic{{Name: "stock.b.v1", Partitions: 6, Replicas: 1, Configs: map[string]string{kafka.MinInsyncReplicas: "1"}}, {Name: "svc-gone-prod.x.v1.dlq", Partitions: 1, Replicas: 1}}
	for _, err := range admin.CreateTopics(t.Context(), topics) {
		if err != nil {
			t.Fatal(err)
		}
	}
	until(`Drift: \d differences?, 1 orphan\.`)
	f.requireMetrics(address, `slipway_drift_changes\{kind="topic",class="safe"\} 0`, `slipway_drift_orphans\{kind="topic"\} 1`)

	// The contracts are read again at each look; a broken one is an error that passes.
	contract := filepath.Join(f.dir, "stock", "slipway.yaml")
	good, err := os.ReadFile(contract)
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(contract, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("kind: Nonsense\n")
	f.requireMetrics(address, `slipway_drift_errors_total [1-9]`)
	write(string(good))
	until(`Drift: \d differences?, 1 orphan\.`)

	interrupt()
	if status := <-ended; status != 130 {
		t.Errorf("status %d, want 130", status)
	}
	if _, err := http.Get("http://" + address + "/metrics"); err == nil {
		t.Error("the metrics are still served")
	}
}

// answers takes what is written, one answer at a time.
type answers chan string

func (a answers) Write(b []byte) (int, error) {
	a <- string(b)
	return len(b), nil
}

// requireMetrics waits until the metrics have each line.
func (f *planFixture) requireMetrics(address string, patterns ...string) {
	f.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		text := f.metrics(address)
		missing := ""
		for _, p := range patterns {
			if !regexp.MustCompile(`(?m)^` + p).MatchString(text) {
				missing = p
			}
		}
		if missing == "" {
			return
		}
		if time.Now().After(deadline) {
			f.Fatalf("the metrics lack %s:\n%s", missing, text)
		}
		<-time.After(20 * time.Millisecond)
	}
}

func (f *planFixture) metrics(address string) string {
	f.Helper()
	resp, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		f.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain; version=0.0.4") {
		f.Fatalf("status %d, type %q, %v", resp.StatusCode, resp.Header.Get("Content-Type"), err)
	}
	return string(text)
}

func TestSomebodyAtATerminalSeesHowFarAnApplyHasCome(t *testing.T) {
	t.Parallel()
	f := shopfloor(t)
	topics, produces := "", ""
	for i := range 60 {
		topics += fmt.Sprintf("  stock.t%d.v1: {}\n", i)
		produces += fmt.Sprintf("  stock.t%d.v1: {}\n", i)
	}
	text := "apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: stock, owner: team}\nidentity: {auth: scram-sha-512}\ntopics:\n" + topics + "produces:\n" + produces
	if err := os.WriteFile(filepath.Join(f.dir, "stock", "slipway.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, problems strings.Builder
	status := cli.Main(t.Context(), []string{"apply", f.dir, "--yes", "--secrets", filepath.Join(f.dir, "secrets")},
		cli.System{In: strings.NewReader(""), Out: &out, Err: &problems, ErrTerminal: true, Getenv: f.getenv})
	if status != 0 {
		t.Fatalf("status %d:\n%s", status, problems.String())
	}
	for _, want := range []string{"\rapplied 25 of 121 changes", "\rapplied 100 of 121 changes", "\r\x1b[K"} {
		if !strings.Contains(problems.String(), want) {
			t.Errorf("stderr lacks %q: %q", want, problems.String())
		}
	}
	if strings.ContainsRune(out.String(), '\r') {
		t.Error("progress is on stdout")
	}
}
