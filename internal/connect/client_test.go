package connect_test

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/connect"
	"github.com/slipway-go/slipway/internal/connect/connecttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs a handler for as long as the test, and returns a client of it.
func serve(t *testing.T, h http.Handler, change ...func(*connect.Config)) *connect.Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	cfg := connect.Config{URL: s.URL, Pause: time.Millisecond}
	for _, f := range change {
		f(&cfg)
	}
	c, err := connect.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func sink() map[string]string {
	return map[string]string{"connector.class": connecttest.Sink, "topics": "orders.created.v1", "tasks.max": "2"}
}

func TestAConnectorIsMadeListedChangedAndDeleted(t *testing.T) {
	t.Parallel()
	w := &connecttest.Worker{}
	c := serve(t, w)
	if err := c.Put(t.Context(), "a/b c", sink()); err != nil {
		t.Fatal(err)
	}
	all, err := c.Connectors(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := sink()
	want["name"] = "a/b c"
	task := func(id int) connect.Task {
		return connect.Task{ID: id, State: connect.Running, Worker: "127.0.0.1:8083"}
	}
	if diff := cmp.Diff(map[string]connect.Connector{"a/b c": {
		Name: "a/b c", Type: "sink", State: connect.Running, Worker: "127.0.0.1:8083", Tasks: []connect.Task{task(0), task(1)}, Config: want,
	}}, all); diff != "" {
		t.Errorf("connectors (-want +got):\n%s", diff)
	}
	changed := sink()
	delete(changed, "tasks.max")
	if err := c.Put(t.Context(), "a/b c", changed); err != nil || w.Config("a/b c")["tasks.max"] != "" {
		t.Errorf("after a change without tasks.max: %v, %v", w.Config("a/b c"), err)
	}
	for range 2 { // the second time there is nothing
		if err := c.Delete(t.Context(), "a/b c"); err != nil {
			t.Error(err)
		}
	}
	if all, err := c.Connectors(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("after the deletion: %v, %v", all, err)
	}
}

func TestAFailedTaskTellsWhatItFailedWithUntilItIsRestarted(t *testing.T) {
	t.Parallel()
	w := &connecttest.Worker{}
	c := serve(t, w)
	if err := c.Put(t.Context(), "s", sink()); err != nil {
		t.Fatal(err)
	}
	w.Fail("s", "org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSinkTask\n\tat org.apache.X(X.java:1)\nCaused by: java.io.IOException: write\n\tat a\nCaused by: java.lang.Error: disk full\n\t... 10 more\n")
	status := func() connect.Connector {
		t.Helper()
		all, err := c.Connectors(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return all["s"]
	}
	got := status()
	if want := "org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSinkTask (java.lang.Error: disk full)"; got.Healthy() || got.Tasks[0].Trace != want || got.Count(connect.Failed) != 1 {
		t.Errorf("got %+v, want task 0 failed with %s", got, want)
	}
	if err := c.Restart(t.Context(), "s", connect.WhatFailed); err != nil || !status().Healthy() {
		t.Errorf("after a restart: %+v, %v", status(), err)
	}
	if err := c.Restart(t.Context(), "s", connect.Everything); err != nil {
		t.Error(err)
	}
	want := []string{"PUT s", "RESTART s includeTasks=true&onlyFailed=true", "RESTART s includeTasks=true&onlyFailed=false"}
	if diff := cmp.Diff(want, w.Calls()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if err := c.Restart(t.Context(), "t", connect.Everything); !errors.Is(err, diag.ConnectUnknown) {
		t.Errorf("restart of none: %v, want %s", err, diag.ConnectUnknown)
	}
}

func TestAPluginsFaultsAreToldByKey(t *testing.T) {
	t.Parallel()
	c := serve(t, &connecttest.Worker{})
	for name, tt := range map[string]struct {
		change map[string]string
		want   []connect.Fault
	}{
		"none":     {nil, nil},
		"no class": {map[string]string{"connector.class": ""}, []connect.Fault{{Key: "connector.class", Message: "it is missing"}}},
		"a class nobody has": {map[string]string{"connector.class": "a.B"},
			[]connect.Fault{{Key: "connector.class", Message: "no worker has a plugin a.B"}}},
		"two": {map[string]string{"topics": "", "tasks.max": "many"}, []connect.Fault{
			{Key: "tasks.max", Message: "Invalid value many for configuration tasks.max: Not a number of type INT"},
			{Key: "topics", Message: `Missing required configuration "topics" which has no default value.`},
		}},
	} {
		config := sink()
		maps.Copy(config, tt.change)
		got, err := c.Validate(t.Context(), config)
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

// TestAPluginsWordsNeverShowWhatAReferenceResolvesTo answers as a worker that
// has resolved a reference before it judged.
func TestAPluginsWordsNeverShowWhatAReferenceResolvesTo(t *testing.T) {
	t.Parallel()
	c := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/validate") {
			_, _ = io.WriteString(w, `{"configs": [{"value": {"name": "db.user", "errors": ["Invalid value canary for configuration db.user"]}},
				{"value": {"name": "db.password", "errors": ["canary is too short"]}},
				{"value": {"name": "url", "errors": ["http://x is away: own-secret"]}}]}`)
			return
		}
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error_code": 400, "message": "Invalid value canary"}`)
	}))
	config := map[string]string{"connector.class": "a.B", "db.user": "${file:/etc/db:user}", "db.password": "own-secret"}
	faults, err := c.Validate(t.Context(), config)
	if err != nil || len(faults) != 3 || faults[2].Message != "http://x is away: ***" {
		t.Errorf("faults %v, %v", faults, err)
	}
	text := fmt.Sprint(faults, c.Put(t.Context(), "s", config))
	if strings.Contains(text, "canary") || strings.Contains(text, "own-secret") || !strings.Contains(text, "words are left out") {
		t.Errorf("told: %s", text)
	}
}

func TestARebalanceIsWaitedForAsLongAsTheContextAllows(t *testing.T) {
	t.Parallel()
	w := &connecttest.Worker{}
	w.Busy(5)
	c := serve(t, w)
	if err := c.Put(t.Context(), "s", sink()); err != nil || w.Config("s") == nil {
		t.Errorf("after five answers of 409: %v", err)
	}
	w.Busy(1 << 30)
	because := errors.New("no time")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Millisecond, because)
	defer cancel()
	if err := c.Put(ctx, "s", sink()); !errors.Is(err, diag.ConnectBusy) || !errors.Is(err, because) {
		t.Errorf("a rebalance without end: %v, want %s and the context's cause", err, diag.ConnectBusy)
	}
}

