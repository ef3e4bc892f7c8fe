package embedded

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki"
)

// The files of a data directory.
const (
	lockFile    = "lock"
	secretFile  = "secret"
	authority   = "ca"
	brokerDir   = "kafka"
	journalFile = "registry.journal"
)

// directory is an open data directory. The zero value stands for a cluster
// that keeps nothing.
type directory struct {
	path string
	lock *os.File
}

// openDirectory creates a data directory if need be and locks it.
func openDirectory(path string) (directory, error) {
	if path == "" {
		return directory{}, nil
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return directory{}, diag.New(diag.EmbeddedDirectory, "create data directory: %v", err)
	}
	lock, err := os.OpenFile(filepath.Join(path, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return directory{}, diag.New(diag.EmbeddedDirectory, "open data directory: %v", err)
	}
	if err := flock(lock); err != nil {
		return directory{}, errors.Join(err, lock.Close())
	}
	return directory{path: path, lock: lock}, nil
}

// close gives the directory free.
func (d directory) close() error {
	if d.lock == nil {
		return nil
	}
	return errors.Join(funlock(d.lock), d.lock.Close())
}

// file is the path of something in the directory, "" if nothing is kept.
func (d directory) file(name string) string {
	if d.path == "" {
		return ""
	}
	return filepath.Join(d.path, name)
}

// secret returns the directory's secret. One that is missing beside a broker's
// state is not replaced: no user could log in any more.
func (d directory) secret() (secret, error) {
	if d.path == "" {
		return newSecret(), nil
	}
	text, err := os.ReadFile(d.file(secretFile))
	if err == nil {
		s, ok := parseSecret(text)
		if !ok {
			return s, diag.New(diag.EmbeddedDamaged, "%s does not hold a secret", d.file(secretFile))
		}
		return s, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return secret{}, diag.New(diag.EmbeddedDirectory, "read secret: %v", err)
	}
	if _, err := os.Stat(d.file(brokerDir)); err == nil {
		return secret{}, diag.New(diag.EmbeddedDamaged, "%s is missing and %s exists", d.file(secretFile), d.file(brokerDir))
	}
	s := newSecret()
	if err := writeFile(d.file(secretFile), s.text()); err != nil {
		return s, diag.New(diag.EmbeddedDirectory, "write secret: %v", err)
	}
	return s, nil
}

// authority returns the directory's certificate authority, a new one if it has
// none or an expired one.
func (d directory) authority(now time.Time) (*pki.Authority, error) {
	if d.path != "" {
		a, err := pki.Load(d.file(authority))
		if err == nil && now.Before(a.NotAfter()) {
			return a, nil
		}
		if err == nil {
			err = os.RemoveAll(d.file(authority))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, diag.New(diag.EmbeddedDamaged, "load authority: %v", err)
		}
	}
	a, err := pki.NewAuthority("slipway-embedded", now)
	if err != nil || d.path == "" {
		return a, err
	}
	if err := a.Save(d.file(authority)); err != nil {
		return nil, diag.New(diag.EmbeddedDirectory, "save authority: %v", err)
	}
	return a, nil
}

// writeFile writes a file whole or not at all.
func writeFile(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails once it is renamed, as it should
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
