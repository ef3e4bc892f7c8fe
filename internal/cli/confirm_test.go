package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-go/slipway/internal/cli"
	"github.com/slipway-go/slipway/internal/embedded"
)

const owner = `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: orders, owner: team-shop}
topics: {orders.created.v1: {key: order_id, partitions: 6}}
produces: {orders.created.v1: {}}
`

// secured starts a cluster and returns a directory with contracts for it, and
// the environment that lets apply in.
func secured(t *testing.T) (dir string, getenv func(string) string) {
	t.Helper()
	c, err := embedded.Start(t.Context(), embedded.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	dir = place(t, map[string]string{
		"slipway.yaml": owner, "ca.crt": string(c.CA()), "password": c.Admin().Password,
		"clusters.yaml": fmt.Sprintf(`apiVersion: slipway.dev/v1
kind: Clusters
clusters:
  test: {id: %q, bootstrap: {scram: %q, mtls: "127.0.0.1:1"}, ca: {file: ca.crt}}
environments:
  prod: {default: test}
`, "embedded-test-cluster1", strings.Join(c.Bootstrap(), ","))})
	vars := map[string]string{"SLIPWAY_SASL_USER": c.Admin().User, "SLIPWAY_SASL_PASSWORD_FILE": filepath.Join(dir, "password")}
	return dir, func(name string) string { return vars[name] }
}

func TestApplyAsksAtATerminalAndTakesOnlyAWholeYes(t *testing.T) {
	t.Parallel()
	dir, getenv := secured(t)
	pin(t, dir, getenv)
	ask := func(ctx context.Context, in io.Reader) result {
		var out, err bytes.Buffer
		status := cli.Main(ctx, []string{"apply", dir}, cli.System{In: in, Out: &out, Err: &err, Getenv: getenv, Terminal: true})
		return result{status, out.String(), err.String()}
	}
	for _, answer := range []string{"", "\n", "y\n", "no\n", "YES please\n"} {
		got := ask(t.Context(), strings.NewReader(answer))
		if got.status != 3 || !strings.Contains(got.err, "SLP-CLI-004") || !strings.Contains(got.err, "Type yes: ") {
			t.Errorf("answer %q: status %d, want 3:\n%s", answer, got.status, got.err)
		}
	}

	ctx, cancel := context.WithCancel(t.Context())
	waiting, _ := io.Pipe() // nobody answers
	if got := ask(ctx, interrupting{waiting, cancel}); got.status != 130 {
		t.Errorf("interrupted at the question: status %d, want 130:\n%s", got.status, got.err)
	}

	if got := ask(t.Context(), strings.NewReader("yes\n")); got.status != 0 || !strings.Contains(got.out, "2 done, 0 failed") {
		t.Errorf("status %d, want 0:\n%s%s", got.status, got.out, got.err)
	}
}

// interrupting is a terminal at which the answer to a question is Ctrl-C.
type interrupting struct {
	io.Reader
	interrupt func()
}

func (i interrupting) Read(p []byte) (int, error) {
	i.interrupt()
	return i.Reader.Read(p)
}

// pin takes the cluster's id from the refusal of a plan.
func pin(t *testing.T, dir string, getenv func(string) string) {
	t.Helper()
	got := runWith(t.Context(), getenv, "plan", dir)
	if got.status != 3 {
		t.Fatalf("status %d, want 3 for a cluster that is not the pinned one:\n%s", got.status, got.err)
	}
	_, id, _ := strings.Cut(strings.SplitN(got.err, "\n", 2)[0], "answers has id ")
	rewrite(t, filepath.Join(dir, "clusters.yaml"), "embedded-test-cluster1", id)
}
