package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/serve/profile"
	"github.com/slipway-go/slipway/slipwaytest"
)

// fetch asks an address and returns what it answers.
func fetch(t *testing.T, url string, status <-chan int) (int, string) {
	t.Helper()
	resp, err := eventually(t, url, status)
	if err != nil {
		t.Fatalf("GET %s: %v", url, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// A start that takes its time is told from a hang, and so is a drain: probes are
// answered from the beginning to the end.
func TestProbesAreAnsweredWhileTheServiceStartsAndDrains(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	begun, cached := make(chan struct{}), make(chan struct{})
	asked, let := make(chan struct{}), make(chan struct{})
	stderr, signals, status := start(t, port, func(app *slipway.App) error {
		app.OnStart("fill the cache", func(context.Context) error {
			close(begun)
			<-cached
			return nil
		})
		app.Mux().HandleFunc("GET /hello", func(w http.ResponseWriter, _ *http.Request) {
			close(asked)
			<-let
			_, _ = io.WriteString(w, "hello")
		})
		return nil
	})
	at := func(path string) string { return fmt.Sprintf("http://127.0.0.1:%d%s", port, path) }
	expect := func(when string, want int, mention string, paths ...string) {
		t.Helper()
		for _, path := range paths {
			if code, body := fetch(t, at(path), status); code != want || !strings.Contains(body, mention) {
				t.Errorf("%s: GET %s = %d %s, want %d and %q\n%s", when, path, code, body, want, mention, stderr)
			}
		}
	}
	<-begun
	expect("while it starts", 200, `"ok"`, livePaths...)
	expect("while it starts", 503, "fill the cache", append(slices.Clone(startedPaths), readyPaths...)...)
	expect("while it starts", 503, "starts", "/hello")
	close(cached)
	for {
		if code, _ := fetch(t, at("/readyz"), status); code == 200 {
			break
		}
	}
	expect("while it runs", 200, `"ok"`, slices.Concat(livePaths, startedPaths, readyPaths)...)

	hello := make(chan string, 1)
	go func() {
		_, body := fetch(t, at("/hello"), nil)
		hello <- body
	}()
	<-asked
	signals <- syscall.SIGTERM
	for {
		if code, _ := fetch(t, at("/readyz"), status); code == 503 {
			break
		}
	}
	expect("while it drains", 503, "stops", "/readyz", "/actuator/health/readiness")
	expect("while it drains", 200, `"ok"`, append(slices.Clone(livePaths), startedPaths...)...)
	close(let)
	if got := <-hello; got != "hello" {
		t.Errorf("a request that was open when the drain began was answered %q", got)
	}
	if got := <-status; got != exitOK {
		t.Errorf("exit status = %d\n%s", got, stderr)
	}
}

func TestARequestThatComesInTheDrainIsRefused(t *testing.T) {
	t.Parallel()
	g := newGate(http.NewServeMux(), func() bool { return false })
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- g.run(ctx, time.Minute) }()
	for g.enter() != running {
	}
	stop()
	for g.enter() == running {
		g.leave()
	}
	if code, _ := ask(t, g, http.MethodGet, "/", ""); code != http.StatusServiceUnavailable {
		t.Errorf("answered with %d, want 503", code)
	}
	select {
	case err := <-ended:
		t.Fatalf("the gate did not wait for the open request: %v", err)
	default:
	}
	g.leave()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestAServiceWithoutHTTPServesProbesAtHealthAddress(t *testing.T) {
	t.Parallel()
	addr := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	app, err := slipway.New(slipway.Config{
		Files:       fstest.MapFS{"slipway.yaml": {Data: []byte(consuming)}},
		Environment: slipway.Environment{Name: "dev", HealthAddress: addr},
	})
	if err != nil {
		t.Fatal(err)
	}
	app.Mux().HandleFunc("/hello", func(http.ResponseWriter, *http.Request) {})
	if err := listen(app, nil); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{"/livez": 200, "/healthz": 200, "/startupz": 503, "/hello": 404} {
		if code, body := fetch(t, "http://"+addr+path, nil); code != want {
			t.Errorf("GET %s = %d %s, want %d", path, code, body, want)
		}
	}
	if err := listen(app, nil); !errors.Is(err, diag.RuntimeListenFailed) || !strings.Contains(err.Error(), addr) {
		t.Errorf("listen on an address that is taken: %v", err)
	}
	if err := app.Run(t.Context()); err == nil {
		t.Fatal("it runs without a handler")
	}
	if _, err := http.Get("http://" + addr + "/livez"); err == nil {
		t.Error("the probes outlive the service")
	}
}

func TestAReadinessProbeNamesWhatFailsAndWhy(t *testing.T) {
	t.Parallel()
	administered(t, nil, func(t *testing.T, k *slipwaytest.Kit, app *slipway.App, h http.Handler) {
		k.Advance(time.Second)
		metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "up 1") })
		mux := probes(app, metrics)
		app.Tell("outbox", "the relay does not get on")
		code, got := ask(t, mux, http.MethodGet, "/readyz", "")
		text, _ := json.Marshal(got)
		first := got["checks"].([]any)[0].(map[string]any)
		if code != 503 || got["status"] != "unavailable" || first["name"] != "outbox" || first["status"] != "fail" || first["reason"] != "the relay does not get on" || first["since"] == "" {
			t.Errorf("readyz = %d %s, want the outbox first", code, text)
		}
		if code, got := ask(t, h, http.MethodGet, "/slipway/v1/health", ""); code != 200 || got["status"] != "unavailable" || fmt.Sprint(got["problems"]) != "[outbox: the relay does not get on]" {
			t.Errorf("the admin endpoint says %d %v", code, got)
		}
		app.Tell("outbox", "")
		if code, got := ask(t, mux, http.MethodGet, "/readyz", ""); code != 200 || got["status"] != "ok" || len(got["checks"].([]any)) < 5 {
			t.Errorf("readyz = %d %v", code, got)
		}
		if code, _ := ask(t, mux, http.MethodGet, "/metrics", ""); code != 200 {
			t.Errorf("metrics = %d", code)
		}
		if code, _ := ask(t, probes(app, nil), http.MethodGet, "/metrics", ""); code != 404 {
			t.Errorf("metrics = %d where there are none", code)
		}
	})
}

func TestProfilesAreAtTheAdminEndpointOnly(t *testing.T) {
	t.Parallel()
	administered(t, nil, func(t *testing.T, _ *slipwaytest.Kit, app *slipway.App, without http.Handler) {
		h := admin(app, nil, profile.Handler())
		for path, want := range map[string]int{"/debug/pprof/": 200, "/debug/pprof/goroutine?debug=1": 200, "/debug/pprof/heap": 200, "/debug/pprof/cmdline": 404} {
			if code, _ := ask(t, h, http.MethodGet, path, ""); code != want {
				t.Errorf("GET %s = %d at the admin endpoint, want %d", path, code, want)
			}
			if code, _ := ask(t, probes(app, nil), http.MethodGet, path, ""); code != 404 {
				t.Errorf("GET %s = %d beside the probes, want 404", path, code)
			}
			w := httptest.NewRecorder()
			without.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:9180"+path, http.NoBody))
			if w.Code != 404 || !strings.Contains(w.Body.String(), "serve/profile") {
				t.Errorf("GET %s = %d %s where no profiles are linked", path, w.Code, w.Body)
			}
		}
	})
}
