package up

import (
	"context"
	"errors"
	"os/exec"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/proc"
)

// misfitStatus is what package serve exits with when contract, code or
// surroundings are wrong: another start would end the same.
const misfitStatus = 64

// A givenUpError is a service that is not started again.
type givenUpError struct {
	service *service
	fault   diag.Diagnostic // without the service's last words
}

func (e *givenUpError) Error() string { return e.fault.Error() }
func (e *givenUpError) Unwrap() error { return e.fault }

// keep runs a service until the context ends, which is no error, or until it
// has ended too often, or in a way that no start cures.
func (k keeper) keep(ctx context.Context, s *service) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	err := proc.Keep(ctx, k.policy, func(ctx context.Context) error {
		began := time.Now()
		err := k.once(ctx, s)
		if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == misfitStatus {
			k.died(s, proc.Exit{Err: err, Ran: time.Since(began)})
			cancel(s.givenUp(diag.New(diag.UpGivenUp, "%s ended with %s: its contract, its code or what surrounds it is wrong, which no restart cures",
				s.service.Name, ending(err))))
		}
		return err
	}, func(x proc.Exit) { k.died(s, x) })
	if given, ok := errors.AsType[*proc.GivenUpError](err); ok {
		return s.givenUp(diag.New(diag.UpGivenUp, "%s ended %d times within %v, the last time with %s",
			s.service.Name, given.Exits, given.Within, ending(given.Last)))
	}
	if given, ok := errors.AsType[*givenUpError](err); ok {
		return given
	}
	return nil
}

func (s *service) givenUp(d diag.Diagnostic) *givenUpError {
	return &givenUpError{service: s, fault: d.At(diag.Position{File: s.service.File()})}
}

// died tells that a service ended by itself.
func (k keeper) died(s *service, x proc.Exit) {
	if k.stopping() {
		x.Pause = 0
	}
	k.observe(ServiceDied{Service: s.service.Name, Reason: ending(x.Err), Ran: x.Ran, Pause: x.Pause})
}

// ending is how a process ended, in words.
func ending(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}

// lastWords adds what a service that was given up on wrote last, unless that
// was told so lately that it is still in sight. A command writes where the run
// cannot see it, so after one nothing counts as in sight.
func (r *run) lastWords(err error) error {
	given, ok := errors.AsType[*givenUpError](err)
	if !ok {
		return err
	}
	if since := r.lines.since(given.service.service.Name); since <= maxEvidence && !r.commanded {
		return given.fault.WithFix("read its last lines, which are above, cure what they say and start again")
	}
	return given.service.said.show(given.fault)
}

// lines counts what services write, to know how far up a service's last line
// is. The run's lock guards it.
type lines struct {
	told int
	last map[string]int // told at a service's last line
}

func (l *lines) add(e Event) {
	line, ok := e.(Line)
	if !ok {
		return
	}
	if l.last == nil {
		l.last = map[string]int{}
	}
	l.told++
	l.last[line.Service] = l.told
}

// since is how many lines others wrote after a service's last one.
func (l *lines) since(service string) int { return l.told - l.last[service] }
