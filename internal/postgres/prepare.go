package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/proc"
)

// prepare makes the directory complete: password, port and database cluster.
func (s *Server) prepare(ctx context.Context) error {
	if err := s.account.own(s.cfg.Dir); err != nil {
		return err
	}
	var err error
	if s.password, err = s.keep("password", func() (string, error) { return rand.Text(), nil }); err != nil {
		return err
	}
	port, err := s.keep("port", freePort)
	if err != nil {
		return err
	}
	if s.port, err = strconv.Atoi(port); err != nil {
		return diag.New(diag.PostgresDirectory, "read %s: %v", filepath.Join(s.cfg.Dir, "port"), err)
	}
	if _, err := os.Stat(filepath.Join(s.data(), "PG_VERSION")); err == nil {
		return nil
	}
	return s.init(ctx)
}

// keep returns what a file of the directory says, and writes it the first time.
func (s *Server) keep(name string, begin func() (string, error)) (string, error) {
	path := filepath.Join(s.cfg.Dir, name)
	text, err := os.ReadFile(path)
	if err == nil {
		return strings.TrimSpace(string(text)), nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", diag.New(diag.PostgresDirectory, "%v", err)
	}
	made, err := begin()
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(path, []byte(made+"\n"), 0o600); err != nil {
		return "", diag.New(diag.PostgresDirectory, "%v", err)
	}
	return made, s.account.give(path)
}

// init makes the database cluster. It stands under its name only once it is
// whole: a process that dies meanwhile leaves nothing that looks like one.
func (s *Server) init(ctx context.Context) error {
	tmp := s.data() + ".new"
	if err := os.RemoveAll(tmp); err != nil {
		return diag.New(diag.PostgresDirectory, "%v", err)
	}
	var out tail
	err := proc.Run(ctx, proc.Config{
		Path: filepath.Join(s.cfg.Bin, "initdb"),
		Args: []string{
			"-D", tmp, "-U", superuser, "--encoding=UTF8", "--locale=C", "--no-instructions",
			"--auth=scram-sha-256", "--pwfile=" + filepath.Join(s.cfg.Dir, "password"),
		},
		Dir: "/", Env: []string{"LC_ALL=C", "TZ=UTC", "PATH=/usr/bin:/bin"}, Output: out.add, Credential: s.account.credential(),
	}, time.Second)
	if err == nil {
		err = os.Rename(tmp, s.data())
	}
	if err != nil {
		return out.explain(diag.New(diag.PostgresNotStarted, "initdb in %s: %v", s.cfg.Dir, err))
	}
	return nil
}

// freePort finds a port below those that the system gives to outgoing
// connections: one from up there may be gone when the server is restarted.
func freePort() (string, error) {
	const lowest, highest, attempts = 20000, 32000, 1000
	for range attempts {
		n, err := rand.Int(rand.Reader, big.NewInt(highest-lowest))
		if err != nil {
			return "", err
		}
		port := strconv.FormatInt(lowest+n.Int64(), 10)
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err == nil {
			return port, l.Close()
		}
	}
	return "", fmt.Errorf("no free port between %d and %d", lowest, highest)
}
