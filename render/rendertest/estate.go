package rendertest

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/slipway-go/slipway/contract"
)

// Estates are the names of the estates.
func Estates() []string { return []string{"minimal", "shop", "everything", "hostile", "several"} }

// estatesDir is where they are in the repository.
const estatesDir = "render/testdata/estates"

// addedFile is what is added to each contract of an estate whose contracts are
// elsewhere; {service} stands for the directory of the contract.
const addedFile = "contracts.txt"

// Estate loads an estate. A test fails if it is not valid.
func Estate(t testing.TB, name string) *contract.Estate {
	t.Helper()
	dir := filepath.Join(root(t), filepath.FromSlash(estatesDir), name)
	files := read(t, dir)
	if added := files[addedFile]; added != nil {
		overlay(files, read(t, filepath.Join(root(t), "examples", name)), string(added.Data))
	}
	return Load(t, files)
}

// Load loads an estate of the test's own. A test fails if it is not valid.
func Load(t testing.TB, files fs.FS) *contract.Estate {
	t.Helper()
	estate, problems := contract.Load(files, ".")
	problems = append(problems, estate.Validate()...)
	if err := problems.Err(); err != nil {
		t.Fatalf("load the estate: %v", err)
	}
	return estate
}

// overlay adds the contracts of another estate, each with the same text at its end,
// to the files that are there. What is there already stays.
func overlay(files, contracts fstest.MapFS, added string) {
	for name, file := range contracts {
		if files[name] != nil {
			continue
		}
		data := string(file.Data)
		if path.Base(name) == contract.ServiceFile {
			data += strings.ReplaceAll(added, "{service}", path.Base(path.Dir(name)))
		}
		files[name] = &fstest.MapFile{Data: []byte(data)}
	}
}

// read reads the files that belong to contracts.
func read(t testing.TB, dir string) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !belongs(name) {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		files[name] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func belongs(name string) bool {
	switch path.Ext(name) {
	case ".yaml", ".avsc", ".json", ".proto", ".txt":
		return true
	}
	return false
}

// root is the directory of the repository, from wherever below it a test runs.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		_, err := os.Stat(filepath.Join(dir, filepath.FromSlash(estatesDir)))
		if err == nil {
			return dir
		}
		if above := filepath.Dir(dir); above != dir && errors.Is(err, fs.ErrNotExist) {
			dir = above
			continue
		}
		t.Fatalf("no directory above the test has %s: %v", estatesDir, err)
	}
}
