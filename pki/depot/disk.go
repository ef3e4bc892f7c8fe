package depot

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki"
)

const (
	dirMode  fs.FileMode = 0o700
	fileMode fs.FileMode = 0o600
	readable fs.FileMode = 0o644 // the widest mode of what is no secret

	// maxFile is the longest file that is read. The register of a cluster
	// with a thousand leaves grows by 150 KB each time all are renewed.
	maxFile = 64 << 20

	// manyFiles is from how many on one sync of the file system is cheaper
	// than one of each file.
	manyFiles = 24
)

// A disk is a directory tree that is changed so that a crash at any point
// leaves each file either as it was or as it should become. What is made is
// not durable before [disk.barrier]; a rename stands between two of them.
//
// Paths are relative and stay below the root. Nothing is followed out of it.
type disk struct {
	root  *os.Root
	below string          // where the root is, seen from the depot: empty for the depot itself
	dirty map[string]bool // what was made or changed since the last barrier, seen from the depot

	// step is told of each operation before it is done. Tests end the process
	// there.
	step func(op, path string)
}

// openDisk opens a directory that is for its owner alone.
func openDisk(dir string, step func(op, path string)) (*disk, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	d := &disk{root: root, dirty: map[string]bool{}, step: step}
	info, err := root.Stat(".")
	if err == nil {
		err = checkMode(dir, info, dirMode)
	}
	if err != nil {
		root.Close()
		return nil, err
	}
	return d, nil
}

func (d *disk) close() { d.root.Close() }

// in returns the disk from one of its directories on, for many operations on
// what lies there: each walks down from the root. Barriers are the whole disk's.
func (d *disk) in(dir string) (*disk, error) {
	root, err := d.root.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &disk{root: root, below: path.Join(d.below, dir), dirty: d.dirty, step: d.step}, nil
}

// changed notes what a barrier has to make durable.
func (d *disk) changed(name string) { d.dirty[path.Join(d.below, name)] = true }

func (d *disk) at(op, name string) {
	if d.step != nil {
		d.step(op, path.Join(d.below, name))
	}
}

// read returns a regular file that nobody else may write, and read neither if
// it is to be kept secret.
func (d *disk) read(name string, widest fs.FileMode) ([]byte, error) {
	before, err := d.root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !before.Mode().IsRegular() {
		return nil, notFile(name)
	}
	f, err := d.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !os.SameFile(before, info) {
		return nil, notFile(name)
	}
	if err := checkMode(d.place(name), info, widest); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		return nil, diag.New(diag.DepotDamaged, "%s is longer than %d bytes", name, maxFile)
	}
	return data, err
}

// names returns what is in a directory of the depot, sorted; nothing if it
// does not exist.
func (d *disk) names(dir string) ([]string, error) {
	if err := d.checkDir(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	f, err := d.root.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	slices.Sort(names)
	return names, err
}

func (d *disk) exists(name string) bool {
	_, err := d.root.Lstat(name)
	return err == nil
}

// mkdir makes a directory unless it is there.
func (d *disk) mkdir(name string) error {
	if err := d.checkDir(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	d.at("mkdir", name)
	d.touch(name)
	return d.root.Mkdir(name, dirMode)
}

// create writes a file that does not exist.
func (d *disk) create(name string, data []byte) error {
	d.at("create", name)
	f, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	d.touch(name)
	d.at("write", name)
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// replace puts data in a file's place, durably.
func (d *disk) replace(name string, data []byte) error {
	tmp := fresh(name)
	if err := d.remove(tmp); err != nil {
		return err
	}
	if err := d.create(tmp, data); err != nil {
		return err
	}
	return d.publish(tmp, name)
}

// publish gives a complete file or directory its name, durably.
func (d *disk) publish(tmp, name string) error {
	if err := d.barrier(); err != nil {
		return err
	}
	if err := d.rename(tmp, name); err != nil {
		return err
	}
	return d.barrier()
}

func (d *disk) rename(from, to string) error {
	d.at("rename", to)
	d.changed(path.Dir(to))
	return d.root.Rename(from, to)
}

func (d *disk) symlink(target, name string) error {
	d.at("symlink", name)
	d.changed(path.Dir(name))
	return d.root.Symlink(target, name)
}

// remove removes a file, a link or a whole directory, if it is there.
func (d *disk) remove(name string) error {
	if !d.exists(name) {
		return nil
	}
	d.at("remove", name)
	d.changed(path.Dir(name))
	return d.root.RemoveAll(name)
}

// rmdir removes a directory if it is empty.
func (d *disk) rmdir(name string) error {
	if all, err := d.names(name); err != nil || len(all) > 0 {
		return err
	}
	return d.remove(name)
}

func (d *disk) touch(name string) {
	d.changed(name)
	d.changed(path.Dir(name))
}

// barrier makes durable what was changed since the last one.
func (d *disk) barrier() error {
	if len(d.dirty) == 0 {
		return nil
	}
	d.at("sync", ".")
	if len(d.dirty) >= manyFiles {
		switch err := syncAll(d.root); {
		case err == nil:
			clear(d.dirty)
			return nil
		case !errors.Is(err, errors.ErrUnsupported):
			return fmt.Errorf("sync: %w", err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.dirty)) {
		if err := d.sync(name); err != nil {
			return err
		}
	}
	clear(d.dirty)
	return nil
}

// sync syncs one file or directory. One that was removed since needs none.
func (d *disk) sync(name string) error {
	f, err := d.root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func (d *disk) checkDir(name string) error {
	info, err := d.root.Lstat(name)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return diag.New(diag.PKILink, "%s is not a directory", name)
	}
	return checkMode(d.place(name), info, dirMode)
}

// place is a file as its owner finds it.
func (d *disk) place(name string) string {
	return filepath.Join(d.root.Name(), filepath.FromSlash(name))
}

func checkMode(name string, info fs.FileInfo, widest fs.FileMode) error {
	if mode := info.Mode().Perm(); mode&^widest != 0 {
		return fmt.Errorf("%w: %w", diag.New(diag.PKILoose, "%s has mode %04o, want at most %04o", name, mode, widest).
			WithFix("chmod %04o %s; if others have accounts on this machine, consider its keys known and replace them", widest, name), pki.ErrLoose)
	}
	return nil
}

func notFile(name string) error {
	return diag.New(diag.PKILink, "%s is not a regular file", name)
}

// fresh is the name under which a file is written before it takes its own.
func fresh(name string) string {
	dir, base := path.Split(name)
	return dir + "." + base + ".new"
}
