package render

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// A State is how a file in a directory differs from what would be written.
type State string

// The states.
const (
	Missing State = "missing" // it is not there
	Changed State = "changed" // it is as it was written once, and something else follows from the contracts now
	Stale   State = "stale"   // it was written once, and no longer follows from the contracts
	Edited  State = "edited"  // it was written once, and somebody has changed it
	Foreign State = "foreign" // it is there, and was not written by a rendering
)

// A Difference is a file that is not as it would be written.
type Difference struct {
	Path  string `json:"path"`
	State State  `json:"state"`
}

// Guarded reports whether writing would lose what somebody else has written.
func (d Difference) Guarded() bool { return d.State == Edited || d.State == Foreign }

// Check compares a directory with the files of a target, and returns what differs
// in order of paths. A directory that is not there lacks all of them.
func Check(dir, target string, files []File) ([]Difference, error) {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		var all []Difference
		for _, f := range files {
			all = append(all, Difference{f.Path, Missing})
		}
		return all, nil
	}
	if err != nil {
		return nil, unreadable(dir, err)
	}
	defer func() { _ = root.Close() }()
	return check(root, target, files)
}

func check(root *os.Root, target string, files []File) ([]Difference, error) {
	written, err := readList(root, target)
	if err != nil {
		return nil, err
	}
	var all []Difference
	for _, f := range files {
		found, err := read(root, f.Path)
		sum, listed := written[f.Path]
		delete(written, f.Path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			all = append(all, Difference{f.Path, Missing})
		case err != nil:
			return nil, unreadable(path.Join(root.Name(), f.Path), err)
		case bytes.Equal(found, f.Content): // whatever the list says
		case !listed:
			all = append(all, Difference{f.Path, Foreign})
		case sum != checksum(found):
			all = append(all, Difference{f.Path, Edited})
		default:
			all = append(all, Difference{f.Path, Changed})
		}
	}
	for name, sum := range written {
		found, err := read(root, name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, unreadable(path.Join(root.Name(), name), err)
		case sum != checksum(found):
			all = append(all, Difference{name, Edited})
		default:
			all = append(all, Difference{name, Stale})
		}
	}
	slices.SortFunc(all, func(a, b Difference) int { return strings.Compare(a.Path, b.Path) })
	return all, nil
}

// read reads a regular file. What stands in its place is no file to compare, and
// nothing to write over.
func read(root *os.Root, path string) ([]byte, error) {
	info, err := root.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	return root.ReadFile(path)
}

func unreadable(path string, err error) error {
	return diag.New(diag.RenderDirectory, "read %s: %v", path, cause(err))
}

// cause is what went wrong, without the path that the message has already.
func cause(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	return err
}
