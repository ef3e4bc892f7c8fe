package proc

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// script waits for the end of its standard input and then kills its own
// process group. It ignores the signals that are meant for the child.
const script = `trap '' HUP INT TERM; read -r _; kill -s KILL 0`

// A guard leads a process group and kills it when this process ends.
type guard struct {
	cmd *exec.Cmd
	end *os.File // the pipe's end that dies with this process
}

func newGuard() (*guard, error) {
	read, write, err := os.Pipe() // close-on-exec: no child holds the writing end
	if err != nil {
		return nil, err
	}
	defer read.Close()
	g := &guard{cmd: exec.Command("/bin/sh", "-c", script), end: write}
	g.cmd.Stdin = read
	g.cmd.Dir = "/" // holds no directory busy
	g.cmd.Env = []string{}
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := g.cmd.Start(); err != nil {
		write.Close()
		return nil, fmt.Errorf("start its guard: %w", err)
	}
	return g, nil
}

func (g *guard) pid() int { return g.cmd.Process.Pid }

// release ends the guard. After it the group's id is free for others.
func (g *guard) release() {
	_ = g.cmd.Process.Kill() // it may have ended already
	_ = g.cmd.Wait()         // killed: there is always an error
	_ = g.end.Close()
}
