package spill

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// A Folder is the directory of a queue. Tests have their own, which fails and
// crashes as they like.
type Folder interface {
	// Lock takes the directory for this process until it is closed.
	Lock() (io.Closer, error)

	// Names are the files of the directory.
	Names() ([]string, error)

	// Create makes a file that does not exist, Open opens one that does.
	Create(name string) (File, error)
	Open(name string) (File, error)

	Rename(from, to string) error
	Remove(name string) error

	// Sync makes what was created, renamed and removed last.
	Sync() error

	// Close ends the use of the directory.
	Close() error
}

// A File is one of a [Folder].
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Size() (int64, error)
	Sync() error
}

// ErrUnsafe reports a directory that others can write or that is not what it
// seems. Give the queue a directory of its own.
var ErrUnsafe = errors.New("directory is not safe")

// ErrLocked reports a directory that another process uses. Two processes need
// a directory each.
var ErrLocked = errors.New("directory is in use by another process")

const (
	dirMode  = 0o700
	fileMode = 0o600
	lockName = "lock"
)

// disk is a directory of the operating system. Nothing in it is followed to
// the outside.
type disk struct {
	path string
	root *os.Root
}

// OpenFolder opens a directory, and makes it if only its last element is
// missing. It must be a directory and no link to one, be owned by this process's
// user or by root, and not be writable for everybody.
func OpenFolder(path string) (Folder, error) {
	if err := CheckDir(path); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	return &disk{path, root}, nil
}

// CheckDir makes a directory if it is missing and judges whether it is safe.
func CheckDir(path string) error {
	if err := os.Mkdir(path, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return err
	case info.Mode()&fs.ModeSymlink != 0:
		return fmt.Errorf("%w: %s is a symbolic link", ErrUnsafe, path)
	case !info.IsDir():
		return fmt.Errorf("%w: %s is not a directory", ErrUnsafe, path)
	case info.Mode().Perm()&0o002 != 0:
		return fmt.Errorf("%w: %s is writable for everybody (mode %04o)", ErrUnsafe, path, info.Mode().Perm())
	case foreign(info):
		return fmt.Errorf("%w: %s belongs to another user", ErrUnsafe, path)
	}
	return nil
}

func (d *disk) Lock() (io.Closer, error) {
	f, err := d.open(lockName, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	if err := flock(f.File); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", d.path, err), f.Close())
	}
	return unlocker{f.File}, nil
}

// An unlocker gives a lock away by name: a child that is being forked may hold
// the file open for a moment longer.
type unlocker struct{ f *os.File }

func (u unlocker) Close() error { return errors.Join(funlock(u.f), u.f.Close()) }

func (d *disk) Names() ([]string, error) {
	entries, err := fs.ReadDir(d.root.FS(), ".")
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}

func (d *disk) Create(name string) (File, error) {
	return wrap(d.open(name, os.O_RDWR|os.O_CREATE|os.O_EXCL))
}

func (d *disk) Open(name string) (File, error) { return wrap(d.open(name, os.O_RDWR)) }

func wrap(f file, err error) (File, error) {
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (d *disk) open(name string, flag int) (file, error) {
	info, err := d.root.Lstat(name)
	if err == nil && !info.Mode().IsRegular() {
		return file{}, fmt.Errorf("%w: %s is not a regular file", ErrUnsafe, filepath.Join(d.path, name))
	}
	f, err := d.root.OpenFile(name, flag, fileMode)
	return file{f}, err
}

func (d *disk) Rename(from, to string) error { return d.root.Rename(from, to) }
func (d *disk) Remove(name string) error     { return d.root.Remove(name) }
func (d *disk) Close() error                 { return d.root.Close() }

func (d *disk) Sync() error {
	f, err := d.root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

type file struct{ *os.File }

func (f file) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
