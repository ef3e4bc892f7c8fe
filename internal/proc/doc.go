// Package proc runs child processes that cannot be orphaned.
//
// # Who kills whom
//
// Every child stands in a process group of its own, so that a Ctrl-C in the
// terminal reaches only Slipway, which then stops its children in order. The
// group's leader is not the child but a guard: a shell that reads from a pipe
// whose other end Slipway holds. However Slipway ends, by return, by panic or
// by kill -9, the kernel closes that end, the guard reads end of file and
// kills the whole group, the child's own children included. On Linux the
// child gets SIGKILL through its parent-death signal as well, should somebody
// have killed the guard.
//
// The parent-death signal belongs to the thread that forked, not to the
// process: when the Go runtime ends that thread, the child is killed for no
// reason. So each child is started and waited for on one goroutine that is
// locked to its thread until the child is gone. A waiting goroutine occupies
// a thread anyway; the lock costs nothing.
//
// The guard keeps the group's id taken for as long as the group may be
// signalled, so a signal never reaches a stranger that was given the same id.
//
// # What a child leaves behind
//
// When the child ends, the rest of its group is killed: nothing it started
// outlives it, unless it left the group on purpose (setsid).
//
// # Restarting
//
// [Keep] runs something again when it ends, with growing pauses, and gives up
// on what ends too often ([Policy]). It knows no processes and no clock but
// the ambient one, so its tests run in virtual time.
package proc
