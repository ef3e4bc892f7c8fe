package up

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/proc"
)

// patience is how long a service may take to stop before that is worth a word.
const patience = 2 * time.Second

// A service is one program that a run keeps running.
type service struct {
	program
	environ []string
	url     string // empty without an HTTP port
	admin   string // host and port

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

	asked  <-chan struct{} // closed when the user has asked for the end
	ending <-chan struct{} // closed when the run is to end, for whatever reason
}

// stopping reports whether the run is to end: what ends by then stays ended.
func (k keeper) stopping() bool { return closed(k.ending) }

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// once runs a service's process until it ends by itself or the context does.
func (k keeper) once(ctx context.Context, s *service) error {
	if k.stopping() {
		<-ctx.Done() // which follows when the command has ended
	}
	if ctx.Err() != nil {
		return nil
	}
	s.said.forget()
	told := make(chan struct{}) // that it was started, before anything it says
	p, err := proc.Start(proc.Config{
		Path: s.path,
		Dir:  s.dir,
		Env:  s.environ,
		Output: func(line string) {
			<-told
			line = spaced(line)
			s.said.last(line)
			k.observe(Line{Service: s.service.Name, Text: line})
		},
	})
	if err != nil {
		return err
	}
	s.setSince(time.Now())
	defer s.setSince(time.Time{})
	k.observe(ServiceStarted{Service: s.service.Name, PID: p.PID(), URL: s.url, Admin: s.admin, Restart: s.starts})
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
	late := stopProcess(p, k.grace, k.kill, func() {
		k.observe(Waiting{Service: s.service.Name, Asked: closed(k.asked)})
	})
	took := time.Since(began)
	k.observe(ServiceStopped{Service: s.service.Name, Took: took, Killed: late})
	switch {
	case late && took >= k.grace:
		k.observe(Warned{Diagnostic: diag.Warn(diag.UpKilled, "%s did not stop within %v and was killed", s.service.Name, k.grace)})
	case late:
		k.observe(Note{Text: fmt.Sprintf("%s was killed after %v", s.service.Name, took.Round(100*time.Millisecond))})
	}
}

// stopProcess reports whether the process had to be killed. It calls slow once
// the process has been waited for longer than is usual.
func stopProcess(p *proc.Process, grace time.Duration, kill <-chan struct{}, slow func()) bool {
	stopped := make(chan error, 1)
	go func() { stopped <- p.Stop(grace) }()
	usual := time.NewTimer(patience)
	defer usual.Stop()
	for {
		select {
		case err := <-stopped:
			return errors.Is(err, proc.ErrKilled)
		case <-usual.C:
			slow()
		case <-kill:
			p.Kill()
			<-stopped //nolint:errcheck // told as an event
			return true
		}
	}
}

// services are the programs with what each is given.
func (r *run) services(all []program, id *identities) ([]*service, error) {
	out := make([]*service, 0, len(all))
	admin, err := freeAddresses(len(all))
	if err != nil {
		return nil, err
	}
	for i, p := range all {
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
		if vars["SPILL_PATH"], err = r.spill(svc.Name); err != nil {
			return nil, err
		}
		if dir, ok := p.configuration(r.estate.Env); ok {
			vars["CONFIG_PATH"] = dir
		}
		vars["LISTEN_HOST"] = loopback
		vars["ADMIN_ADDRESS"] = admin[i]
		vars["SHUTDOWN_TIMEOUT"] = (r.cfg.Grace * 9 / 10).String() // so that it ends by itself before it is killed
		r.addPrefix(vars)
		r.addClusters(vars, svc.Clusters()...)
		s := &service{program: p, environ: serviceEnviron(vars, r.cfg.Environ), admin: admin[i]}
		if port := httpPort(svc); port != 0 {
			s.url = serviceURL(port)
		}
		out = append(out, s)
	}
	return out, nil
}

// configDir is the directory of configuration files beside a contract.
const configDir = "config"

// configuration is the source of the files that a program embeds: it follows
// them, so that an edit is taken over while it runs. What a program does not
// embed it does not get, or it would work here and nowhere else.
func (p program) configuration(env string) (dir string, ok bool) {
	dir = filepath.Join(p.dir, configDir)
	info, err := os.Stat(filepath.Join(dir, env+".yaml"))
	return dir, p.config && err == nil && info.Mode().IsRegular()
}

// spill is where a service keeps records while the cluster is away. It lasts as
// long as the run, as the cluster does. The service makes it.
func (r *run) spill(service string) (string, error) {
	dir := filepath.Join(r.state.run(), "spill")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", stateFault(err)
	}
	return filepath.Join(dir, service), nil
}

// freeAddresses are so many addresses of this machine that nobody listens on,
// each another one.
func freeAddresses(n int) ([]string, error) {
	all := make([]string, n)
	for i := range all {
		l, err := net.Listen("tcp", net.JoinHostPort(loopback, "0"))
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer func() { _ = l.Close() }() // when all are found
		all[i] = l.Addr().String()
	}
	return all, nil
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
