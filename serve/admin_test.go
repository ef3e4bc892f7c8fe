package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/slipwaytest"
)

const consuming = `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: greeter, owner: team-greeting}
identity: {auth: scram-sha-512}
consumes:
  names.v1: {concurrency: 4, timeout: 10s, retry: {delays: [1s], then: dead-letter}}
`

// administered runs a test against the admin endpoint of a service.
func administered(t *testing.T, configure func(*slipway.Config), test func(t *testing.T, k *slipwaytest.Kit, app *slipway.App, h http.Handler)) {
	t.Helper()
	var app *slipway.App
	wire := func(a *slipway.App) error {
		app = a
		slipway.Handle(a, "names.v1", func(_ context.Context, m *slipway.Message[[]byte]) error {
			if string(m.Value) == "stuck" {
				<-time.After(10 * time.Minute)
			}
			return nil
		})
		return nil
	}
	service := slipwaytest.Service{Files: fstest.MapFS{"slipway.yaml": {Data: []byte(consuming)}}, Wire: wire, Configure: configure}
	slipwaytest.RunAll(t, []slipwaytest.Service{service}, func(t *testing.T, k *slipwaytest.Kit) {
		k.Advance(time.Second) // its first partitions open after the group has formed
		test(t, k, app, admin(app, nil, nil))
	})
}

// ask sends a request and decodes the answer.
func ask(t *testing.T, h http.Handler, method, path, body string, headers ...string) (int, map[string]any) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "http://127.0.0.1:9180"+path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var got map[string]any
	if w.Header().Get("Content-Type") == "application/json" {
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatalf("%s %s answered %q: %v", method, path, w.Body, err)
		}
	}
	return w.Code, got
}

func TestAnOperatorSeesAndChangesHowAServiceConsumes(t *testing.T) {
	t.Parallel()
	administered(t, nil, func(t *testing.T, k *slipwaytest.Kit, app *slipway.App, h http.Handler) {
		k.SendBytes("names.v1", []byte("k"), []byte("Ada"))
		k.Advance(time.Minute)
		code, got := ask(t, h, http.MethodGet, "/slipway/v1/entries", "")
		if code != http.StatusOK {
			t.Fatalf("GET entries = %d", code)
		}
		entry := got["entries"].([]any)[0].(map[string]any)
		if entry["entry"] != "names.v1" || entry["breaker"] != "closed" || entry["tuning"].(map[string]any)["concurrency"] != 4.0 {
			t.Errorf("entry = %v", entry)
		}
		if p := entry["partitions"].([]any)[0].(map[string]any); p["lag"] != 0.0 || p["start_source"] != "earliest" {
			t.Errorf("partition = %v", p)
		}
		if code, got := ask(t, h, http.MethodGet, "/slipway/v1/credential", ""); code != http.StatusOK || got["mounted"] == nil {
			t.Errorf("GET /slipway/v1/credential = %d %v, want what is mounted", code, got)
		}
		code, got = ask(t, h, http.MethodPatch, "/slipway/v1/entries/names.v1", `{"concurrency": 9, "held": ["x"], "timeout_ms": 5000}`)
		if code != http.StatusOK || got["concurrency"] != 9.0 || got["paused"] != false {
			t.Errorf("PATCH = %d %v, want the whole tuning", code, got)
		}
		if now := app.Tuned()["names.v1"]; *now.Concurrency != 9 || *now.TimeoutMillis != 5000 || len(*now.Held) != 1 {
			t.Errorf("tuned to %+v", now)
		}
	})
}