func TestACredentialIsSentAndNeverTold(t *testing.T) {
	t.Parallel()
	credential := func() (string, error) { return "apply:canary\n", nil }
	w := &connecttest.Worker{User: "apply", Password: "canary"}
	if err := serve(t, w, func(c *connect.Config) { c.Credentials = credential }).Put(t.Context(), "s", sink()); err != nil {
		t.Error(err)
	}
	if _, err := serve(t, w).Connectors(t.Context()); !errors.Is(err, diag.ConnectLogin) {
		t.Errorf("without a credential: %v, want %s", err, diag.ConnectLogin)
	}
	pair := func(text string) func(*connect.Config) {
		return func(c *connect.Config) { c.Credentials = func() (string, error) { return text, nil } }
	}
	if _, err := serve(t, w, pair("canary")).Connectors(t.Context()); !errors.Is(err, diag.ConnectLogin) || strings.Contains(err.Error(), "canary") {
		t.Errorf("a credential without a colon: %v", err)
	}
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, password, _ := r.BasicAuth()
		fmt.Fprintf(w, `{"message": "you sent %s, %s"}`, r.Header.Get("Authorization"), password)
	})
	_, err := serve(t, echo, pair("apply:canary")).Connectors(t.Context())
	if !errors.Is(err, diag.ConnectLogin) || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), base64.StdEncoding.EncodeToString([]byte("apply:canary"))) {
		t.Errorf("an echo: %v", err)
	}
	c, err := connect.New(connect.Config{URL: "http://connect.example.com", Credentials: credential})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Connectors(t.Context()); !errors.Is(err, diag.ConnectAddress) {
		t.Errorf("a password in the clear: %v, want %s", err, diag.ConnectAddress)
	}
	failed := errors.New("the file is gone")
	_, err = serve(t, w, func(c *connect.Config) { c.Credentials = func() (string, error) { return "", failed } }).Connectors(t.Context())
	if !errors.Is(err, failed) {
		t.Errorf("a credential that cannot be read: %v", err)
	}
}

