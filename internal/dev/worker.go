package dev

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/proc"
)

// Why a worker's process is ended.
var (
	errStopped = errors.New("stopped")
	errKilled  = errors.New("killed")
)

// A worker keeps one process running until it is stopped or killed.
type worker struct {
	name    string // as people know it: "node 2", "registry"
	log     string // the file to look into when it ends
	command proc.Config
	classes classes // kept when it ended in order
	grace   time.Duration
	report  func(string)
	changed func()      // the process id is another
	failed  func(error) // it ended too often

	mu      sync.Mutex
	process *proc.Process           // nil while none runs
	cancel  context.CancelCauseFunc // nil while nothing keeps it running
	done    chan struct{}           // closed when nothing does any more

	ended chan error // why it ended by itself; holds one
}

// start begins to keep the process running, if nothing does yet.
func (w *worker) start() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cancel != nil {
		return
	}
	select {
	case <-w.ended: //nolint:errcheck // an end from before
	default:
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	w.cancel, w.done = cancel, make(chan struct{})
	go w.keep(ctx, w.done)
}

// stop ends the process and returns when it is gone.
func (w *worker) stop(cause error) {
	w.mu.Lock()
	cancel, done := w.cancel, w.done
	w.mu.Unlock()
	if cancel == nil {
		return
	}
	cancel(cause)
	<-done
}

// pid returns the process's id, 0 while none runs.
func (w *worker) pid() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.process == nil {
		return 0
	}
	return w.process.PID()
}

// signal sends a signal to the process.
func (w *worker) signal(sig os.Signal) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.process == nil {
		return fmt.Errorf("signal %s: %w", w.name, os.ErrProcessDone)
	}
	return w.process.Signal(sig)
}

func (w *worker) keep(ctx context.Context, done chan struct{}) {
	err := proc.Keep(ctx, proc.Policy{}, w.run, w.exited)
	w.mu.Lock()
	w.cancel = nil
	w.mu.Unlock()
	if _, gaveUp := errors.AsType[*proc.GivenUpError](err); gaveUp {
		w.failed(w.diagnose(err))
	}
	close(done)
}

func (w *worker) run(ctx context.Context) error {
	log, err := os.OpenFile(w.log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	command := w.command
	command.Output = func(line string) { fmt.Fprintln(log, line) }
	p, err := proc.Start(command)
	if err != nil {
		return err
	}
	w.set(p)
	defer w.set(nil)
	select {
	case <-p.Done():
		return p.Wait()
	case <-ctx.Done():
	}
	if errors.Is(context.Cause(ctx), errKilled) {
		p.Kill()
		return nil
	}
	err = p.Stop(max(w.grace, w.classes.grace()))
	if !errors.Is(err, proc.ErrKilled) {
		w.classes.keep()
	}
	return err
}

func (w *worker) set(p *proc.Process) {
	w.mu.Lock()
	w.process = p
	w.mu.Unlock()
	w.changed()
}

func (w *worker) exited(e proc.Exit) {
	if e.Pause > 0 {
		w.report(fmt.Sprintf("%s ended by itself after %v (%v), starting it again in %v", w.name, e.Ran.Round(time.Second), reason(e.Err), e.Pause))
	}
	select {
	case w.ended <- w.diagnose(e.Err):
	default:
	}
}

func (w *worker) diagnose(err error) error {
	return withLog(diag.New(diag.DevEnded, "%s ended by itself: %s", w.name, reason(err)), w.log)
}

func reason(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}
