package share_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/share"
	"github.com/slipway-go/slipway/internal/share/registrytest"
)

const imageManifest = "application/vnd.oci.image.manifest.v1+json"

func TestAPublishedContractIsPulledAsItWas(t *testing.T) {
	t.Parallel()
	to := registry(t, &registrytest.Registry{}) + "orders:main"
	sent := publish(t, service("orders"), to)
	root := estate(t, map[string]string{"orders": to})
	u := pull(t, root)
	if len(u.Changes) != 1 || u.Changes[0].New != sent.Digest || u.Changes[0].Old != "" || !u.Moved() {
		t.Errorf("got %+v, want digest %s", u.Changes, sent.Digest)
	}
	text, err := root.ReadFile(".slipway/estate/orders/schemas/event.avsc")
	if err != nil || string(text) != event {
		t.Errorf("got %s, %v", text, err)
	}
	if _, err := root.Stat(".slipway/estate/orders/main.go"); err == nil {
		t.Error("a file came along that the contract does not name")
	}
}

func TestPublishingTheSameAgainSendsNothing(t *testing.T) {
	t.Parallel()
	r := &registrytest.Registry{}
	to := registry(t, r) + "orders:main"
	preview, err := share.Preview(bundle(t, service("orders")), to)
	if err != nil {
		t.Fatal(err)
	}
	first := publish(t, service("orders"), to)
	_, before := r.Requests()
	again := publish(t, service("orders"), to)
	if _, after := r.Requests(); after != before || !again.Unchanged || again.Digest != first.Digest || preview.Digest != first.Digest {
		t.Errorf("%d writes more; got %+v, then %+v; the preview was %s", after-before, first, again, preview.Digest)
	}
	next := publish(t, edited(t, service("orders"), "team-a", "team-b"), to)
	if next.Unchanged || next.Before != first.Digest || next.Digest == first.Digest {
		t.Errorf("got %+v", next)
	}
}

func TestTheContractOfAnotherServiceIsNotReplaced(t *testing.T) {
	t.Parallel()
	r := &registrytest.Registry{}
	to := registry(t, r) + "shared:main"
	publish(t, service("orders"), to)
	_, err := share.Publish(t.Context(), config(t), bundle(t, service("payments")), to)
	wantCode(t, err, diag.ShareService)
	r.Put("contracts/shared", "image", imageManifest, []byte(`{"schemaVersion":2,"layers":[]}`))
	_, err = share.Publish(t.Context(), config(t), bundle(t, service("payments")), strings.Replace(to, ":main", ":image", 1))
	wantCode(t, err, diag.ShareService)
}

func TestOnlyATagIsPublishedTo(t *testing.T) {
	t.Parallel()
	for _, to := range []string{
		"oci://127.0.0.1:1/p@sha256:" + strings.Repeat("a", 64),
		"file:///srv/x.git#" + strings.Repeat("a", 40),
	} {
		_, err := share.Publish(t.Context(), config(t), bundle(t, service("orders")), to)
		wantCode(t, err, diag.ShareReference)
	}
}

func TestTheCredentialIsTheOneOfDocker(t *testing.T) {
	t.Parallel()
	server, address := registrytest.Start(&registrytest.Registry{User: "ci", Password: "canary"})
	t.Cleanup(server.Close)
	to := "oci://" + address + "/orders:main"
	_, err := share.Publish(t.Context(), config(t), bundle(t, service("orders")), to)
	wantCode(t, err, diag.ShareRefused)

	dir := t.TempDir()
	text := fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, address, base64.StdEncoding.EncodeToString([]byte("ci:canary")))
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := share.Publish(t.Context(), config(t, "DOCKER_CONFIG="+dir), bundle(t, service("orders")), to); err != nil {
		t.Error(err)
	}
	wrong := strings.Replace(text, base64.StdEncoding.EncodeToString([]byte("ci:canary")), base64.StdEncoding.EncodeToString([]byte("ci:canary2")), 1)
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(wrong), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = share.Publish(t.Context(), config(t, "DOCKER_CONFIG="+dir), bundle(t, service("orders")), to)
	wantCode(t, err, diag.ShareRefused)
	if strings.Contains(err.Error(), "canary") {
		t.Errorf("the error shows the password: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = share.Publish(t.Context(), config(t, "DOCKER_CONFIG="+dir), bundle(t, service("orders")), to)
	wantCode(t, err, diag.ShareRefused)
}

// A registry may send its clients elsewhere, but not into the clear.
func TestNothingLeavesTheMachineWithoutTLS(t *testing.T) {
	t.Parallel()
	to := registry(t, &registrytest.Registry{Answer: func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, "http://registry.example.com"+r.URL.Path, http.StatusTemporaryRedirect)
		return true
	}}) + "orders:main"
	_, err := share.Pull(t.Context(), config(t), estate(t, map[string]string{"orders": to}))
	wantCode(t, err, diag.ShareUnreachable)
	if err == nil || !strings.Contains(err.Error(), "without TLS") {
		t.Errorf("got %v", err)
	}
}

