package importer

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/slipway-go/slipway/diag"
)

// Write writes files into a directory, which is made if it does not exist. If
// one of them exists, none is written; what was written before an error is
// removed again. No link leads out of the directory.
func Write(dir string, files []File) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // contracts, readable as the umask has it
		return unwritable(dir, err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return unwritable(dir, err)
	}
	defer root.Close()
	var taken diag.List
	for _, f := range files {
		if _, err := root.Lstat(f.Path); !errors.Is(err, fs.ErrNotExist) {
			taken.Add(diag.New(diag.CommandOverwrite, "%s exists already", path.Join(filepath.ToSlash(dir), f.Path)).
				WithFix("name another directory with --dir, or move the file away"))
		}
	}
	if err := taken.Err(); err != nil {
		return err
	}
	for i, f := range files {
		if err := put(root, f); err != nil {
			for _, done := range files[:i] {
				_ = root.Remove(done.Path)
			}
			return unwritable(dir, err)
		}
	}
	return nil
}

func put(root *os.Root, f File) error {
	if err := root.MkdirAll(path.Dir(f.Path), 0o755); err != nil {
		return err
	}
	w, err := root.OpenFile(f.Path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = w.Write(f.Text)
	if err = errors.Join(err, w.Close()); err != nil {
		_ = root.Remove(f.Path)
	}
	return err
}

func unwritable(dir string, err error) error {
	cause := err
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		cause = p.Err
	}
	return diag.New(diag.CommandDirectory, "write to %s: %v", dir, cause)
}
