package proc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// ErrKilled reports that a process did not end within its grace and was
// killed. What it had not written or committed by then is lost.
var ErrKilled = errors.New("process did not end in time and was killed")

// leftover is how long output is still read after the child ended, for a
// grandchild that left the group and holds the pipe.
const leftover = 3 * time.Second

// A Config says what to run.
type Config struct {
	// Credential is whom it runs as, where this process may choose. Nil means
	// as this process.
	Credential *syscall.Credential

	// Path is the program. A bare name is looked up in PATH.
	Path string

	// Args are its arguments, without the program's name.
	Args []string

	// Dir is where it runs. Defaults to the current directory.
	Dir string

	// Env is its whole environment. Nil means this process's.
	Env []string

	// MaxLine is the longest line given to Output, in bytes; the rest of a
	// longer one is dropped and the cut is marked.
	//
	// Defaults to 8 KiB.
	MaxLine int

	// Output receives each line of standard output and standard error,
	// without its end, one at a time and in order. A slow Output slows the
	// process down. Nil discards.
	Output func(line string)
}

// A Process is a running child. Its methods may be called concurrently.
type Process struct {
	cmd   *exec.Cmd
	guard *guard
	done  chan struct{}
	err   error // of the child's Wait; read after done

	mu   sync.Mutex
	gone bool // the group is dead and its id may be given away
}

// Start starts a child. Its standard input is empty.
func Start(cfg Config) (*Process, error) {
	p, err := start(cfg)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", cfg.Path, err)
	}
	return p, nil
}

// Run starts a child and waits for it to end. When ctx is cancelled first, the
// child is stopped with the given grace and the result is ctx's cause.
func Run(ctx context.Context, cfg Config, grace time.Duration) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	p, err := Start(cfg)
	if err != nil {
		return err
	}
	select {
	case <-p.Done():
		return p.Wait()
	case <-ctx.Done():
		return errors.Join(context.Cause(ctx), p.Stop(grace))
	}
}

// PID returns the child's process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the child has ended, its group is dead and its output
// has been delivered.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits for the child to end. It returns nil for exit status 0 and an
// [*exec.ExitError] for any other end. It may be called any number of times.
func (p *Process) Wait() error {
	<-p.done
	return p.err
}

// Signal sends a signal to the child alone; to a child that has ended it
// returns [os.ErrProcessDone].
func (p *Process) Signal(sig os.Signal) error { return p.cmd.Process.Signal(sig) }

// Stop ends the process: SIGTERM to its group, and after the grace SIGKILL.
// It returns when nothing of the group is left, with [ErrKilled] if the grace
// was not enough. A paused process is continued, so that it can end.
func (p *Process) Stop(grace time.Duration) error {
	p.signalGroup(syscall.SIGTERM)
	p.signalGroup(syscall.SIGCONT)
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.done:
		return nil
	case <-timer.C:
	}
	select {
	case <-p.done: // both were ready
		return nil
	default:
		p.Kill()
		return ErrKilled
	}
}

// Kill ends the process's group at once and waits for it.
func (p *Process) Kill() {
	p.signalGroup(syscall.SIGKILL)
	<-p.done
}

func start(cfg Config) (*Process, error) {
	g, err := newGuard()
	if err != nil {
		return nil, err
	}
	p := &Process{cmd: exec.Command(cfg.Path, cfg.Args...), guard: g, done: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env = cfg.Dir, cfg.Env
	p.cmd.SysProcAttr = memberOf(g.pid())
	p.cmd.SysProcAttr.Credential = cfg.Credential
	out, err := p.pipe(cfg)
	if err != nil {
		g.release()
		return nil, err
	}
	started := make(chan error)
	go p.supervise(out, started)
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// pipe connects the child's output to cfg.Output.
func (p *Process) pipe(cfg Config) (*output, error) {
	if cfg.Output == nil {
		return nil, nil
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p.cmd.Stdout, p.cmd.Stderr = write, write
	return &output{read: read, write: write, limit: cmp.Or(cfg.MaxLine, 8<<10), emit: cfg.Output}, nil
}

// supervise starts the child and stays on its thread until the child is gone;
// see the package comment.
func (p *Process) supervise(out *output, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	out.begin(err == nil)
	if err != nil {
		p.endGroup()
		started <- err
		return
	}
	started <- nil
	p.err = p.cmd.Wait()
	p.endGroup()
	out.end()
	close(p.done)
}

// endGroup kills what the child left behind, and the guard.
func (p *Process) endGroup() {
	p.mu.Lock()
	defer p.mu.Unlock()
	syscall.Kill(-p.guard.pid(), syscall.SIGKILL)
	p.guard.release()
	p.gone = true
}

// signalGroup signals the child and its descendants. Those that have ended do
// not matter, so neither does an error.
func (p *Process) signalGroup(sig syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.gone {
		syscall.Kill(-p.guard.pid(), sig)
	}
}
