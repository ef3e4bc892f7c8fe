package rendertest

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/render"
)

var update = flag.Bool("update", false, "write the golden files")

// Golden compares files with those below a directory, which is relative to the
// test's package. Under -update it makes the directory hold them and nothing else.
func Golden(t testing.TB, dir string, files []render.File) {
	t.Helper()
	if *update {
		write(t, dir, files)
	}
	want := content(t, dir)
	got := map[string]string{}
	for _, f := range files {
		got[f.Path] = string(f.Content)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s\nrun the test with -update to take it over, and read the difference", dir, diff)
	}
}

func write(t testing.TB, dir string, files []render.File) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := filepath.Join(dir, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func content(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		files[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatalf("read the golden files: %v; write them with -update", err)
	}
	return files
}
