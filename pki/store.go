package pki

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/slipway-go/slipway/diag"
)

// The files of a saved authority and of a saved certificate.
const (
	AuthorityFile    = "ca.crt"  // an authority's chain; beside a certificate, the root to trust
	AuthorityKeyFile = "ca.key"  // an authority's private key
	CertificateFile  = "tls.crt" // a certificate and the chain above it
	KeyFile          = "tls.key" // its private key
)

// ErrLoose reports a key, or the directory around it, that others may read or
// replace. Narrow the modes with chmod, and consider the key known: others
// had access.
var ErrLoose = errors.New("permissions are too wide")

// Save writes the authority into dir, which must be absent or empty, for
// [Load] to read. It fails with [fs.ErrExist] if something is there: an
// authority is never overwritten.
func (a *Authority) Save(dir string) error {
	err := publish(dir, map[string][]byte{
		AuthorityFile:    encodeCertificates(a.chain),
		AuthorityKeyFile: encodeKey(a.key),
	})
	if err != nil {
		return fmt.Errorf("save %s: %w", a, err)
	}
	return nil
}

// Load reads the authority that [Authority.Save] wrote. It fails with
// [fs.ErrNotExist] if there is none and with [ErrLoose] if others could have
// read or replaced its key.
func Load(dir string) (*Authority, error) {
	a, err := load(dir)
	if err != nil {
		return nil, fmt.Errorf("load authority from %s: %w", dir, err)
	}
	return a, nil
}

func load(dir string) (*Authority, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	info, err := root.Stat(".")
	if err != nil {
		return nil, err
	}
	if err := checkMode(info, 0o700); err != nil {
		return nil, err
	}
	cert, err := readFile(root, AuthorityFile, 0o644)
	if err != nil {
		return nil, err
	}
	key, err := readFile(root, AuthorityKeyFile, 0o600)
	if err != nil {
		return nil, err
	}
	return ParseAuthority(cert, key)
}

// Save writes the certificate, its key and the root to trust into dir as
// [CertificateFile], [KeyFile] and [AuthorityFile], the names Kubernetes gives
// them too. It replaces what an earlier Save left there. A certificate without
// a private key leaves [KeyFile] alone, where its owner may keep one.
func (c *Certificate) Save(dir string) error {
	files := map[string][]byte{CertificateFile: c.PEM(), AuthorityFile: c.root}
	if c.key != nil {
		files[KeyFile] = c.KeyPEM()
	}
	if err := replace(dir, files); err != nil {
		return fmt.Errorf("save %s: %w", c, err)
	}
	return nil
}

// publish makes dir appear with all its files at once.
func publish(dir string, files map[string][]byte) error {
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return &fs.PathError{Op: "write", Path: dir, Err: fs.ErrExist}
	}
	parent := filepath.Dir(filepath.Clean(dir))
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(parent, ".new-") // 0700
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	for name, data := range files {
		if err := writeFile(filepath.Join(tmp, name), data); err != nil {
			return err
		}
	}
	return os.Rename(tmp, dir)
}

// replace puts each file into dir under a temporary name first, so that a
// reader never sees half a file.
func replace(dir string, files map[string][]byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if err := checkMode(info, 0o700); err != nil {
		return err
	}
	for name, data := range files {
		tmp := filepath.Join(dir, "."+name+".new")
		if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := writeFile(tmp, data); err != nil {
			return err
		}
		if err := os.Rename(tmp, filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

func writeFile(name string, data []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// readFile reads a regular file of at most maxPEM bytes and no wider mode
// than given. A symbolic link is refused: its target's directory has modes of
// its own.
func readFile(root *os.Root, name string, mode fs.FileMode) ([]byte, error) {
	before, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !before.Mode().IsRegular() {
		return nil, diag.New(diag.PKILink, "%s is not a regular file", name)
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !os.SameFile(before, info) {
		return nil, fmt.Errorf("%s was replaced while it was read", name)
	}
	if err := checkMode(info, mode); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(f, maxPEM+1))
}

func checkMode(info fs.FileInfo, widest fs.FileMode) error {
	what := info.Name()
	if info.IsDir() {
		what = "the directory"
	}
	if mode := info.Mode().Perm(); mode&^widest != 0 {
		return fmt.Errorf("%w: %w", diag.New(diag.PKILoose, "%s has mode %04o, want at most %04o", what, mode, widest), ErrLoose)
	}
	return nil
}
