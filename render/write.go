package render

import (
	"errors"
	"io/fs"
	"os"
	"path"

	"github.com/slipway-go/slipway/diag"
)

// Overwrite says what becomes of files that somebody else wrote.
type Overwrite bool

// The choices. Refuse is the zero value.
const (
	Refuse Overwrite = false // keep them, and write nothing at all
	Insist Overwrite = true  // write over them, and remove those that are stale
)

// Write makes a directory hold the files of a target, and returns what it has
// changed. It makes the directory if need be.
//
// If files that somebody else wrote or edited are in the way, nothing is written,
// unless the caller insists; the error has a diagnostic for each.
func Write(dir, target string, files []File, over Overwrite) ([]Difference, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, unwritable(dir, err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, unwritable(dir, err)
	}
	defer func() { _ = root.Close() }()
	all, err := check(root, target, files)
	if err != nil {
		return nil, err
	}
	if err := guard(dir, all, over); err != nil {
		return nil, err
	}
	return all, apply(root, target, files, all)
}

// guard refuses to lose what somebody else has written.
func guard(dir string, all []Difference, over Overwrite) error {
	var taken diag.List
	for _, d := range all {
		if over == Insist || !d.Guarded() {
			continue
		}
		name := path.Join(dir, d.Path)
		if d.State == Edited {
			taken.Add(diag.New(diag.RenderEdited, "%s was edited by hand", name))
		} else {
			taken.Add(diag.New(diag.RenderForeign, "%s was not written by slipway render", name))
		}
	}
	return taken.Err()
}

// apply writes what differs, and the list last: until then a file that holds what
// it should is taken for what it is, whoever the list says wrote it.
func apply(root *os.Root, target string, files []File, all []Difference) error {
	content := make(map[string][]byte, len(files))
	for _, f := range files {
		content[f.Path] = f.Content
	}
	for _, d := range all {
		data, wanted := content[d.Path]
		write := func() error { return put(root, d.Path, data) }
		if !wanted {
			write = func() error { return remove(root, d.Path) }
		}
		if err := write(); err != nil {
			return unwritable(path.Join(root.Name(), d.Path), err)
		}
	}
	if err := writeList(root, target, files); err != nil {
		return unwritable(path.Join(root.Name(), listName(target)), err)
	}
	return nil
}

// remove takes a file away, and the directories that are empty then.
func remove(root *os.Root, name string) error {
	if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	dir := path.Dir(name)
	for dir != "." && root.Remove(dir) == nil { // until one holds something else
		dir = path.Dir(dir)
	}
	return nil
}

// put makes a file appear whole or not at all.
func put(root *os.Root, name string, data []byte) error {
	dir, base := path.Split(name)
	if dir != "" {
		if err := root.MkdirAll(path.Clean(dir), 0o750); err != nil {
			return err
		}
	}
	fresh := dir + "." + base + ".new"
	if err := root.WriteFile(fresh, data, 0o644); err != nil {
		_ = root.Remove(fresh) // the first error tells more
		return err
	}
	return root.Rename(fresh, name)
}

func unwritable(path string, err error) error {
	return diag.New(diag.RenderDirectory, "write %s: %v", path, cause(err))
}
