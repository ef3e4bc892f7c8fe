package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// A workspace is the directory that a command works on. It is open as a root:
// nothing outside of it is read, whatever its files name.
type workspace struct {
	root *os.Root
	fsys fs.FS
}

// open opens the directory that the command works on, until it has told its
// problems, and makes the view show places as the user would name them.
func (a *app) open(dir string) (*workspace, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, directoryProblem(dir, err)
	}
	w := &workspace{root, root.FS()}
	a.workspace = w
	a.base(dir)
	a.view.Source = func(file string) ([]byte, error) {
		if isConfigFile(file) {
			return nil, fs.ErrPermission // its lines may be secrets
		}
		return w.read(file)
	}
	return w, nil
}

// base is the directory that places are relative to.
func (a *app) base(dir string) { a.view.Base = filepath.ToSlash(dir) }

func directoryProblem(dir string, err error) error {
	cause := err
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		cause = path.Err
	}
	if errors.Is(err, syscall.ENOTDIR) {
		return diag.New(diag.CommandDirectory, "%s is not a directory", dir).
			WithFix("name the directory that holds the contracts; -f names a single file")
	}
	return diag.New(diag.CommandDirectory, "open directory %s: %v", dir, cause)
}

// Close gives the directory free. It may be called on nil.
func (w *workspace) Close() {
	if w != nil {
		_ = w.root.Close()
	}
}

// read reads a small regular file below the directory.
func (w *workspace) read(name string) ([]byte, error) {
	info, err := fs.Stat(w.fsys, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > contract.MaxFileSize {
		return nil, fs.ErrInvalid
	}
	return fs.ReadFile(w.fsys, name)
}

// validate loads the estate and judges it.
func (w *workspace) validate() (*contract.Estate, diag.List) {
	estate, problems := contract.Load(w.fsys, ".")
	for i, d := range problems {
		if d.Code == diag.EstateEmpty { // which does not know what the directory is called
			problems[i].Message = fmt.Sprintf("there is no %s in %s or below", contract.ServiceFile, w.root.Name())
		}
	}
	if len(estate.Services) > 0 || !problems.Failed() {
		problems = append(problems, estate.Validate()...)
	}
	problems.Sort()
	return estate, compact(problems)
}

// compact drops what two passes told alike.
func compact(sorted diag.List) diag.List {
	return slices.CompactFunc(sorted, func(a, b diag.Diagnostic) bool {
		return a.Code == b.Code && a.Position == b.Position && a.Message == b.Message
	})
}

// resolve returns one environment of a valid estate. Warnings are shown.
func (a *app) resolve(w *workspace, env string) (*contract.Resolved, error) {
	estate, err := a.valid(w)
	if err != nil {
		return nil, err
	}
	if env == "" {
		all := environments(estate)
		if len(all) != 1 {
			return nil, usage("--env is missing: the estate has the environments %s", strings.Join(all, ", ")).
				WithFix("name one of them with -e")
		}
		env = all[0]
	}
	resolved, problems := estate.In(env)
	return resolved, problems.Err()
}

// valid returns the estate of a directory if nothing is wrong with it.
func (a *app) valid(w *workspace) (*contract.Estate, error) {
	estate, problems := w.validate()
	if err := problems.Err(); err != nil {
		return nil, err
	}
	a.warn(problems)
	return estate, nil
}

// environments are those of clusters.yaml, sorted.
func environments(e *contract.Estate) []string {
	return slices.Sorted(maps.Keys(e.Clusters.Environments))
}
