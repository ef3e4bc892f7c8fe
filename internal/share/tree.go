package share

import (
	"bytes"
	"errors"
	"io/fs"
	"path"
	"time"
)

// A tree is what contracts can be read from that is no directory of this
// machine.
type tree interface {
	// lookup tells what a name is, or fs.ErrNotExist.
	lookup(name string) (entry, error)

	// read returns the content of a file.
	read(name string) ([]byte, error)
}

// An entry is a file of a tree; one without type bits is a regular file.
type entry struct {
	mode fs.FileMode
	size int64
}

// treeFS gives a tree to the parser of contracts, which asks for single files
// by name, and for what they are before it opens them.
type treeFS struct{ tree }

var _ fs.ReadLinkFS = treeFS{}

// Open opens a regular file; directories cannot be listed.
func (t treeFS) Open(name string) (fs.File, error) {
	info, err := t.stat("open", name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("it is no regular file")}
	}
	data, err := t.read(name)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &openFile{bytes.NewReader(data), info}, nil
}

// Stat does not follow links: nothing in a tree does.
func (t treeFS) Stat(name string) (fs.FileInfo, error) { return t.stat("stat", name) }

// Lstat tells what a name is.
func (t treeFS) Lstat(name string) (fs.FileInfo, error) { return t.stat("lstat", name) }

// ReadLink refuses: where a link leads is nobody's business.
func (t treeFS) ReadLink(name string) (string, error) {
	return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
}

func (t treeFS) stat(op, name string) (fs.FileInfo, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	e, err := t.lookup(name)
	if err != nil {
		return nil, &fs.PathError{Op: op, Path: name, Err: err}
	}
	return fileInfo{path.Base(name), e}, nil
}

type fileInfo struct {
	name string
	entry
}

func (i fileInfo) Name() string       { return i.name }
func (i fileInfo) Size() int64        { return i.size }
func (i fileInfo) Mode() fs.FileMode  { return i.mode | 0o444 }
func (i fileInfo) ModTime() time.Time { return time.Time{} }
func (i fileInfo) IsDir() bool        { return i.mode.IsDir() }
func (i fileInfo) Sys() any           { return nil }

type openFile struct {
	*bytes.Reader
	info fs.FileInfo
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *openFile) Close() error               { return nil }
