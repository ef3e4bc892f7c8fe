package image_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/image"
)

func TestALayoutHoldsTheImageAndReplacesAnother(t *testing.T) {
	t.Parallel()
	m := whole(t)
	dir := filepath.Join(t.TempDir(), "image")
	for range 2 {
		if err := m.WriteLayout(dir, "registry.example.com/tiny:v1"); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	index := decode[ocispec.Index](t, text)
	if len(index.Manifests) != 2 || index.Manifests[0].Digest != m.Index.Digest || index.Manifests[1].ArtifactType == "" {
		t.Errorf("index.json %s", text)
	}
	if got := index.Manifests[0].Annotations[ocispec.AnnotationRefName]; got != "v1.2.3-meta" {
		t.Errorf("the layout calls it %q", got)
	}
	for d, b := range parts(m) {
		got, err := os.ReadFile(filepath.Join(dir, "blobs", "sha256", strings.TrimPrefix(d, "sha256:")))
		if err != nil || !bytes.Equal(got, b.Content) {
			t.Errorf("%s: %v", d, err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(dir), ".*")); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

func TestWhatIsNoImageIsNotReplacedByOne(t *testing.T) {
	t.Parallel()
	m := whole(t)
	for name, files := range map[string][]string{"other files": {"main.go"}, "files beside an image": {"oci-layout", "index.json", "notes.txt"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for _, f := range files {
				if err := os.WriteFile(filepath.Join(dir, f), []byte("mine"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := m.WriteLayout(dir, ""); !errors.Is(err, diag.ImageOutput) {
				t.Errorf("%v, want %s", err, diag.ImageOutput)
			}
			for _, f := range files {
				if text, err := os.ReadFile(filepath.Join(dir, f)); err != nil || string(text) != "mine" {
					t.Errorf("%s: %q, %v", f, text, err)
				}
			}
		})
	}
	if err := m.WriteArchiveFile(filepath.Join(t.TempDir(), "absent", "image.tar"), "tiny:v1"); !errors.Is(err, diag.ImageOutput) {
		t.Errorf("%v, want %s", err, diag.ImageOutput)
	}
}

func TestAnArchiveIsForDockerToo(t *testing.T) {
	t.Parallel()
	m := whole(t)
	var b bytes.Buffer
	if err := m.WriteArchive(&b, "shop/tiny:v1"); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for r := tar.NewReader(&b); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	list := decode[[]struct {
		Config           string
		RepoTags, Layers []string
	}](t, files["manifest.json"])
	if len(list) != 1 || len(list[0].Layers) != 2 || list[0].RepoTags[0] != "shop/tiny:v1" {
		t.Fatalf("manifest.json %s", files["manifest.json"])
	}
	for _, name := range append(list[0].Layers, list[0].Config) {
		if len(files[name]) == 0 {
			t.Errorf("the archive lacks %s", name)
		}
	}
}

func TestMaterialsAreWrittenToFiles(t *testing.T) {
	t.Parallel()
	m := whole(t)
	dir := filepath.Join(t.TempDir(), "sbom")
	if err := m.WriteMaterials(dir); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "tiny.linux-amd64.cdx.json")); err != nil || !bytes.Equal(text, m.Variants[0].Materials) {
		t.Errorf("%v", err)
	}
}

func TestAuthoritiesAreCertificatesAndNothingElse(t *testing.T) {
	t.Parallel()
	all := image.MozillaRoots()
	if n := bytes.Count(all.PEM, []byte("BEGIN CERTIFICATE")); n < 100 {
		t.Errorf("%d authorities", n)
	}
	if got, err := image.ParseRoots("roots.pem", append([]byte("Some company\n"), all.PEM...)); err != nil || !bytes.Equal(got.PEM, all.PEM) {
		t.Errorf("%v", err)
	}
	for name, text := range map[string]string{
		"nothing": "", "no PEM": "a text", "a key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
		"no certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
	} {
		if _, err := image.ParseRoots("roots.pem", []byte(text)); !errors.Is(err, diag.ImageRoots) {
			t.Errorf("%s: %v, want %s", name, err, diag.ImageRoots)
		}
	}
}

func FuzzParseRoots(f *testing.F) {
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := image.ParseRoots("roots.pem", text)
		if err != nil {
			return
		}
		if again, err := image.ParseRoots("roots.pem", got.PEM); err != nil || !bytes.Equal(again.PEM, got.PEM) {
			t.Errorf("what was read is read differently: %v", err)
		}
	})
}

func TestASourceIsTheSameHoweverItWasCloned(t *testing.T) {
	t.Parallel()
	const want = "https://git.example.com/shop/orders"
	for remote, want := range map[string]string{
		"https://git.example.com/shop/orders.git":                      want,
		"https://user:canary@git.example.com/shop/orders?token=canary": want,
		"git@git.example.com:shop/orders.git":                          want,
		"ssh://git@git.example.com:2222/shop/orders.git/":              want,
		"http://git.example.com:3000/shop/orders":                      "http://git.example.com:3000/shop/orders",
		"/srv/git/orders.git":                                          "",
		"file:///srv/git/orders.git":                                   "",
		"../orders":                                                    "",
		"":                                                             "",
	} {
		if got := image.Source(remote); got != want {
			t.Errorf("Source(%q) = %q, want %q", remote, got, want)
		}
	}
}

func FuzzSource(f *testing.F) {
	f.Add("git@git.example.com:shop/orders.git")
	f.Fuzz(func(t *testing.T, remote string) {
		if got := image.Source(remote); got != "" && strings.Contains(strings.SplitN(got, "/", 4)[2], "@") {
			t.Errorf("Source(%q) = %q, which may hold a password", remote, got)
		}
	})
}

func TestPlatformsAreThoseOfLinux(t *testing.T) {
	t.Parallel()
	if got := platforms("linux/arm64", "linux/amd64", "linux/arm64"); len(got) != 2 || got[0].String() != "linux/amd64" {
		t.Errorf("platforms %v", got)
	}
	for _, names := range [][]string{nil, {"windows/amd64"}, {"linux/amd63"}, {"amd64"}, {""}} {
		if _, err := image.ParsePlatforms(names); !errors.Is(err, diag.ImagePlatform) {
			t.Errorf("%v: %v, want %s", names, err, diag.ImagePlatform)
		}
	}
}
