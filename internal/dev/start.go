package dev

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki"
)

// Up starts an instance and returns when every node and the registry serve
// clients. ctx bounds the start alone; the instance runs until
// [Cluster.Close], or until this process ends. A start that fails leaves no
// process behind, and the directory with its logs.
func Up(ctx context.Context, cfg Config) (*Cluster, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	java, err := findJava(ctx, cfg.Getenv)
	if err != nil {
		return nil, err
	}
	if err := cfg.makeTemporary(); err != nil {
		return nil, err
	}
	held, err := hold(cfg)
	if err != nil {
		return nil, err
	}
	c := &Cluster{cfg: cfg, java: java, held: held, failed: make(chan error, nodeCount+1)}
	if err := c.up(ctx); err != nil {
		c.stop(errKilled)
		held.release()
		return nil, err
	}
	return c, nil
}

// hold takes the instance's lock.
func hold(cfg Config) (*lock, error) {
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, diag.New(diag.DevState, "make the instance's directory: %v", err)
	}
	path := filepath.Join(cfg.Dir, lockFile)
	held, err := acquire(path)
	if errors.Is(err, errLocked) {
		return nil, alreadyRunning(cfg)
	}
	if err != nil {
		return nil, diag.New(diag.DevState, "lock the instance: %v", err)
	}
	return held, nil
}

func alreadyRunning(cfg Config) error {
	pid, err := holder(filepath.Join(cfg.Dir, lockFile))
	if err != nil {
		return diag.New(diag.DevRunning, "instance %s is running already: %v", cfg.Name, err)
	}
	return diag.New(diag.DevRunning, "instance %s is running already, as process %d", cfg.Name, pid).
		WithEvidence("its directory is %s", cfg.Dir)
}

func (c *Cluster) up(ctx context.Context) error {
	began := time.Now()
	if err := ensure(ctx, c.cfg, kafkaArtifact, registryArtifact); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.cfg.StartTimeout, fmt.Errorf("not ready within %v", c.cfg.StartTimeout))
	defer cancel()
	if err := c.load(ctx); err != nil {
		return err
	}
	if err := c.prepare(ctx); err != nil {
		return err
	}
	for _, n := range c.nodes {
		n.worker.start()
	}
	c.registry.start()
	if err := c.await(ctx); err != nil {
		return err
	}
	c.save(func(s *state) { s.Ready = true })
	c.cfg.Report(fmt.Sprintf("3 nodes of Kafka %s and the registry are ready after %.1f s", kafkaVersion, time.Since(began).Seconds()))
	return nil
}

// load settles what stays: the cluster's id and authority, and where they can
// stay, the ports.
func (c *Cluster) load(ctx context.Context) error {
	last, err := readState(c.cfg.Dir)
	if err != nil {
		return err
	}
	awaitDeaths(ctx, last.pids())
	if c.cfg.Ephemeral {
		if last, err = (state{}), wipe(c.cfg.Dir); err != nil {
			return err
		}
	}
	if c.ports, c.reserved, err = choose(c.cfg.FirstPort, last.Ports); err != nil {
		return err
	}
	if c.authority, err = loadAuthority(filepath.Join(c.cfg.Dir, pkiDir), c.cfg.Name); err != nil {
		return diag.New(diag.DevState, "%v", err)
	}
	if c.issuer, err = c.authority.Intermediate("slipway dev "+c.cfg.Name+" issuer", time.Now()); err != nil {
		return diag.New(diag.DevState, "%v", err)
	}
	if c.id = last.ClusterID; c.id == "" {
		c.id = newClusterID()
	}
	c.state = state{ClusterID: c.id, Ports: c.ports, PID: os.Getpid(), Started: time.Now().UTC()}
	return c.state.write(c.cfg.Dir)
}

// awaitDeaths waits a moment for the processes of a run whose supervisor was
// killed: their guards kill them, but a large process takes its time to go.
func awaitDeaths(ctx context.Context, pids []int) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for _, pid := range pids {
		for !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			if wait(ctx, 20*time.Millisecond) != nil {
				return // the id is another's by now
			}
		}
	}
}

func loadAuthority(dir, name string) (*pki.Authority, error) {
	if _, err := os.Stat(dir); err == nil {
		return pki.Load(dir)
	}
	a, err := pki.NewAuthority("slipway dev "+name+" CA", time.Now())
	if err != nil {
		return nil, err
	}
	return a, a.Save(dir)
}

// prepare writes everything that the processes start from.
func (c *Cluster) prepare(ctx context.Context) error {
	var err error
	if c.admin, err = c.certificate(adminName); err != nil {
		return err
	}
	password, err := c.loadPassword()
	if err != nil {
		return err
	}
	if c.adminPass, err = c.password(adminName, adminName+"-scram", password, SHA512); err != nil {
		return err
	}
	c.registry = newRegistry(c)
	errs := make([]error, nodeCount+1)
	errs[nodeCount] = prepareRegistry(c)
	var wg sync.WaitGroup
	for i := range c.nodes {
		c.nodes[i] = newNode(c, i+1)
		wg.Go(func() { errs[i] = c.nodes[i].prepare(ctx) })
	}
	wg.Wait()
	if ctx.Err() != nil { // which each of them tells
		return overdue(context.Cause(ctx), "prepare the nodes")
	}
	return errors.Join(errs...)
}

// loadPassword returns the administrator's SCRAM password, which stays.
func (c *Cluster) loadPassword() (string, error) {
	path := filepath.Join(c.cfg.Dir, passwordFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		password := rand.Text()
		return password, writeFile(path, []byte(password))
	}
	if err != nil {
		return "", diag.New(diag.DevState, "read the administrator's password: %v", err)
	}
	return strings.TrimSpace(string(data)), nil
}
