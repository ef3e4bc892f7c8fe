package dev

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secure"
	"github.com/slipway-go/slipway/pki"
)

// downGrace is how long a supervisor may take to end its instance.
const downGrace = 5 * stopGrace

// An Instance is what other processes can see of an instance.
type Instance struct {
	Name       string       `json:"name"`
	Dir        string       `json:"dir"`
	Running    bool         `json:"running"`
	PID        int          `json:"pid,omitempty"` // of the process that runs it
	Ready      bool         `json:"ready"`         // the start is over
	Started    time.Time    `json:"started,omitzero"`
	ClusterID  string       `json:"clusterId,omitempty"`
	MTLS       string       `json:"mtls,omitempty"`
	SCRAM      string       `json:"scram,omitempty"`
	Nodes      []NodeStatus `json:"nodes,omitempty"`
	Registry   Endpoint     `json:"registry,omitzero"`
	Identities []string     `json:"identities,omitempty"` // directories with files to connect by
}

// A NodeStatus is one node as seen from outside.
type NodeStatus struct {
	ID    int      `json:"id"`
	PID   int      `json:"pid,omitempty"`
	MTLS  Endpoint `json:"mtls"`
	SCRAM string   `json:"scram"`
}

// An Endpoint is an address and whether it answers.
type Endpoint struct {
	Address string `json:"address"`
	Answers bool   `json:"answers"`
}

// Status looks at an instance from outside, whoever runs it. That it does not
// run is an answer, not an error.
func Status(ctx context.Context, cfg Config) (Instance, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return Instance{}, err
	}
	in := Instance{Name: cfg.Name, Dir: cfg.Dir}
	if in.PID, err = holder(filepath.Join(cfg.Dir, lockFile)); err != nil {
		return in, diag.New(diag.DevState, "%v", err)
	}
	s, err := readState(cfg.Dir)
	if err != nil {
		return in, err
	}
	in.ClusterID = s.ClusterID
	if in.Running = in.PID != 0; !in.Running {
		return in, nil
	}
	in.describe(s)
	in.probe(ctx)
	return in, nil
}

func (in *Instance) describe(s state) {
	in.Ready, in.Started = s.Ready, s.Started
	if s.Ports.Registry == 0 {
		return // it is about to choose them
	}
	in.MTLS, in.SCRAM = bootstrap(s.Ports.MTLS), bootstrap(s.Ports.SCRAM)
	in.Registry = Endpoint{Address: registryURL(s.Ports.Registry)}
	for i := range nodeCount {
		in.Nodes = append(in.Nodes, NodeStatus{
			ID: i + 1, PID: s.Nodes[i],
			MTLS:  Endpoint{Address: address(s.Ports.MTLS[i])},
			SCRAM: address(s.Ports.SCRAM[i]),
		})
	}
	found, _ := filepath.Glob(filepath.Join(in.Dir, identitiesDir, "*", PropertiesFile))
	for _, path := range found {
		in.Identities = append(in.Identities, filepath.Dir(path))
	}
}

// probe asks every endpoint at the same time.
func (in *Instance) probe(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() {
		in.Registry.Answers = in.Registry.Address != "" && askRegistry(ctx, in.Registry.Address) == nil
	})
	for i := range in.Nodes {
		wg.Go(func() { in.Nodes[i].MTLS.Answers = in.ask(ctx, in.Nodes[i]) == nil })
	}
	wg.Wait()
}

// ask asks a node, as the administrator, whether it sees itself in the cluster.
func (in *Instance) ask(ctx context.Context, n NodeStatus) error {
	dir := filepath.Join(in.Dir, identitiesDir, adminName)
	cert, err := tls.LoadX509KeyPair(filepath.Join(dir, pki.CertificateFile), filepath.Join(dir, pki.KeyFile))
	if err != nil {
		return err
	}
	root, err := os.ReadFile(filepath.Join(dir, pki.AuthorityFile))
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(root)
	cl, err := kgo.NewClient(kgo.SeedBrokers(n.MTLS.Address), kgo.RequestRetries(0),
		kgo.DialTLSConfig(secure.Client(pool, cert)))
	if err != nil {
		return err
	}
	defer cl.Close()
	return lists(ctx, cl, []int{n.ID})
}

// Down ends an instance that another process runs, and returns when it is
// gone: the process is told to end, and killed if it does not. Either way
// nothing that it started is left.
func Down(ctx context.Context, cfg Config) error {
	cfg, err := cfg.complete()
	if err != nil {
		return err
	}
	path := filepath.Join(cfg.Dir, lockFile)
	pid, err := holder(path)
	switch {
	case err != nil:
		return diag.New(diag.DevState, "%v", err)
	case pid == 0:
		return diag.New(diag.DevNotRunning, "instance %s is not running", cfg.Name).WithEvidence("its directory is %s", cfg.Dir)
	case pid == os.Getpid():
		return diag.New(diag.DevSupervisor, "instance %s is run by this process, which has to close it itself", cfg.Name)
	}
	s, _ := readState(cfg.Dir)
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		return diag.New(diag.DevSupervisor, "end process %d: %v", pid, err)
	}
	patient, cancel := context.WithTimeout(ctx, downGrace)
	defer cancel()
	if awaitRelease(patient, path) == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	syscall.Kill(pid, syscall.SIGKILL)
	awaitDeaths(ctx, append(s.pids(), pid))
	return diag.New(diag.DevSupervisor, "process %d did not end within %v and was killed, and with it the nodes", pid, downGrace)
}

func awaitRelease(ctx context.Context, path string) error {
	for {
		if pid, err := holder(path); err == nil && pid == 0 {
			return nil
		}
		if err := wait(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// Detach starts command, which must run the instance in the foreground, as a
// process in a session of its own that goes on when this one ends, and returns
// when the instance is ready. What is missing on the machine is found, and
// what is to be fetched is fetched, before.
func Detach(ctx context.Context, cfg Config, command []string) (Instance, error) {
	full, err := cfg.complete()
	if err != nil {
		return Instance{}, err
	}
	if _, err := findJava(ctx, full.Getenv); err != nil {
		return Instance{}, err
	}
	held, err := hold(full)
	if err != nil {
		return Instance{}, err
	}
	held.release() // for the process that is started now
	if err := ensure(ctx, full, kafkaArtifact, registryArtifact); err != nil {
		return Instance{}, err
	}
	full.Report("starting three nodes of Kafka and a registry in the background")
	if err := detach(ctx, full, command); err != nil {
		return Instance{}, err
	}
	return Status(ctx, full)
}

func detach(ctx context.Context, cfg Config, command []string) error {
	path := filepath.Join(cfg.Dir, supervisorFile)
	log, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return diag.New(diag.DevState, "write the supervisor's log: %v", err)
	}
	defer log.Close()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return diag.New(diag.DevSupervisor, "start %s: %v", strings.Join(command, " "), err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		s, err := readState(cfg.Dir)
		if err == nil && s.PID == cmd.Process.Pid && s.Ready {
			return nil
		}
		select {
		case err := <-ended:
			return withLog(diag.New(diag.DevSupervisor, "the supervisor ended before the instance was ready: %s", reason(err)), path)
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
			<-ended                                 //nolint:errcheck // it ends because it was told to
			return context.Cause(ctx)
		}
	}
}
