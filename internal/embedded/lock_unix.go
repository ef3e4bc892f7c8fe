//go:build unix

package embedded

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"

	"github.com/slipway-go/slipway/diag"
)

// flock locks a file until it is closed or the process ends, however it ends.
func flock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return diag.New(diag.EmbeddedInUse, "data directory %s belongs to a cluster that is running", filepath.Dir(f.Name()))
	case err != nil:
		return diag.New(diag.EmbeddedDirectory, "lock data directory %s: %v", filepath.Dir(f.Name()), err)
	}
	return nil
}

// funlock gives a lock away, though a child that is being forked may hold the
// file open for a moment longer.
func funlock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }
