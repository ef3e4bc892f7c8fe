package share_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/image"
	"github.com/slipway-go/slipway/internal/share"
	"github.com/slipway-go/slipway/internal/share/registrytest"
)

// program is the smallest one there is, compiled once.
var program = sync.OnceValues(func() (image.Program, error) {
	dir, err := os.MkdirTemp("", "slipway-share-test-")
	if err != nil {
		return image.Program{}, err
	}
	defer os.RemoveAll(dir)
	for name, text := range map[string]string{"go.mod": "module example.com/tiny\n\ngo 1.26\n", "main.go": "package main\n\nfunc main() {}\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return image.Program{}, err
		}
	}
	platforms, err := image.ParsePlatforms([]string{"linux/amd64"})
	if err != nil {
		return image.Program{}, err
	}
	return image.Compiler{Dir: dir, Name: "tiny", Environ: os.Environ()}.Compile(context.Background(), platforms[0])
})

func built(t *testing.T, version string) *image.Image {
	t.Helper()
	p, err := program()
	if err != nil {
		t.Fatal(err)
	}
	m, err := image.Assemble(image.Spec{Name: "orders", Version: version, Programs: []image.Program{p}})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// place is where images are pushed to in a registry of the test's own.
func place(t *testing.T, r *registrytest.Registry) string {
	t.Helper()
	server, address := registrytest.Start(r)
	t.Cleanup(server.Close)
	return address + "/shop/orders"
}

// anonymous is a user without credentials.
var anonymous = share.Config{Getenv: func(string) string { return "" }}

func TestAnImageIsPushedUnderItsVersionWithItsBillOfMaterials(t *testing.T) {
	t.Parallel()
	r := &registrytest.Registry{}
	to, m := place(t, r), built(t, "v1.2.3+dirty")
	got, err := share.PushImage(t.Context(), anonymous, m, to, share.Keep)
	if err != nil {
		t.Fatal(err)
	}
	if want := (share.Pushed{Reference: to + ":v1.2.3-dirty", Pinned: to + "@" + m.Digest()}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if text, found := r.Manifest("shop/orders", "v1.2.3-dirty"); !found || string(text) != string(m.Index.Content) {
		t.Errorf("the registry has %s", text)
	}
	resp, err := http.Get("http://" + strings.Replace(to, "/", "/v2/", 1) + "/referrers/" + m.Variants[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(text), `"artifactType":"application/vnd.cyclonedx+json"`) {
		t.Errorf("what refers to the image: %s, %v", text, err)
	}
}

func TestATagIsMovedOnlyOnDemand(t *testing.T) {
	t.Parallel()
	r := &registrytest.Registry{}
	to, first, next := place(t, r)+":latest", built(t, "v1.0.0"), built(t, "v1.0.1")
	push := func(m *image.Image, move share.Move) (share.Pushed, error) {
		return share.PushImage(t.Context(), anonymous, m, to, move)
	}
	if _, err := push(first, share.Keep); err != nil {
		t.Fatal(err)
	}
	_, before := r.Requests()
	if got, err := push(first, share.Keep); err != nil || !got.Unchanged {
		t.Errorf("again: %+v, %v", got, err)
	}
	if _, after := r.Requests(); after != before {
		t.Errorf("%d writes for what was there", after-before)
	}
	if _, err := push(next, share.Keep); !errors.Is(err, diag.ImageTaken) {
		t.Errorf("%v, want %s", err, diag.ImageTaken)
	}
	if text, _ := r.Manifest("shop/orders", "latest"); string(text) != string(first.Index.Content) {
		t.Error("the tag was moved")
	}
	if got, err := push(next, share.Moved); err != nil || got.Before != first.Digest() {
		t.Errorf("moved: %+v, %v", got, err)
	}
}

func TestAPushTellsWhatTheRegistrySays(t *testing.T) {
	t.Parallel()
	const password = "canary-of-the-registry"
	m := built(t, "v1.0.0")
	guarded := place(t, &registrytest.Registry{User: "ci", Password: password})
	if _, err := share.PushImage(t.Context(), anonymous, m, guarded, share.Keep); !errors.Is(err, diag.ImageRefused) {
		t.Errorf("no credential: %v, want %s", err, diag.ImageRefused)
	}
	dir := t.TempDir()
	host, _, _ := strings.Cut(guarded, "/")
	auth := base64.StdEncoding.EncodeToString([]byte("ci:" + password))
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(`{"auths":{"`+host+`":{"auth":"`+auth+`"}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	docker := share.Config{Getenv: func(name string) string { return map[string]string{"DOCKER_CONFIG": dir}[name] }}
	if _, err := share.PushImage(t.Context(), docker, m, guarded, share.Keep); err != nil {
		t.Errorf("docker's credential: %v", err)
	}
	broken := place(t, &registrytest.Registry{Answer: func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusInsufficientStorage)
		}
		return r.Method == http.MethodPost
	}})
	if _, err := share.PushImage(t.Context(), anonymous, m, broken, share.Keep); !errors.Is(err, diag.ImageRegistry) || strings.Contains(err.Error(), password) {
		t.Errorf("a full registry: %v, want %s", err, diag.ImageRegistry)
	}
}

func TestTheNameOfAnImageHasARegistryAndATag(t *testing.T) {
	t.Parallel()
	for to, want := range map[string]string{
		"registry.example.com/shop/orders":       "registry.example.com/shop/orders:v1-meta",
		"oci://registry.example.com/shop/orders": "registry.example.com/shop/orders:v1-meta",
		"127.0.0.1:5000/orders:main":             "127.0.0.1:5000/orders:main",
		"orders":                                 "",
		"registry.example.com/Orders":            "",
		"https://registry.example.com/orders":    "",
		"registry.example.com/orders@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855": "",
	} {
		got, err := share.CheckImage(to, "v1+meta")
		if got != want || (want == "") != errors.Is(err, diag.ImageReference) {
			t.Errorf("CheckImage(%q) = %q, %v, want %q", to, got, err, want)
		}
	}
	if _, err := share.CheckImage("registry.example.com/orders", ""); !errors.Is(err, diag.ImageReference) {
		t.Errorf("without a version: %v, want %s", err, diag.ImageReference)
	}
}

// An oldRegistry knows nothing of what refers to an image.
type oldRegistry struct{ http.Handler }

func (o oldRegistry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.Contains(r.URL.Path, "/referrers/") {
		http.NotFound(w, r)
		return
	}
	o.Handler.ServeHTTP(silent{w}, r)
}

type silent struct{ http.ResponseWriter }

func (s silent) WriteHeader(status int) {
	s.Header().Del("OCI-Subject")
	s.ResponseWriter.WriteHeader(status)
}

func TestARegistryWithoutReferrersListsTheBillOfMaterialsUnderATag(t *testing.T) {
	t.Parallel()
	r := &registrytest.Registry{}
	server := httptest.NewServer(oldRegistry{r})
	t.Cleanup(server.Close)
	m := built(t, "v1.0.0")
	if _, err := share.PushImage(t.Context(), anonymous, m, strings.TrimPrefix(server.URL, "http://")+"/shop/orders", share.Keep); err != nil {
		t.Fatal(err)
	}
	tag := strings.Replace(m.Variants[0].Digest, ":", "-", 1)
	if text, found := r.Manifest("shop/orders", tag); !found || !strings.Contains(string(text), "application/vnd.cyclonedx+json") {
		t.Errorf("under %s the registry has %s", tag, text)
	}
}