func TestAWrongChangeIsRefusedWithItsCode(t *testing.T) {
	t.Parallel()
	administered(t, nil, func(t *testing.T, _ *slipwaytest.Kit, app *slipway.App, h http.Handler) {
		for name, tt := range map[string]struct {
			entry, body string
			code        int
			want        diag.Code
		}{
			"an unknown field": {"names.v1", `{"concurrency": 9, "speed": 1}`, http.StatusBadRequest, diag.RuntimeRequestInvalid},
			"no JSON":          {"names.v1", `concurrency: 9`, http.StatusBadRequest, diag.RuntimeRequestInvalid},
			"two values":       {"names.v1", `{"concurrency": 9} {}`, http.StatusBadRequest, diag.RuntimeRequestInvalid},
			"a wrong type":     {"names.v1", `{"concurrency": "9"}`, http.StatusBadRequest, diag.RuntimeRequestInvalid},
			"a huge body":      {"names.v1", `{"held": ["` + strings.Repeat("k", maxTuningBytes) + `"]}`, http.StatusBadRequest, diag.RuntimeRequestInvalid},
			"out of bounds":    {"names.v1", `{"concurrency": 9, "bulkhead": -1}`, http.StatusUnprocessableEntity, diag.RuntimeTuningInvalid},
			"an unknown entry": {"nothing.v1", `{"concurrency": 9}`, http.StatusNotFound, diag.RuntimeTuningInvalid},
		} {
			code, got := ask(t, h, http.MethodPatch, "/slipway/v1/entries/"+tt.entry, tt.body)
			if code != tt.code {
				t.Errorf("%s: %d, want %d", name, code, tt.code)
				continue
			}
			fault := got["errors"].([]any)[0].(map[string]any)
			if fault["code"] != string(tt.want) || fault["fix"] == "" || fault["fix"] == nil {
				t.Errorf("%s: %v, want %s with its fix", name, fault, tt.want)
			}
		}
		if n := *app.Tuned()["names.v1"].Concurrency; n != 4 {
			t.Errorf("concurrency = %d after changes that were refused", n)
		}
	})
}

