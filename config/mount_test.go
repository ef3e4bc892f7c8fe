package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// A mount is a directory as Kubernetes makes one of a ConfigMap: files are
// links through ..data to a directory that is replaced as a whole.
type mount struct {
	t   testing.TB
	dir string
	n   int
}

// swap puts the next generation in place and removes the one before.
func (m *mount) swap(prod, common string) {
	m.t.Helper()
	old := fmt.Sprintf("..gen_%d", m.n)
	m.n++
	next := fmt.Sprintf("..gen_%d", m.n)
	try := func(err error) {
		if err != nil {
			m.t.Error(err)
		}
	}
	try(os.Mkdir(filepath.Join(m.dir, next), 0o700))
	for name, text := range map[string]string{"prod.yaml": prod, "common.yaml": common} {
		write(m.t, filepath.Join(m.dir, next, name), text)
		if m.n == 1 {
			try(os.Symlink(filepath.Join("..data", name), filepath.Join(m.dir, name)))
		}
	}
	try(os.Symlink(next, filepath.Join(m.dir, "..data_tmp")))
	try(os.Rename(filepath.Join(m.dir, "..data_tmp"), filepath.Join(m.dir, "..data")))
	try(os.RemoveAll(filepath.Join(m.dir, old)))
}
