package dev

import (
	"context"
	"io"
	"os"
	"sync"
	"time"

	"github.com/slipway-go/slipway/internal/proc"
	"github.com/slipway-go/slipway/pki"
)

// stopGrace is how long a process may take to end in order. Nodes that end
// together cannot all hand over to one another; what they hold is on disk.
const stopGrace = 10 * time.Second

// A Cluster is a running instance. Its methods may be called concurrently.
type Cluster struct {
	cfg       Config
	java      javaVM
	held      *lock
	id        string
	ports     Ports
	reserved  io.Closer // the ports; nil if they are given
	authority *pki.Authority
	issuer    *pki.Authority // an intermediate under it, made anew at every start
	admin     Login          // by certificate
	adminPass Login          // by password
	nodes     [nodeCount]*Node
	registry  *worker
	failed    chan error
	closing   sync.Once
	closeErr  error

	mu    sync.Mutex
	state state
}

// ID returns the cluster's id, which stays the same for the instance's life.
func (c *Cluster) ID() string { return c.id }

// Dir returns the instance's directory.
func (c *Cluster) Dir() string { return c.cfg.Dir }

// MTLS returns the addresses at which a certificate is the identity.
func (c *Cluster) MTLS() string { return bootstrap(c.ports.MTLS) }

// SCRAM returns the addresses at which a user and password are.
func (c *Cluster) SCRAM() string { return bootstrap(c.ports.SCRAM) }

// Registry returns the base URL of Confluent's API at the schema registry.
func (c *Cluster) Registry() string { return registryURL(c.ports.Registry) }

// Authority returns the authority that the cluster trusts.
func (c *Cluster) Authority() *pki.Authority { return c.authority }

// Admin returns the super user's login by certificate.
func (c *Cluster) Admin() Login { return c.admin }

// AdminPassword returns the super user's login by SCRAM-SHA-512; the same
// password works with SCRAM-SHA-256.
func (c *Cluster) AdminPassword() Login { return c.adminPass }

// Node returns a node by its id, which counts from 1.
func (c *Cluster) Node(id int) *Node { return c.nodes[id-1] }

// Nodes returns all nodes.
func (c *Cluster) Nodes() []*Node { return c.nodes[:] }

// StopRegistry ends the schema registry, for tests of what happens without.
func (c *Cluster) StopRegistry() { c.registry.stop(errKilled) }

// StartRegistry starts the schema registry again and waits until it answers.
func (c *Cluster) StartRegistry(ctx context.Context) error {
	c.registry.start()
	return c.awaitRegistry(ctx)
}

// Failed receives a diagnostic for each process that ended too often and is
// no longer restarted.
func (c *Cluster) Failed() <-chan error { return c.failed }

// Close ends the instance and returns when none of its processes is left. An
// ephemeral instance's directory is removed.
func (c *Cluster) Close() error {
	c.closing.Do(func() {
		cause := errStopped
		if c.cfg.Ephemeral {
			cause = errKilled
		}
		c.stop(cause)
		if c.cfg.Ephemeral {
			c.closeErr = os.RemoveAll(c.cfg.Dir)
		}
		c.held.release()
	})
	return c.closeErr
}

func (c *Cluster) newWorker(name, log string, command proc.Config) *worker {
	return &worker{
		name: name, log: log, command: command,
		grace:   stopGrace,
		report:  c.cfg.Report,
		changed: c.savePIDs,
		failed:  c.fail,
		ended:   make(chan error, 1),
	}
}

// fail tells of a process that is given up. Who does not listen misses it.
func (c *Cluster) fail(err error) {
	select {
	case c.failed <- err:
	default:
	}
}

// workers returns what was made of the processes so far.
func (c *Cluster) workers() []*worker {
	var all []*worker
	for _, n := range c.nodes {
		if n != nil {
			all = append(all, n.worker)
		}
	}
	if c.registry != nil {
		all = append(all, c.registry)
	}
	return all
}

func (c *Cluster) stop(cause error) {
	c.leaveClasses()
	var wg sync.WaitGroup
	for _, w := range c.workers() {
		wg.Go(func() { w.stop(cause) })
	}
	wg.Wait()
	if c.reserved != nil {
		_ = c.reserved.Close()
	}
	c.save(func(s *state) { s.PID, s.Ready = 0, false })
}

// leaveClasses ends in order the processes that leave their classes for the next
// start, while the other nodes are there to take over. It does nothing once they
// are kept.
func (c *Cluster) leaveClasses() {
	if !c.ready() {
		return
	}
	var wg sync.WaitGroup
	for _, w := range c.workers() {
		if w.classes.draft != "" {
			wg.Go(func() { w.stop(errStopped) })
		}
	}
	wg.Wait()
}

func (c *Cluster) ready() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.Ready
}

func (c *Cluster) savePIDs() {
	c.save(func(s *state) {
		for i, n := range c.nodes {
			s.Nodes[i] = n.PID()
		}
		s.Registry = c.registry.pid()
	})
}

// save changes the state that others read. That it cannot be written is no
// reason to end a cluster that runs.
func (c *Cluster) save(change func(*state)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state.ClusterID == "" {
		return // nothing was begun
	}
	change(&c.state)
	if err := c.state.write(c.cfg.Dir); err != nil {
		c.cfg.Report(err.Error())
	}
}
