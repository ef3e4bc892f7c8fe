package serve

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/internal/embedded"
	"github.com/slipway-go/slipway/telemetry"
	"github.com/slipway-go/slipway/telemetry/prometheus"
)

// A contract without topics: serve is about everything else.
const greeter = `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: greeter, owner: team-greeting}
identity: {auth: scram-sha-512}
workload: {image: registry.example.com/greeter, http: %d}
`

// buffer collects what a process writes while it runs.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// start runs a service on a cluster of its own and returns what it wrote, its
// port, a way to signal it and its exit status.
func start(t *testing.T, port int, wire func(*slipway.App) error) (*buffer, chan<- os.Signal, <-chan int) {
	t.Helper()
	return startIn(t, port, wire, nil)
}

// startIn is start with more variables.
func startIn(t *testing.T, port int, wire func(*slipway.App) error, more map[string]string) (*buffer, chan<- os.Signal, <-chan int) {
	t.Helper()
	cluster, err := embedded.Start(t.Context(), embedded.Config{Brokers: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cluster.Close() })
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	env := map[string]string{
		"ENVIRONMENT": "dev", "BOOTSTRAP_SERVERS": strings.Join(cluster.Bootstrap(), ","), "LISTEN_HOST": "127.0.0.1",
		"TLS_CA_PATH": file("ca.crt", string(cluster.CA())), "SASL_PASSWORD_PATH": file("password", cluster.Admin().Password),
	}
	maps.Copy(env, more)
	files := fstest.MapFS{"slipway.yaml": {Data: fmt.Appendf(nil, greeter+greeting+"adopt: {principal: admin}\n", port)}}
	stderr, signals, status := new(buffer), make(chan os.Signal, 2), make(chan int, 1)
	go func() {
		status <- run(process{
			Service: Service{Files: files, Wire: wire, Exporters: []telemetry.Exporter{prometheus.Exporter()}},
			environ: environ(env), stderr: stderr, signals: signals,
		})
	}()
	return stderr, signals, status
}

// environ is an environment as os.Environ returns it.
func environ(env map[string]string) (all []string) {
	for name, value := range env {
		all = append(all, name+"="+value)
	}
	return all
}

// freePort returns a port that nothing listens on, and that the system hands to
// nobody who asks for any: the brokers of other tests do.
func freePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		port := 20_000 + rand.IntN(10_000)
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

func TestAServiceServesItsEndpointsAndProbesUntilItIsTold(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	stderr, signals, status := start(t, port, func(app *slipway.App) error {
		app.Mux().HandleFunc("GET /hello", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") })
		return nil
	})
	get := func(path string) (int, string) {
		resp, err := eventually(t, fmt.Sprintf("http://127.0.0.1:%d%s", port, path), status)
		if err != nil {
			t.Fatalf("GET %s: %v\n%s", path, err, stderr)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	for code, _ := get("/readyz"); code != http.StatusOK; code, _ = get("/readyz") {
	}
	for path, want := range map[string]string{"/hello": "hello", "/livez": "ok", "/startupz": "ok", "/readyz": "ok"} {
		if code, body := get(path); code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("GET %s = %d %q, want 200 with %q", path, code, body, want)
		}
	}
	signals <- syscall.SIGTERM
	if got := <-status; got != exitOK {
		t.Errorf("exit status %d after SIGTERM, want 0\n%s", got, stderr)
	}
	if log := stderr.String(); !strings.Contains(log, "draining") || !strings.Contains(log, "service stopped") {
		t.Errorf("the log does not tell of the drain:\n%s", log)
	}
}

// eventually asks until the server answers or the service ends.
func eventually(t *testing.T, url string, status <-chan int) (*http.Response, error) {
	t.Helper()
	for {
		resp, err := http.Get(url)
		if err == nil || !errors.Is(err, syscall.ECONNREFUSED) {
			return resp, err
		}
		select {
		case code := <-status:
			return nil, fmt.Errorf("service ended with status %d", code)
		case <-t.Context().Done():
			return nil, t.Context().Err()
		default:
		}
	}
}

func TestATakenPortIsToldAndEndsTheService(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	stderr, _, status := start(t, port, func(*slipway.App) error { return nil })
	if got := <-status; got != exitFailed {
		t.Errorf("exit status %d, want %d", got, exitFailed)
	}
	if said := stderr.String(); !strings.Contains(said, "error[SLP-RUN-019]") || !strings.Contains(said, fmt.Sprint(port)) || !strings.Contains(said, "slipway.yaml:5") {
		t.Errorf("stderr does not tell of port %d and its line:\n%s", port, said)
	}
}

func TestWhatCannotStartIsToldWithItsFix(t *testing.T) {
	t.Parallel()
	env := map[string]string{
		"ENVIRONMENT": "dev", "BOOTSTRAP_SERVERS": "127.0.0.1:1", "TLS_CA_PATH": "/no/such/ca.crt", "SASL_PASSWORD_PATH": "/no/such/password",
	}
	for name, tt := range map[string]struct {
		env  map[string]string
		file string
		wire func(*slipway.App) error
		code int
		want string
	}{
		"no environment": {env: nil, file: fmt.Sprintf(greeter, 80), code: exitMisfit, want: "error[SLP-RUN-001]: ENVIRONMENT is not set"},
		"no contract":    {env: env, code: exitMisfit, want: "slipway.yaml"},
		"wiring fails": {
			env: env, file: fmt.Sprintf(greeter, 80), code: exitFailed, want: "error[SLP-RUN-020]: open database: disk is full",
			wire: func(*slipway.App) error { return errors.New("open database: disk is full") },
		},
		"an unreadable file": {env: env, file: fmt.Sprintf(greeter, 80), code: exitFailed, want: "error[SLP-RUN-003]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := fstest.MapFS{}
			if tt.file != "" {
				files["slipway.yaml"] = &fstest.MapFile{Data: []byte(tt.file)}
			}
			if tt.wire == nil {
				tt.wire = func(*slipway.App) error { return nil }
			}
			var stderr bytes.Buffer
			got := run(process{Service: Service{Files: files, Wire: tt.wire}, environ: environ(tt.env), stderr: &stderr})
			if got != tt.code || !strings.Contains(stderr.String(), tt.want) || !strings.Contains(stderr.String(), "fix: ") {
				t.Errorf("exit status %d, want %d; stderr, want %q with a fix:\n%s", got, tt.code, tt.want, &stderr)
			}
		})
	}
}
