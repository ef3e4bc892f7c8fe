package up

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/proc"
)

// A service is one program that a run keeps running.
type service struct {
	program
	environ []string
	url     string // empty without an HTTP port

	said   tail // the last lines it wrote
	starts int  // of the goroutine that keeps it

	mu    sync.Mutex
	since time.Time // when the running process was started; zero if none runs
}

// running is how long the service's process has been running; zero if none is.
func (s *service) running() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.since.IsZero() {
		return 0
	}
	return time.Since(s.since)
}

func (s *service) setSince(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.since = t
}

// A keeper keeps services running until its context ends.
type keeper struct {
	grace   time.Duration
	kill    <-chan struct{}
	observe func(Event)
	policy  proc.Policy
}

// keep runs a service until the context ends, which is no error, or until it
// has ended too often.
func (k keeper) keep(ctx context.Context, s *service) error {
	err := proc.Keep(ctx, k.policy, func(ctx context.Context) error { return k.once(ctx, s) }, func(x proc.Exit) {
		k.observe(ServiceDied{Service: s.service.Name, Reason: ending(x.Err), Ran: x.Ran, Pause: x.Pause})
	})
	given, ok := errors.AsType[*proc.GivenUpError](err)
	if !ok {
		return nil
	}
	d := diag.New(diag.UpGivenUp, "%s ended %d times within %v, the last time with %s", s.service.Name, given.Exits, given.Within, ending(given.Last)).
		At(diag.Position{File: s.service.Dir()})
	return s.said.show(d)
}

// ending is how a process ended, in words.
func ending(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}

// once runs a service's process until it ends by itself or the context does.
func (k keeper) once(ctx context.Context, s *service) error {
	s.said.forget()
	told := make(chan struct{}) // that it was started, before anything it says
	p, err := proc.Start(proc.Config{
		Path: s.path,
		Dir:  s.dir,
		Env:  s.environ,
		Output: func(line string) {
			<-told
			s.said.last(line)
			k.observe(Line{Service: s.service.Name, Text: line})
		},
	})
	if err != nil {
		return err
	}
	s.setSince(time.Now())
	defer s.setSince(time.Time{})
	k.observe(ServiceStarted{Service: s.service.Name, PID: p.PID(), URL: s.url, Restart: s.starts})
	close(told)
	s.starts++
	select {
	case <-p.Done():
		return p.Wait()
	case <-ctx.Done():
		k.stop(p, s)
		return nil
	}
}

// stop ends a process, at once if the user asks twice.
func (k keeper) stop(p *proc.Process, s *service) {
	began := time.Now()
	late := stopProcess(p, k.grace, k.kill)
	k.observe(ServiceStopped{Service: s.service.Name, Took: time.Since(began), Killed: late})
	if late && time.Since(began) >= k.grace {
		k.observe(Warned{Diagnostic: diag.Warn(diag.UpKilled, "%s did not stop within %v and was killed", s.service.Name, k.grace)})
	}
}

// stopProcess reports whether the process had to be killed.
func stopProcess(p *proc.Process, grace time.Duration, kill <-chan struct{}) bool {
	stopped := make(chan error, 1)
	go func() { stopped <- p.Stop(grace) }()
	select {
	case err := <-stopped:
		return errors.Is(err, proc.ErrKilled)
	case <-kill:
		p.Kill()
		<-stopped //nolint:errcheck // told as an event
		return true
	}
}

// services are the programs with what each is given.
func (r *run) services(all []program, id *identities) ([]*service, error) {
	out := make([]*service, 0, len(all))
	for _, p := range all {
		svc := p.service
		vars, err := id.variables(svc.Name, svc.User(), svc.AuthOn(r.estate.cluster))
		if err != nil {
			return nil, err
		}
		database, err := r.database(svc.Name)
		if err != nil {
			return nil, err
		}
		vars["ENVIRONMENT"] = r.estate.Env
		vars["DATABASE_URL"] = database
		vars["LISTEN_HOST"] = loopback
		vars["SHUTDOWN_TIMEOUT"] = (r.cfg.Grace * 9 / 10).String() // so that it ends by itself before it is killed
		r.addPrefix(vars)
		s := &service{program: p, environ: serviceEnviron(vars, r.cfg.Environ)}
		if port := httpPort(svc); port != 0 {
			s.url = serviceURL(port)
		}
		out = append(out, s)
	}
	return out, nil
}

// noteLogins says once that the embedded broker takes no certificates.
func (r *run) noteLogins(all []program) {
	var names []string
	for _, p := range all {
		if how := p.service.AuthOn(r.estate.cluster); how != p.service.Auth {
			names = append(names, fmt.Sprintf("%s (%s)", p.service.Name, p.service.Auth))
		}
	}
	if len(names) > 0 {
		r.observe(Note{Text: "the embedded broker takes no identity from a certificate; by SCRAM instead: " + strings.Join(names, ", ")})
	}
}
