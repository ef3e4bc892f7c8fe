package up

import (
	"context"
	"errors"
	"os/exec"
	"syscall"
	"time"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/proc"
)

// commandGrace is how long the command has to stop. With the services' grace
// and what the cluster needs it stays within 30 seconds.
const commandGrace = 5 * time.Second

// command runs the user's command and keeps its exit status. It is an error if
// the command could not be started, or was stopped because the run ended
// first: by the user, or because a service was given up on.
func (r *run) command(ctx context.Context, id *identities, all []*service) error {
	environ, err := r.commandEnviron(id, all)
	if err != nil {
		return err
	}
	r.commanded = true
	r.observe(CommandStarted{Command: r.cfg.Command})
	began := time.Now()
	status, err := r.runCommand(ctx, environ)
	if err != nil {
		return err
	}
	r.result.Status = status
	r.observe(CommandEnded{Status: status, Took: time.Since(began)})
	return nil
}

// commandEnviron is the user's environment, with where everything is and who
// the command is on the cluster.
func (r *run) commandEnviron(id *identities, all []*service) ([]string, error) {
	vars, err := id.variables(commandDir, commandUser, contract.SCRAMSHA512)
	if err != nil {
		return nil, err
	}
	vars["ENVIRONMENT"] = r.estate.Env
	vars["TLS_CERT_PATH"], vars["TLS_KEY_PATH"] = "", ""
	r.addPrefix(vars)
	for _, s := range all {
		r.addClusters(vars, s.service.Clusters()...)
		if s.url != "" {
			vars[urlVariable(s.service.Name)] = s.url
		}
	}
	return commandEnviron(vars, r.cfg.Environ), nil
}

func (r *run) runCommand(ctx context.Context, environ []string) (status int, err error) {
	refused := func(err error) error {
		return diag.New(diag.UpCommand, "start %s: %v", r.cfg.Command[0], err)
	}
	path, err := lookPath(r.cfg.Command[0], environ)
	if err != nil {
		return 0, refused(err)
	}
	g, err := newGroup()
	if err != nil {
		return 0, refused(err)
	}
	defer g.holder.Kill()
	cmd := exec.Command(path, r.cfg.Command[1:]...)
	cmd.Args[0] = r.cfg.Command[0]
	cmd.Dir, cmd.Env = r.estate.dir, environ
	connect(cmd, r.cfg)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: g.id}
	giveBack := lendTerminal(r.cfg.Stdin, g.id)
	defer giveBack()
	if err := cmd.Start(); err != nil {
		return 0, refused(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		return exitStatus(err)
	case <-ctx.Done():
		g.stop(ended, r.cfg.Kill)
		return 0, context.Cause(ctx)
	}
}

// connect gives the command the streams it is to have. A nil file must not
// become a reader that is not nil.
func connect(cmd *exec.Cmd, cfg Config) {
	if cfg.Stdin != nil {
		cmd.Stdin = cfg.Stdin
	}
	if cfg.Stdout != nil {
		cmd.Stdout = cfg.Stdout
	}
	if cfg.Stderr != nil {
		cmd.Stderr = cfg.Stderr
	}
}

// exitStatus is how the command ended, as a shell would say it.
func exitStatus(err error) (int, error) {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return 0, err
	}
	if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal()), nil
	}
	return exit.ExitCode(), nil
}

// A group is the process group that the command runs in. The command cannot be
// a child of package proc, which has no streams to pass on; so a process of
// proc's that does nothing holds the group, and with it proc's promise that the
// group ends with this process, go run's program included.
type group struct {
	holder *proc.Process
	id     int
}

// idle ignores the signals that are meant for the command.
const idle = `trap '' HUP INT QUIT TERM TSTP; while :; do sleep 3600; done`

func newGroup() (group, error) {
	holder, err := proc.Start(proc.Config{Path: "/bin/sh", Args: []string{"-c", idle}, Dir: "/", Env: []string{"PATH=/usr/bin:/bin"}})
	if err != nil {
		return group{}, err
	}
	id, err := syscall.Getpgid(holder.PID())
	if err != nil {
		holder.Kill()
		return group{}, err
	}
	return group{holder: holder, id: id}, nil
}

// stop asks the command to end, and kills it when it does not, or when the
// user will not wait.
func (g group) stop(ended <-chan error, kill <-chan struct{}) {
	_ = syscall.Kill(-g.id, syscall.SIGTERM) // fails only when nothing is left
	_ = syscall.Kill(-g.id, syscall.SIGCONT)
	timer := time.NewTimer(commandGrace)
	defer timer.Stop()
	select {
	case <-ended: //nolint:errcheck // how it ended no longer matters
		return
	case <-kill:
	case <-timer.C:
	}
	g.holder.Kill()
	<-ended //nolint:errcheck // killed
}
