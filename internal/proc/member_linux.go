package proc

import "syscall"

// memberOf puts the child into the guard's group, and has the kernel kill it
// when the thread that starts it ends.
func memberOf(group int) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pgid: group, Pdeathsig: syscall.SIGKILL}
}
