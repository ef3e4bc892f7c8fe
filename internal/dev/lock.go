package dev

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// errLocked reports that another process holds a lock.
var errLocked = errors.New("locked by another process")

// A lock is an flock on a file that holds the owner's process id. The kernel
// releases it when its process ends, however it ends.
type lock struct{ file *os.File }

// acquire takes the lock at path or fails with errLocked.
func acquire(path string) (*lock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errLocked
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	l := &lock{file: f}
	if err := l.write(strconv.Itoa(os.Getpid()) + "\n"); err != nil {
		l.release()
		return nil, err
	}
	return l, nil
}

func (l *lock) write(s string) error {
	if err := l.file.Truncate(0); err != nil {
		return err
	}
	_, err := l.file.WriteAt([]byte(s), 0)
	return err
}

// release empties the file, so that its content is never that of a process
// that is gone, and gives the lock away: by name, because a child that is being
// forked holds the file open for a moment after it is closed here.
func (l *lock) release() {
	_ = l.file.Truncate(0) // the lock goes with Close, whatever the file says
	_ = unlock(l.file)
	_ = l.file.Close()
}

func unlock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }

// holder returns the id of the process that holds the lock at path, 0 if
// nobody does.
func holder(path string) (int, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer f.Close()
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	if err == nil {
		return 0, unlock(f) // ours for a moment
	}
	if !errors.Is(err, syscall.EWOULDBLOCK) {
		return 0, fmt.Errorf("test lock %s: %w", path, err)
	}
	data, err := io.ReadAll(io.LimitReader(f, 32))
	if err != nil {
		return 0, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil || pid <= 1 {
		return 0, fmt.Errorf("%s is locked but names no process", path)
	}
	return pid, nil
}
