package registry_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/embedded/registry"
)

// call sends one request to a handler.
func call(h http.Handler, method, path, body string, auth ...string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	if len(auth) == 1 {
		user, password, _ := strings.Cut(auth[0], ":")
		req.SetBasicAuth(user, password)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w
}

// history makes a journal with one change of each kind and returns its bytes.
func history(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "journal")
	r := open(t, registry.Config{Journal: path})
	for _, c := range [][3]string{
		{"PUT", "/config/a-value", `{"compatibility":"NONE"}`},
		{"POST", "/subjects/a-value/versions", body("", order1)},
		{"POST", "/subjects/a-value/versions", body("", orderNo)},
		{"POST", "/subjects/b-value/versions", body("JSON", closed1)},
		{"DELETE", "/subjects/a-value/versions/1", ""},
		{"PUT", "/config", `{"compatibility":"FULL"}`},
		{"DELETE", "/config/a-value", ""},
	} {
		if got := call(r, c[0], c[1], c[2]); got.Code != 200 {
			t.Fatalf("%s %s = %d %s", c[0], c[1], got.Code, got.Body)
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// view is everything a client can see.
func view(r http.Handler) string {
	var b strings.Builder
	for _, path := range []string{
		"/subjects?deleted=true", "/subjects/a-value/versions", "/subjects/a-value/versions?deleted=true",
		"/subjects/a-value/versions/latest", "/subjects/b-value/versions/1",
		"/schemas/ids/1", "/schemas/ids/2", "/schemas/ids/3", "/config", "/config/a-value",
	} {
		got := call(r, "GET", path, "")
		fmt.Fprintf(&b, "%s %d %s", path, got.Code, got.Body)
	}
	return b.String()
}

// TestAJournalCutAnywhereHoldsEveryChangeBeforeTheCut is kill -9 at every byte.
func TestAJournalCutAnywhereHoldsEveryChangeBeforeTheCut(t *testing.T) {
	t.Parallel()
	whole := history(t)
	path := filepath.Join(t.TempDir(), "journal")
	reopened := func(data []byte) (string, []byte) {
		t.Helper()
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		r := open(t, registry.Config{Journal: path})
		seen := view(r)
		if got := call(r, "POST", "/subjects/new-value/versions", body("", `"string"`)); got.Code != 200 {
			t.Fatalf("register after a cut: %d %s", got.Code, got.Body)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		after, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return seen, after
	}
	for cut := range len(whole) + 1 {
		kept := strings.LastIndexByte(string(whole[:cut]), '\n') + 1
		want, _ := reopened(whole[:kept])
		got, after := reopened(whole[:cut])
		if got != want {
			t.Fatalf("cut at byte %d of %d: got\n%s\nwant\n%s", cut, len(whole), got, want)
		}
		if again := open(t, registry.Config{Journal: writeTemp(t, after)}); call(again, "GET", "/subjects/new-value/versions", "").Code != 200 {
			t.Fatalf("cut at byte %d: what was written behind the cut is lost", cut)
		}
	}
}

func writeTemp(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "journal")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestADamagedJournalIsRefused(t *testing.T) {
	t.Parallel()
	whole := string(history(t))
	lines := strings.SplitAfter(whole, "\n")
	for name, data := range map[string]string{
		"a byte changed in the middle": strings.Replace(whole, "Order", "order", 1),
		"a line without checksum":      "{}\n" + whole,
		"a line of another program":    strings.Join([]string{lines[0], "hello\n", lines[1]}, ""),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := registry.Open(registry.Config{Journal: writeTemp(t, []byte(data))})
			if !errors.Is(err, diag.EmbeddedDamaged) {
				t.Errorf("Open = %v, want %s", err, diag.EmbeddedDamaged)
			}
		})
	}
}

func TestAnUnwrittenChangeIsNotVisible(t *testing.T) {
	t.Parallel()
	r := open(t, registry.Config{Journal: filepath.Join(t.TempDir(), "journal")})
	if err := r.Close(); err != nil { // every later write fails
		t.Fatal(err)
	}
	for range 2 {
		if got := call(r, "POST", "/subjects/a-value/versions", body("", order1)); got.Code != 500 {
			t.Errorf("register = %d %s, want 500", got.Code, got.Body)
		}
	}
	if got := call(r, "GET", "/subjects", ""); got.Body.String() != "[]\n" {
		t.Errorf("subjects after a write that failed = %s", got.Body)
	}
}