func TestAWorkerBehindTheClustersCAIsTrusted(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(&connecttest.Worker{})
	t.Cleanup(s.Close)
	strange, err := connect.New(connect.Config{URL: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := strange.Connectors(t.Context()); !errors.Is(err, diag.ConnectUnreachable) {
		t.Errorf("without the CA: %v, want %s", err, diag.ConnectUnreachable)
	}
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	tls := s.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	tls.RootCAs = roots
	known, err := connect.New(connect.Config{URL: s.URL, TLS: tls})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(known.Close)
	if _, err := known.Connectors(t.Context()); err != nil {
		t.Errorf("with the CA: %v", err)
	}
}

func TestWhatIsNotConnectIsToldApart(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	t.Cleanup(other.Close)
	for name, tt := range map[string]struct {
		status int
		body   string
		want   diag.Code
	}{
		"a page":                   {200, "<html>", diag.ConnectAnswer},
		"a list, as before 2.3":    {200, `["a"]`, diag.ConnectAnswer},
		"a proxy's refusal":        {502, "<html>Bad gateway</html>", diag.ConnectAnswer},
		"another API":              {404, `{"error_code": 404, "message": "HTTP 404 Not Found"}`, diag.ConnectAnswer},
		"a redirect":               {307, "", diag.ConnectAnswer},
		"an error of the worker":   {500, `{"error_code": 500, "message": "Request timed out"}`, diag.ConnectRefused},
		"words for a terminal":     {500, `{"error_code": 500, "message": "\u001b[2J"}`, diag.ConnectRefused},
		"an answer without an end": {200, strings.Repeat("x", 33<<20), diag.ConnectAnswer},
	} {
		c := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", other.URL)
			w.WriteHeader(tt.status)
			_, _ = io.WriteString(w, tt.body)
		}))
		_, err := c.Connectors(t.Context())
		if !errors.Is(err, tt.want) || strings.ContainsRune(err.Error(), '\x1b') {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
	}
	if elsewhere.Load() > 0 {
		t.Error("a redirect was followed")
	}
}

func TestNobodyAtTheAddressIsToldAndSoIsACallerWhoGivesUp(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(nil)
	s.Close()
	c, err := connect.New(connect.Config{URL: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Connectors(t.Context()); !errors.Is(err, diag.ConnectUnreachable) {
		t.Errorf("nobody there: %v, want %s", err, diag.ConnectUnreachable)
	}
	because := errors.New("shutdown")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(because)
	if _, err := c.Connectors(ctx); !errors.Is(err, because) {
		t.Errorf("given up: %v, want %v", err, because)
	}
}

func TestAnAddressThatCannotBeUsedIsRefused(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "connect.example.com", "ftp://connect", "https://u:canary@connect", "https://connect?x=1", "https://connect#x", "https://%zz"} {
		_, err := connect.New(connect.Config{URL: url})
		if !errors.Is(err, diag.ConnectAddress) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: %v, want %s", url, err, diag.ConnectAddress)
		}
	}
}
