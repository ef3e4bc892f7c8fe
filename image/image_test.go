package image_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/image"
)

// goMain is the smallest program there is: it links nothing but the runtime.
const goMain = "package main\n\nvar version = \"none\"\n\nfunc main() { println(version) }\n"

// module writes a module of one file into a new directory.
func module(t *testing.T, source string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module example.com/tiny\n\ngo 1.26\n", "main.go": source} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func compiler(dir string, more ...string) image.Compiler {
	return image.Compiler{Dir: dir, Name: "tiny", Environ: append(os.Environ(), more...)}
}

// tiny is a program that is compiled once for all tests.
var tiny = sync.OnceValues(func() (image.Program, error) {
	dir, err := os.MkdirTemp("", "slipway-image-test-")
	if err != nil {
		return image.Program{}, err
	}
	defer os.RemoveAll(dir)
	for name, text := range map[string]string{"go.mod": "module example.com/tiny\n\ngo 1.26\n", "main.go": goMain} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return image.Program{}, err
		}
	}
	return compiler(dir).Compile(context.Background(), platforms("linux/amd64")[0])
})

func platforms(names ...string) []image.Platform {
	all, err := image.ParsePlatforms(names)
	if err != nil {
		panic(err)
	}
	return all
}

func spec(t *testing.T) image.Spec {
	t.Helper()
	p, err := tiny()
	if err != nil {
		t.Fatal(err)
	}
	return image.Spec{
		Name: "tiny", Owner: "team-tiny", Version: "v1.2.3+meta", Revision: "0123456789abcdef", Source: "https://git.example.com/tiny",
		Contract: "cafe", Created: time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3600)), Labels: map[string]string{"a": "b"},
		Roots: image.MozillaRoots(), Zones: []byte("zones"), Programs: []image.Program{p},
	}
}

// whole is the image of that, made once for all tests that only look at it.
func whole(t *testing.T) *image.Image {
	t.Helper()
	once.Do(func() { one = assemble(t, spec(t)) })
	return one
}

var (
	once sync.Once
	one  *image.Image
)

func assemble(t *testing.T, s image.Spec) *image.Image {
	t.Helper()
	m, err := image.Assemble(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestTheSameProgramGivesTheSameImage(t *testing.T) {
	t.Parallel()
	a, b := whole(t), assemble(t, spec(t))
	if a.Digest() != b.Digest() {
		t.Errorf("%s and %s", a.Digest(), b.Digest())
	}
	changed := spec(t)
	changed.Version = "v1.2.4"
	if got := assemble(t, changed); got.Digest() == a.Digest() {
		t.Error("another version has the same digest")
	}
}

// What go build takes from its surroundings does not reach the program.
func TestTheSameSourceGivesTheSameProgram(t *testing.T) {
	t.Parallel()
	want, err := tiny()
	if err != nil {
		t.Fatal(err)
	}
	got, err := compiler(module(t, goMain), "GOFLAGS=-race -buildvcs=false -gcflags=-N", "GOAMD64=v3", "CGO_ENABLED=1", "GOOS=plan9", "GOARCH=386").
		Compile(t.Context(), platforms("linux/amd64")[0])
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Binary, want.Binary) {
		t.Error("the programs differ")
	}
}

// read unpacks a layer.
func read(t *testing.T, packed []byte) map[string]*tar.Header {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*tar.Header{}
	last := ""
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Name <= last {
			t.Errorf("%s comes after %s", h.Name, last)
		}
		last = h.Name
		if !h.ModTime.Equal(time.Unix(0, 0)) || h.Uid != 0 || h.Gid != 0 || h.Uname != "" {
			t.Errorf("%s has a time or an owner: %+v", h.Name, h)
		}
		all[h.Name] = h
	}
}

// parts are an image's blobs by digest.
func parts(m *image.Image) map[string]image.Blob {
	all := map[string]image.Blob{m.Digest(): m.Index}
	for _, b := range m.Blobs {
		all[b.Digest.String()] = b
	}
	return all
}

