package up

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// lendTerminal gives the terminal to a process group, as a shell does for the
// job in the foreground, so that a command may read from it and gets its
// Ctrl-C. It does nothing if stdin is no terminal, or not ours to lend. The
// function that is returned takes the terminal back.
func lendTerminal(stdin *os.File, group int) (giveBack func()) {
	if stdin == nil {
		return func() {}
	}
	fd := int(stdin.Fd())
	own := syscall.Getpgrp()
	if front, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP); err != nil || front != own {
		return func() {}
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPGRP, group); err != nil {
		return func() {}
	}
	return func() {
		// Whoever takes the terminal from the background is stopped, unless it
		// does not listen.
		signal.Ignore(syscall.SIGTTOU)
		defer signal.Reset(syscall.SIGTTOU)
		_ = unix.IoctlSetPointerInt(fd, unix.TIOCSPGRP, own)
	}
}
