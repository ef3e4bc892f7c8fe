package up_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/proc"
	"github.com/slipway-go/slipway/internal/up"
)

// patience bounds what a test waits for: much longer than it takes.
const patience = time.Minute

// quick restarts a service at once, and gives up on it at the third end.
var quick = proc.Policy{First: time.Millisecond, Longest: 10 * time.Millisecond, Limit: 3}

// goMod makes an estate's directory a module.
const goMod = "-- go.mod --\nmodule example.com/estate\n\ngo 1.26\n"

// contractOf is the least a contract can be.
func contractOf(name string, more ...string) string {
	return fmt.Sprintf("-- %s/slipway.yaml --\napiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: %s, owner: team-test}\nidentity: {auth: scram-sha-512}\n%s\n",
		name, name, strings.Join(more, "\n"))
}

// program is a service's main.go, with what main does.
func program(name, body string, imports ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "-- %s/main.go --\npackage main\n\nimport (\n", name)
	for _, i := range append(imports, "fmt", "os", "os/signal", "syscall") {
		fmt.Fprintf(&b, "\t%q\n", i)
	}
	fmt.Fprintf(&b, ")\n\nfunc main() {\n%s\n}\n\n", body)
	b.WriteString("var _ = fmt.Sprint\n\nfunc untilTold() {\n\tc := make(chan os.Signal, 1)\n\tsignal.Notify(c, syscall.SIGTERM)\n\t<-c\n\tfmt.Println(\"told to stop\")\n}\n")
	return b.String()
}

// write writes an estate, given in txtar's form, and returns its directory.
func write(t *testing.T, parts ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range txtar.Parse([]byte(strings.Join(parts, ""))).Files {
		name := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A run is a run under test: what it told, and how it ended.
type run struct {
	dir    string
	cancel context.CancelCauseFunc
	done   chan struct{}
	result up.Result
	err    error // read after done

	mu     sync.Mutex
	events []up.Event
	more   chan struct{} // closed when there is another event
}

// start runs an estate in the background. It ends with the test.
func start(t *testing.T, cfg up.Config) *run {
	t.Helper()
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(t.Context()))
	r := &run{dir: cfg.Dir, cancel: cancel, done: make(chan struct{}), more: make(chan struct{})}
	if cfg.StateDir == "" {
		cfg.StateDir = t.TempDir()
	}
	cfg.Observe = r.observe
	go func() {
		defer close(r.done)
		r.result, r.err = up.Run(ctx, cfg)
	}()
	t.Cleanup(func() {
		cancel(errors.New("the test is over"))
		<-r.done
		if t.Failed() {
			t.Logf("ended with %v\n%s", r.err, r.text())
		}
	})
	return r
}

func (r *run) observe(e up.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
	close(r.more)
	r.more = make(chan struct{})
}

// wait waits for the run to end.
func (r *run) wait(t *testing.T) (up.Result, error) {
	t.Helper()
	select {
	case <-r.done:
		return r.result, r.err
	case <-time.After(patience):
		t.Fatalf("the run does not end; it told\n%s", r.text())
		return up.Result{}, nil
	}
}

// text is everything the run told.
func (r *run) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	for _, e := range r.events {
		fmt.Fprintf(&b, "%T %+v\n", e, e)
	}
	return b.String()
}

// await waits for the first event of a type that a condition holds for.
func await[E up.Event](t *testing.T, r *run, is func(E) bool) E {
	t.Helper()
	deadline := time.After(patience)
	for {
		r.mu.Lock()
		more, seen := r.more, slices.Clone(r.events)
		r.mu.Unlock()
		for _, e := range seen {
			if e, ok := e.(E); ok && is(e) {
				return e
			}
		}
		select {
		case <-more:
		case <-r.done:
			var none E
			t.Fatalf("the run ended with %v and told no such %T:\n%s", r.err, none, r.text())
		case <-deadline:
			var none E
			t.Fatalf("no such %T; the run told\n%s", none, r.text())
		}
	}
}

// whichever is the condition of await that every event meets.
func whichever[E up.Event](E) bool { return true }

// all are the events of a type, in order.
func all[E up.Event](r *run) []E {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []E
	for _, e := range r.events {
		if e, ok := e.(E); ok {
			out = append(out, e)
		}
	}
	return out
}

// freePort returns a port that nobody listens on, from below those that the
// kernel gives to others in the meantime.
func freePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		port := 20000 + rand.IntN(10000)
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

func find(t *testing.T, err error, code diag.Code) diag.Diagnostic {
	t.Helper()
	for _, d := range diag.Of(err) {
		if d.Code == code {
			return d
		}
	}
	t.Fatalf("got %v, want a diagnostic %s", err, code)
	return diag.Diagnostic{}
}
