package depot

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/slipway-go/slipway/diag"
)

const lockFile = "lock"

// lock takes the depot for this process, or says whose it is. The kernel gives
// it back when the file is closed or the process ends, however it ends; the
// process id in the file is for people.
func (d *disk) lock() (*os.File, error) {
	if info, err := d.root.Lstat(lockFile); err == nil && !info.Mode().IsRegular() {
		return nil, notFile(lockFile)
	}
	f, err := d.root.OpenFile(lockFile, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, locked(f)
		}
		return nil, fmt.Errorf("lock: %w", err)
	}
	if err := errors.Join(f.Truncate(0), writeAt(f, strconv.Itoa(os.Getpid()))); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock: %w", err)
	}
	return f, nil
}

// unlock gives the depot back. It does not leave that to Close: a process that
// another goroutine starts just now has the file too, until it begins to run.
func unlock(f *os.File) error {
	return errors.Join(syscall.Flock(int(f.Fd()), syscall.LOCK_UN), f.Close())
}

func locked(f *os.File) error {
	text, _ := io.ReadAll(io.LimitReader(f, 20)) // what cannot be read is not told
	if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
		return diag.New(diag.DepotLocked, "process %d is changing %s", pid, filepath.Dir(f.Name()))
	}
	return diag.New(diag.DepotLocked, "another process is changing %s", filepath.Dir(f.Name()))
}

func writeAt(f *os.File, text string) error {
	_, err := f.WriteAt([]byte(text), 0)
	return err
}