func TestWithoutATokenOnlyThisMachineIsAnswered(t *testing.T) {
	t.Parallel()
	administered(t, nil, func(t *testing.T, _ *slipwaytest.Kit, app *slipway.App, h http.Handler) {
		for name, tt := range map[string]struct {
			method  string
			headers []string
			want    int
		}{
			"this machine":           {http.MethodGet, nil, http.StatusOK},
			"by name":                {http.MethodGet, []string{"Host", "localhost:9180"}, http.StatusOK},
			"by IPv6":                {http.MethodGet, []string{"Host", "[::1]:9180"}, http.StatusOK},
			"a name that leads here": {http.MethodGet, []string{"Host", "evil.example:9180"}, http.StatusUnauthorized},
			"a page of another site": {http.MethodPatch, []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
			"a method there is not":  {http.MethodDelete, nil, http.StatusMethodNotAllowed},
		} {
			path := "/slipway/v1/entries"
			if tt.method != http.MethodGet {
				path += "/names.v1"
			}
			if code, _ := ask(t, h, tt.method, path, `{"concurrency": 9}`, tt.headers...); code != tt.want {
				t.Errorf("%s: %d, want %d", name, code, tt.want)
			}
		}
		if n := *app.Tuned()["names.v1"].Concurrency; n != 4 {
			t.Errorf("concurrency = %d after requests that were refused", n)
		}
	})
}

func TestWithATokenFileEveryRequestNeedsItsToken(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "token")
	write := func(token string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("the-first-long-token")
	configure := func(cfg *slipway.Config) { cfg.Environment.AdminTokenFile = file }
	administered(t, configure, func(t *testing.T, _ *slipwaytest.Kit, _ *slipway.App, h http.Handler) {
		require := func(what string, want int, headers ...string) {
			t.Helper()
			code, got := ask(t, h, http.MethodGet, "/slipway/v1/entries", "", append(headers, "Host", "greeter.example:9180")...)
			if code != want {
				t.Errorf("%s: %d, want %d", what, code, want)
			}
			if want == http.StatusUnauthorized && !strings.Contains(fmt.Sprint(got), string(diag.RuntimeAdminDenied)) {
				t.Errorf("%s: %v, want %s", what, got, diag.RuntimeAdminDenied)
			}
			if strings.Contains(fmt.Sprint(got), "long-token") {
				t.Errorf("%s: the answer shows the token", what)
			}
		}
		require("no token", http.StatusUnauthorized)
		require("another token", http.StatusUnauthorized, "Authorization", "Bearer the-other-long-token")
		require("another scheme", http.StatusUnauthorized, "Authorization", "Basic the-first-long-token")
		require("the token", http.StatusOK, "Authorization", "Bearer the-first-long-token")
		write("the-second-long-token")
		require("the old token", http.StatusUnauthorized, "Authorization", "Bearer the-first-long-token")
		require("the new token", http.StatusOK, "Authorization", "Bearer the-second-long-token")
		write("short")
		require("a token that is too short", http.StatusUnauthorized, "Authorization", "Bearer short")
		write("")
		require("no token at all", http.StatusUnauthorized, "Authorization", "Bearer ")
	})
}

func TestHealthAndLivenessTellOfAHandlerThatHangs(t *testing.T) {
	t.Parallel()
	administered(t, nil, func(t *testing.T, k *slipwaytest.Kit, app *slipway.App, h http.Handler) {
		health := func(want string) {
			t.Helper()
			if _, got := ask(t, h, http.MethodGet, "/slipway/v1/health", ""); fmt.Sprint(got["ready"], " ", got["live"], " ", len(got["problems"].([]any))) != want {
				t.Errorf("health = %v, want %s", got, want)
			}
		}
		live := func() int {
			code, _ := ask(t, probes(app, nil), http.MethodGet, "/livez", "")
			return code
		}
		health("true true 0")
		k.SendBytes("names.v1", []byte("k"), []byte("stuck"))
		k.Advance(20 * time.Second)
		health("false true 1")
		if code := live(); code != http.StatusOK {
			t.Errorf("/livez = %d while the handler may still return", code)
		}
		k.Advance(2 * time.Minute)
		health("false false 1")
		if code := live(); code != http.StatusServiceUnavailable {
			t.Errorf("/livez = %d though only a restart helps", code)
		}
		k.Advance(10 * time.Minute)
		health("true true 0")
	})
}

func TestHealthWarnsOfMountedFilesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	administered(t, nil, func(t *testing.T, _ *slipwaytest.Kit, app *slipway.App, h http.Handler) {
		warnings := func() string {
			_, got := ask(t, h, http.MethodGet, "/slipway/v1/health", "")
			if got["ready"] != true {
				t.Errorf("health = %v, want ready: what was mounted before is in use", got)
			}
			return fmt.Sprint(got["warnings"])
		}
		if got := warnings(); got != "[]" {
			t.Errorf("warnings = %s, want none", got)
		}
		file := app.Environment().CAFile
		if err := os.WriteFile(file, []byte("garbage"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := warnings(); !strings.Contains(got, string(diag.TLSRootsUnread)) || !strings.Contains(got, file) {
			t.Errorf("warnings = %s, want %s and the file", got, diag.TLSRootsUnread)
		}
	})
}

func TestTheAdminEndpointListensWhereItIsTold(t *testing.T) {
	t.Parallel()
	port, addr := freePort(t), fmt.Sprintf("127.0.0.1:%d", freePort(t))
	stderr, signals, status := startIn(t, port, func(*slipway.App) error { return nil }, map[string]string{"ADMIN_ADDRESS": addr})
	resp, err := eventually(t, "http://"+addr+"/slipway/v1/health", status)
	if err != nil {
		t.Fatalf("GET health: %v\n%s", err, stderr)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("GET health = %d", resp.StatusCode)
	}
	signals <- syscall.SIGTERM
	if got := <-status; got != exitOK {
		t.Errorf("exit status = %d\n%s", got, stderr)
	}
}
