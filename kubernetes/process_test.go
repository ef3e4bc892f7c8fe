//go:build kubernetes

package kubernetes_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"
)

// A process of the control plane, which dies with the test.
type process struct {
	name  string
	cmd   *exec.Cmd
	log   string
	ended chan struct{}
}

func (p *plane) start(name, program string, args ...string) error {
	log, err := os.Create(p.file(name + ".log"))
	if err != nil {
		return err
	}
	defer log.Close() // the process has its own
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, p.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	proc := &process{name, cmd, log.Name(), make(chan struct{})}
	go func() {
		defer close(proc.ended)
		_ = cmd.Wait() // however it ended
	}()
	p.processes = append(p.processes, proc)
	return nil
}

// await tries until all of the steps succeed, unless a process has ended.
func (p *plane) await(ctx context.Context, name string, steps ...func() error) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		var err error
		for _, step := range steps {
			if err = step(); err != nil {
				break
			}
		}
		if err == nil {
			return nil
		}
		for _, proc := range p.processes {
			select {
			case <-proc.ended:
				return fmt.Errorf("%s ended: %v\n%s", proc.name, proc.cmd.ProcessState, tail(proc.log))
			default:
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", name, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// stop ends the processes, the last one first, and tells what they said if asked to.
func (p *plane) stop(tell bool) {
	for _, proc := range slices.Backward(p.processes) {
		_ = proc.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		select {
		case <-proc.ended:
		case <-time.After(5 * time.Second): // nothing of it is kept
			_ = proc.cmd.Process.Kill()
			<-proc.ended
		}
		if tell {
			fmt.Fprintf(os.Stderr, "-- the last words of %s\n%s\n", proc.name, tail(proc.log))
		}
	}
	_ = os.RemoveAll(p.dir)
}

// tail is the end of a log.
func tail(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-2000):])
}