func decode[T any](t *testing.T, text []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestAnImageRunsOneStaticProgramAsNobody(t *testing.T) {
	t.Parallel()
	m := whole(t)
	all := parts(m)
	index := decode[ocispec.Index](t, m.Index.Content)
	if len(index.Manifests) != 1 || index.Manifests[0].Platform.Architecture != "amd64" {
		t.Fatalf("index %s", m.Index.Content)
	}
	manifest := decode[ocispec.Manifest](t, all[index.Manifests[0].Digest.String()].Content)
	config := decode[ocispec.Image](t, all[manifest.Config.Digest.String()].Content)
	want := ocispec.ImageConfig{
		User: "65532:65532", Env: []string{"ZONEINFO=/usr/share/zoneinfo.zip"}, Entrypoint: []string{"/tiny"}, WorkingDir: "/", StopSignal: "SIGTERM",
		Labels: map[string]string{
			"a": "b", "dev.slipway.contract": "cafe", "dev.slipway.service": "tiny",
			"org.opencontainers.image.authors": "team-tiny", "org.opencontainers.image.created": "2026-01-02T02:04:05Z",
			"org.opencontainers.image.revision": "0123456789abcdef", "org.opencontainers.image.source": "https://git.example.com/tiny",
			"org.opencontainers.image.title": "tiny", "org.opencontainers.image.version": "v1.2.3+meta",
		},
	}
	if diff := cmp.Diff(want, config.Config); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
	files := map[string]*tar.Header{}
	for _, l := range manifest.Layers {
		maps.Copy(files, read(t, all[l.Digest.String()].Content))
	}
	got := map[string]int64{}
	for name, h := range files {
		got[name] = h.Mode
	}
	modes := map[string]int64{
		"etc/": 0o755, "etc/group": 0o644, "etc/passwd": 0o644, "etc/ssl/": 0o755, "etc/ssl/certs/": 0o755, "etc/ssl/certs/ca-certificates.crt": 0o644,
		"tiny": 0o755, "tmp/": 0o1777, "usr/": 0o755, "usr/share/": 0o755, "usr/share/zoneinfo.zip": 0o644,
	}
	if diff := cmp.Diff(modes, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestTheBillOfMaterialsRefersToTheImageAndNamesGo(t *testing.T) {
	t.Parallel()
	m := whole(t)
	var found bool
	for _, b := range m.Blobs {
		if b.MediaType != ocispec.MediaTypeImageManifest || b.Digest.String() == m.Variants[0].Digest {
			continue
		}
		artifact := decode[ocispec.Manifest](t, b.Content)
		found = true
		if artifact.ArtifactType != "application/vnd.cyclonedx+json" || artifact.Subject.Digest.String() != m.Variants[0].Digest {
			t.Errorf("artifact %s", b.Content)
		}
		if !bytes.Equal(parts(m)[artifact.Layers[0].Digest.String()].Content, m.Variants[0].Materials) {
			t.Error("it holds another bill of materials")
		}
	}
	if !found {
		t.Error("nothing refers to the image")
	}
	for _, want := range []string{`"purl": "pkg:golang/stdlib@1.`, `"name": "/etc/ssl/certs/ca-certificates.crt"`, `"name": "slipway:build:GOOS"`, `"version": "v1.2.3+meta"`, `"timestamp": "2026-01-02T02:04:05Z"`} {
		if !strings.Contains(string(m.Variants[0].Materials), want) {
			t.Errorf("the bill of materials lacks %s:\n%s", want, m.Variants[0].Materials)
		}
	}
}

func TestAnImageThatCannotRunIsNotMade(t *testing.T) {
	t.Parallel()
	amd64 := platforms("linux/amd64")[0]
	for name, tt := range map[string]struct {
		program image.Program
		want    diag.Code
	}{
		"no program":           {image.Program{Platform: amd64, Binary: []byte("#!/bin/sh\n")}, diag.ImageProgram},
		"another machine's":    {image.Program{Platform: platforms("linux/arm64")[0], Binary: elfFile(0)}, diag.ImageProgram},
		"a dynamic one":        {image.Program{Platform: amd64, Binary: elfFile(3)}, diag.ImageDynamic},
		"one that is not Go's": {image.Program{Platform: amd64, Binary: elfFile(1)}, diag.ImageProgram},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := spec(t)
			s.Programs = []image.Program{tt.program}
			if _, err := image.Assemble(s); !errors.Is(err, tt.want) {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}

// elfFile is a program for amd64 with one segment of a kind; 3 asks for a dynamic
// linker.
func elfFile(segment byte) []byte {
	b := make([]byte, 64+56)
	copy(b, "\x7fELF\x02\x01\x01")
	b[16], b[18], b[20] = 2, 62, 1             // an executable, x86-64, version 1
	b[32], b[52], b[54], b[56] = 64, 64, 56, 1 // where the one segment is described
	b[58] = 64
	b[64] = segment
	return b
}
