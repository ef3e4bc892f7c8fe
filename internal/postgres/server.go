package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/proc"
)

// superuser is whom every server belongs to.
const superuser = "slipway"

const (
	readyTimeout = 60 * time.Second
	stopTimeout  = time.Minute // the last checkpoint of a busy disk
	readyEvery   = 20 * time.Millisecond
)

// A Config says where a server lives.
type Config struct {
	// Dir keeps data, password and port. It is made where it does not exist.
	Dir string

	// Bin is the directory of Postgres's programs.
	//
	// Defaults to the newest of the distribution's, else to that in PATH.
	Bin string

	// Settings are Postgres's own, by name: wal_level, max_connections.
	Settings map[string]string
}

// A Server is a running Postgres, or one that was killed and can be restarted.
// Its methods may be called concurrently.
type Server struct {
	cfg      Config
	account  *account
	port     int
	password string

	mu      sync.Mutex
	process *proc.Process // nil while none runs
	output  tail
}

// Start starts a server, and makes its database cluster the first time. It
// returns when the server takes connections. The server outlives ctx and ends
// with [Server.Stop], or with this process.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	bin, err := find(cfg.Bin)
	if err != nil {
		return nil, err
	}
	cfg.Bin = bin
	if cfg.Dir, err = filepath.Abs(cfg.Dir); err != nil {
		return nil, err
	}
	who, err := whom(cfg.Dir)
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, account: who}
	if err := s.prepare(ctx); err != nil {
		return nil, err
	}
	return s, s.launch(ctx)
}

// URL is where a database of the server is reached, the password included.
func (s *Server) URL(database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(superuser, s.password),
		Host: "127.0.0.1:" + strconv.Itoa(s.port), Path: "/" + database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Port is where the server listens on 127.0.0.1.
func (s *Server) Port() int { return s.port }

// Create makes a database. One that exists already is left as it is.
func (s *Server) Create(ctx context.Context, database string) error {
	var out tail
	err := proc.Run(ctx, proc.Config{
		Path:   filepath.Join(s.cfg.Bin, "createdb"),
		Args:   []string{"-h", "127.0.0.1", "-p", strconv.Itoa(s.port), "-U", superuser, "--maintenance-db=postgres", "--", database},
		Dir:    "/",
		Env:    []string{"PGPASSWORD=" + s.password, "LC_ALL=C"},
		Output: out.add,
	}, time.Second)
	if err != nil && !strings.Contains(out.String(), "already exists") {
		return fmt.Errorf("create database %s: %w: %s", database, err, out.String())
	}
	return nil
}

// Stop ends the server: connections are cut, and what was committed is on disk.
func (s *Server) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stop()
}

// Kill ends the whole server at once, as a machine that loses power to it: the
// server's processes get SIGKILL, its own children first, before any can write.
func (s *Server) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return os.ErrProcessDone
	}
	// Stopped, it starts no others while they are looked for.
	if err := s.process.Signal(syscall.SIGSTOP); err != nil {
		return fmt.Errorf("kill postgres: %w", err)
	}
	backends := childrenOf(s.process.PID())
	for _, pid := range backends {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
	}
	s.process.Kill()
	s.process = nil
	return gone(backends)
}

// Restart stops the server if it runs, and starts it again where it was.
func (s *Server) Restart(ctx context.Context) error {
	if err := s.Stop(); err != nil {
		return err
	}
	return s.launch(ctx)
}

func (s *Server) stop() error {
	if s.process == nil {
		return nil
	}
	p := s.process
	s.process = nil
	if err := p.Signal(syscall.SIGINT); err != nil && !errors.Is(err, os.ErrProcessDone) { // "fast": SIGTERM waits for clients
		return fmt.Errorf("stop postgres: %w", err)
	}
	select {
	case <-p.Done():
		return nil
	case <-time.After(stopTimeout):
		p.Kill()
		return proc.ErrKilled
	}
}

func (s *Server) launch(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		return nil
	}
	s.output.reset()
	p, err := proc.Start(proc.Config{
		Path: filepath.Join(s.cfg.Bin, "postgres"), Args: s.args(), Dir: "/",
		Env: []string{"LC_ALL=C", "TZ=UTC"}, Output: s.output.add, Credential: s.account.credential(),
	})
	if err != nil {
		return diag.New(diag.PostgresNotStarted, "%v", err)
	}
	if err := s.ready(ctx, p); err != nil {
		p.Kill()
		return s.output.explain(diag.New(diag.PostgresNotStarted, "postgres in %s does not start: %v", s.cfg.Dir, err))
	}
	s.process = p
	return nil
}

func (s *Server) args() []string {
	args := []string{"-D", s.data(), "-p", strconv.Itoa(s.port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="}
	for _, name := range slices.Sorted(maps.Keys(s.cfg.Settings)) {
		args = append(args, "-c", name+"="+s.cfg.Settings[name])
	}
	return args
}

// ready waits until the server says in its pid file that it takes connections.
func (s *Server) ready(ctx context.Context, p *proc.Process) error {
	ctx, cancel := context.WithTimeoutCause(ctx, readyTimeout, fmt.Errorf("not ready after %v", readyTimeout))
	defer cancel()
	for {
		if text, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid")); err == nil && isReady(string(text), p.PID()) {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-p.Done():
			return fmt.Errorf("it ended: %w", p.Wait())
		case <-time.After(readyEvery):
		}
	}
}

// isReady reads Postgres's pid file: the first line is whose it is, the eighth
// how far that one has come.
func isReady(text string, pid int) bool {
	lines := strings.Split(text, "\n")
	return len(lines) >= 8 && lines[0] == strconv.Itoa(pid) && strings.TrimSpace(lines[7]) == "ready"
}

func (s *Server) data() string { return filepath.Join(s.cfg.Dir, "data") }