func TestARegistryThatSaysNothingUsefulIsTold(t *testing.T) {
	t.Parallel()
	server, address := registrytest.Start(&registrytest.Registry{})
	server.Close()
	for name, tt := range map[string]struct {
		to   string
		code diag.Code
	}{
		"nobody there":       {"oci://" + address + "/orders:main", diag.ShareUnreachable},
		"no such repository": {registry(t, &registrytest.Registry{}) + "orders:main", diag.ShareMissing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := share.Pull(t.Context(), config(t), estate(t, map[string]string{"orders": tt.to}))
			wantCode(t, err, tt.code)
			if list := diag.Of(err); len(list) != 1 || list[0].Position.File != "estate.yaml" || list[0].Position.Line != 4 {
				t.Errorf("got %v, want a place in estate.yaml", list)
			}
		})
	}
}

func TestAnArtifactOfAnotherKindIsRefusedBeforeItIsFetched(t *testing.T) {
	t.Parallel()
	const repository = "contracts/orders"
	r := &registrytest.Registry{}
	to := registry(t, r) + "orders:main"
	good := bundle(t, service("orders"))
	publish(t, service("orders"), to)
	text, _ := r.Manifest(repository, "main")
	type object = map[string]any
	layer := func(m object) object { return m["layers"].([]any)[0].(object) }
	for name, tt := range map[string]struct {
		change func(object)
		code   diag.Code
	}{
		"an image":          {func(m object) { delete(m, "artifactType") }, diag.ShareArchive},
		"no layer":          {func(m object) { m["layers"] = []any{} }, diag.ShareArchive},
		"two layers":        {func(m object) { m["layers"] = append(m["layers"].([]any), m["layers"].([]any)[0]) }, diag.ShareArchive},
		"another layer":     {func(m object) { layer(m)["mediaType"] = "application/gzip" }, diag.ShareArchive},
		"a huge layer":      {func(m object) { layer(m)["size"] = int64(1) << 40 }, diag.ShareArchive},
		"a negative layer":  {func(m object) { layer(m)["size"] = -1 }, diag.ShareArchive},
		"no digest":         {func(m object) { layer(m)["digest"] = "../../etc/passwd" }, diag.ShareArchive},
		"a layer not there": {func(m object) { layer(m)["digest"] = "sha256:" + strings.Repeat("a", 64) }, diag.ShareMissing},
		"a huge manifest":   {func(m object) { m["annotations"] = object{"a": strings.Repeat("x", 1<<20)} }, diag.ShareArchive},
		"no archive": {func(m object) {
			layer(m)["digest"] = r.Blob(repository, make([]byte, len(good.Pack()))[1:])
			layer(m)["size"] = len(good.Pack()) - 1
		}, diag.ShareArchive},
		"another size": {func(m object) { layer(m)["size"] = len(good.Pack()) + 1 }, diag.ShareChecksum},
		"an invalid contract": {func(m object) {
			data := archive(t, file("slipway.yaml", "kind: x\n"))
			layer(m)["digest"], layer(m)["size"] = r.Blob(repository, data), len(data)
		}, diag.ShareArchive},
	} {
		t.Run(name, func(t *testing.T) {
			var m object
			if err := json.Unmarshal(text, &m); err != nil {
				t.Fatal(err)
			}
			tt.change(m)
			changed, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			r.Put(repository, "main", imageManifest, changed)
			_, err = share.Pull(t.Context(), config(t), estate(t, map[string]string{"orders": to}))
			wantCode(t, err, tt.code)
		})
	}
}

// A registry that gives other bytes than were asked for is either broken or
// hostile.
func TestBytesOfAnotherDigestAreRefused(t *testing.T) {
	t.Parallel()
	good := &registrytest.Registry{}
	publish(t, service("orders"), registry(t, good)+"orders:main")
	text, _ := good.Manifest("contracts/orders", "main")
	lying := &registrytest.Registry{}
	lying.Put("contracts/orders", "main", imageManifest, text)
	lying.Answer = func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, "/blobs/") {
			return false
		}
		data := bundle(t, service("orders")).Pack()
		data[len(data)/2] ^= 1
		w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		_, _ = w.Write(data)
		return true
	}
	_, err := share.Pull(t.Context(), config(t), estate(t, map[string]string{"orders": registry(t, lying) + "orders:main"}))
	wantCode(t, err, diag.ShareChecksum)
}
