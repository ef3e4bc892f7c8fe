//go:build unix && !linux

package proc

import "syscall"

// memberOf puts the child into the guard's group. Only Linux has a
// parent-death signal; elsewhere the guard is alone.
func memberOf(group int) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pgid: group}
}
