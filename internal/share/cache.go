package share

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// Write keeps what was pulled: the contracts in the cache, and estate.lock last.
// If it fails on the way the lock still names what was there before, and what
// was replaced already is refused until the next pull.
func (u *Update) Write() error {
	if err := u.checkCache(); err != nil {
		return err
	}
	for _, service := range slices.Sorted(maps.Keys(u.bundles)) {
		if err := u.keep(service, u.bundles[service]); err != nil {
			return cacheProblem(path.Join(contract.PulledDir, service), err)
		}
	}
	if u.moved {
		if err := u.replace(contract.LockFile, u.text()); err != nil {
			return cacheProblem(contract.LockFile, err)
		}
	}
	for _, c := range u.Changes {
		if c.New != "" {
			continue
		}
		if err := u.root.RemoveAll(path.Join(contract.PulledDir, c.Service)); err != nil {
			return cacheProblem(path.Join(contract.PulledDir, c.Service), err)
		}
	}
	return nil
}

func cacheProblem(name string, err error) error {
	if cause, ok := errors.AsType[*fs.PathError](err); ok {
		err = cause.Err
	}
	return diag.New(diag.ShareCache, "write %s: %v", name, err)
}

// checkCache makes the directory of the cache. A link on the way would have
// what is pulled, and what is removed, somewhere else.
func (u *Update) checkCache() error {
	for _, dir := range []string{path.Dir(contract.PulledDir), contract.PulledDir} {
		info, err := u.root.Lstat(dir)
		if errors.Is(err, fs.ErrNotExist) {
			err = u.root.Mkdir(dir, 0o750)
			info = nil
		}
		if err != nil {
			return cacheProblem(dir, err)
		}
		if info != nil && !info.IsDir() {
			return cacheProblem(dir, errors.New("it is a link or no directory"))
		}
	}
	return nil
}

// keep writes a bundle beside its place and moves it there.
func (u *Update) keep(service string, b *Bundle) error {
	place := path.Join(contract.PulledDir, service)
	fresh, stale := path.Join(contract.PulledDir, "."+service+".new"), path.Join(contract.PulledDir, "."+service+".old")
	for _, rest := range []string{fresh, stale} { // of a run that was killed
		if err := u.root.RemoveAll(rest); err != nil {
			return err
		}
	}
	for _, name := range b.names() {
		file := path.Join(fresh, name)
		if err := u.root.MkdirAll(path.Dir(file), 0o750); err != nil {
			return err
		}
		if err := u.root.WriteFile(file, b.files[name], 0o600); err != nil {
			return err
		}
	}
	err := u.root.Rename(place, stale)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := u.root.Rename(fresh, place); err != nil {
		return err
	}
	return u.root.RemoveAll(stale)
}

// replace writes a file of the estate's directory in one step.
func (u *Update) replace(name string, data []byte) error {
	fresh := "." + name + ".new"
	if err := u.root.WriteFile(fresh, data, 0o644); err != nil {
		return err
	}
	if err := u.root.Rename(fresh, name); err != nil {
		u.root.Remove(fresh)
		return err
	}
	return nil
}

// text is the lock, the same to the byte for the same pins.
func (u *Update) text() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Written by slipway estate pull. Commit it; do not edit it.\napiVersion: %s\nkind: EstateLock\n", contract.APIVersion)
	if len(u.lock) == 0 {
		b.WriteString("services: {}\n")
		return b.Bytes()
	}
	b.WriteString("services:\n")
	for _, name := range slices.Sorted(maps.Keys(u.lock)) {
		l := u.lock[name]
		fmt.Fprintf(&b, "  %s:\n    from: %q\n    digest: %q\n", name, l.From, l.Digest)
		if l.Tree != "" {
			fmt.Fprintf(&b, "    tree: %q\n", l.Tree)
		}
		fmt.Fprintf(&b, "    contract: %q\n", l.Contract)
	}
	return b.Bytes()
}
