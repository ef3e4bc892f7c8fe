package pki_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// tree reads every file below a directory, by its name within.
func tree(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[name], err = os.ReadFile(filepath.Join(dir, name))
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files in %s: %v", len(files), dir, err)
	}
	return files
}

func drop(names ...string) func(map[string][]byte) {
	return func(m map[string][]byte) {
		for _, name := range names {
			delete(m, name)
		}
	}
}

func keep(names ...string) func(map[string][]byte) {
	return func(m map[string][]byte) {
		for name := range m {
			if !slices.Contains(names, name) {
				delete(m, name)
			}
		}
	}
}

func put(name, text string) func(map[string][]byte) {
	return func(m map[string][]byte) { m[name] = []byte(text) }
}

func cut(name string) func(map[string][]byte) {
	return func(m map[string][]byte) { m[name] = m[name][:len(m[name])/2] }
}

func swap(name, other string) func(map[string][]byte) {
	return func(m map[string][]byte) { m[name], _ = os.ReadFile(filepath.Join("testdata", "import", other)) }
}

func add(from string, names ...string) func(map[string][]byte) {
	return func(m map[string][]byte) {
		for _, name := range names {
			m[name], _ = os.ReadFile(filepath.Join("testdata", "import", from, name))
		}
	}
}
