package importer

import (
	"bytes"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// overlay is a directory with a draft's files laid over it, so that both can
// be judged together before anything is written.
type overlay struct {
	files map[string][]byte
	below fs.FS // nil for an empty directory
}

var _ fs.ReadLinkFS = overlay{}

// Open implements [fs.FS].
func (o overlay) Open(name string) (fs.File, error) {
	if text, ok := o.files[name]; ok {
		return &openFile{dirent{name: path.Base(name), size: len(text)}, bytes.NewReader(text)}, nil
	}
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	if o.dir(name) {
		entries, err := o.ReadDir(name)
		return &openDir{dirent: dirent{name: path.Base(name), folder: true}, left: entries}, err
	}
	if o.below != nil {
		return o.below.Open(name)
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// Lstat implements [fs.ReadLinkFS].
func (o overlay) Lstat(name string) (fs.FileInfo, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "lstat", Path: name, Err: fs.ErrInvalid}
	}
	if text, ok := o.files[name]; ok {
		return dirent{name: path.Base(name), size: len(text)}, nil
	}
	if o.dir(name) {
		return dirent{name: path.Base(name), folder: true}, nil
	}
	if o.below != nil {
		return fs.Lstat(o.below, name)
	}
	return nil, &fs.PathError{Op: "lstat", Path: name, Err: fs.ErrNotExist}
}

// Stat implements [fs.StatFS].
func (o overlay) Stat(name string) (fs.FileInfo, error) { return o.Lstat(name) }

// ReadLink implements [fs.ReadLinkFS].
func (o overlay) ReadLink(name string) (string, error) {
	if o.below != nil {
		return fs.ReadLink(o.below, name)
	}
	return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
}

// dir reports whether the draft has files below a name.
func (o overlay) dir(name string) bool {
	if name == "." {
		return true
	}
	for file := range o.files {
		if strings.HasPrefix(file, name+"/") {
			return true
		}
	}
	return false
}

// ReadDir implements [fs.ReadDirFS].
func (o overlay) ReadDir(name string) ([]fs.DirEntry, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrInvalid}
	}
	found := map[string]fs.DirEntry{}
	if o.below != nil {
		entries, err := fs.ReadDir(o.below, name)
		if err != nil && !o.dir(name) {
			return nil, err
		}
		for _, e := range entries {
			found[e.Name()] = e
		}
	}
	prefix := ""
	if name != "." {
		prefix = name + "/"
	}
	for file, text := range o.files {
		rest, inside := strings.CutPrefix(file, prefix)
		if !inside {
			continue
		}
		first, _, deeper := strings.Cut(rest, "/")
		if found[first] = (dirent{name: first, size: len(text)}); deeper {
			found[first] = dirent{name: first, folder: true}
		}
	}
	all := make([]fs.DirEntry, 0, len(found))
	for _, e := range found {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return all, nil
}

// dirent is a file of the draft, or a directory that it needs.
type dirent struct {
	name   string
	size   int
	folder bool
}

func (e dirent) Name() string               { return e.name }
func (e dirent) IsDir() bool                { return e.folder }
func (e dirent) Type() fs.FileMode          { return e.Mode().Type() }
func (e dirent) Info() (fs.FileInfo, error) { return e, nil }
func (e dirent) Size() int64                { return int64(e.size) }
func (dirent) ModTime() time.Time           { return time.Time{} }
func (dirent) Sys() any                     { return nil }

func (e dirent) Mode() fs.FileMode {
	if e.folder {
		return fs.ModeDir | 0o755
	}
	return 0o644
}

type openFile struct {
	dirent
	*bytes.Reader
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.dirent, nil }
func (*openFile) Close() error                 { return nil }

// Size is the file's, not what is left to be read.
func (f *openFile) Size() int64 { return int64(f.dirent.size) }

// openDir is a directory with its entries that were not read yet.
type openDir struct {
	dirent
	left []fs.DirEntry
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.dirent, nil }
func (*openDir) Close() error                 { return nil }

func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: fs.ErrInvalid}
}

// ReadDir implements [fs.ReadDirFile].
func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n > 0 && len(d.left) == 0 {
		return nil, io.EOF
	}
	if n <= 0 {
		n = len(d.left)
	}
	n = min(n, len(d.left))
	read := d.left[:n]
	d.left = d.left[n:]
	return read, nil
}
