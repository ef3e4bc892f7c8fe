package up

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/slipway-go/slipway/diag"
)

// A state is an estate's directory in the user's cache, locked. Only one run
// has it at a time; the kernel gives it free when the process ends, however it
// ends, so no lock is ever stale.
type state struct {
	dir  string
	lock *os.File

	// swept tells that an earlier run left something behind.
	swept bool
}

// openState locks the state of the estate in dir, an absolute path, and removes
// what a killed run left there.
func openState(base, dir string) (*state, error) {
	base, err := stateBase(base)
	if err != nil {
		return nil, err
	}
	s := stateOf(base, dir)
	if err := s.open(dir); err != nil {
		return nil, err
	}
	return s, nil
}

// stateOf is the state of an estate, which may belong to somebody else.
func stateOf(base, dir string) *state {
	sum := sha256.Sum256([]byte(dir))
	return &state{dir: filepath.Join(base, hex.EncodeToString(sum[:8]))}
}

func stateBase(base string) (string, error) {
	if base != "" {
		return filepath.Abs(base)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", diag.New(diag.UpState, "find the user's cache directory: %v", err).WithFix("set HOME or XDG_CACHE_HOME")
	}
	return filepath.Join(cache, "slipway", "up"), nil
}

func (s *state) open(estate string) error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return stateFault(err)
	}
	if err := s.acquire(estate); err != nil {
		return err
	}
	_, err := os.Lstat(s.run())
	s.swept = err == nil
	for _, prepare := range []func() error{
		func() error { return os.RemoveAll(s.run()) },
		func() error { return os.Mkdir(s.run(), 0o700) },
		func() error { return os.MkdirAll(s.programs(), 0o700) },
	} {
		if err := prepare(); err != nil {
			return errors.Join(stateFault(err), s.lock.Close())
		}
	}
	return nil
}

// acquire takes the lock and writes into it whose it is, for the one that is
// refused.
func (s *state) acquire(estate string) error {
	f, err := os.OpenFile(filepath.Join(s.dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return stateFault(err)
	}
	err = lock(f)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		defer f.Close()
		return diag.New(diag.UpBusy, "%s is up already%s", estate, holder(f))
	}
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = f.WriteAt(strconv.AppendInt(nil, int64(os.Getpid()), 10), 0)
	}
	if err != nil {
		return errors.Join(stateFault(err), f.Close())
	}
	s.lock = f
	return nil
}

// Whoever looks whether a run has the lock shares it for a moment, so a lock
// that is taken is tried again before it counts as a run's.
const (
	lockTries = 10
	lockPause = 10 * time.Millisecond
)

// lock takes the lock for this run alone.
func lock(f *os.File) (err error) {
	for range lockTries {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
		time.Sleep(lockPause)
	}
	return err
}

// holder names the process that has the lock, if it had time to write it down.
func holder(lock *os.File) string {
	b := make([]byte, 20)
	n, _ := lock.ReadAt(b, 0)
	pid, err := strconv.Atoi(strings.TrimSpace(string(b[:n])))
	if err != nil {
		return ""
	}
	return fmt.Sprintf(", in process %d", pid)
}

// run is the directory that lasts as long as the run.
func (s *state) run() string { return filepath.Join(s.dir, "run") }

// programs is where built services are kept for the next run.
func (s *state) programs() string { return filepath.Join(s.dir, "bin") }

// close removes the run's directory and gives the estate free. The lock is
// given away by name: a child that is being forked holds the file open for a
// moment longer, and with it a lock that only closing would end.
func (s *state) close() error {
	return errors.Join(os.RemoveAll(s.run()), unlock(s.lock), s.lock.Close())
}

func unlock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }

func stateFault(err error) error {
	return diag.New(diag.UpState, "prepare the directory that the run needs: %v", err)
}
