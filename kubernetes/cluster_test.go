//go:build kubernetes

package kubernetes_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A plane is a control plane of Kubernetes with simulated nodes, on loopback.
type plane struct {
	*client

	dir       string
	processes []*process   // in the order in which they were started
	rooms     atomic.Int32 // namespaces that tests have had for themselves
}

// version is what the API server tells those who ask: that of k8s.io/kubernetes in
// controlplane/go.mod.
const version = "v1.34.2"

// shared is the control plane that all tests of the package share. Each test has a
// namespace of its own, and custom resources are there for all.
var shared struct {
	sync.Mutex
	plane *plane
	err   error
}

// cluster returns the control plane, which the first caller starts.
func cluster(t *testing.T) *plane {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.plane == nil && shared.err == nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 50*time.Minute) // it outlives the test, and a cold cache takes its time
		defer cancel()
		shared.plane, shared.err = newPlane(ctx)
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.plane
}

func TestMain(m *testing.M) {
	code := m.Run()
	if p := shared.plane; p != nil {
		p.stop(code != 0)
	}
	os.Exit(code)
}

// newPlane builds the programs, starts them, and brings nodes and custom resources.
func newPlane(ctx context.Context) (_ *plane, err error) {
	control, err := program(ctx, "controlplane", "controlplane", ".", "-ldflags=-s -w -X k8s.io/component-base/version.gitVersion="+version)
	if err != nil {
		return nil, err
	}
	kwok, err := program(ctx, "kwok", "kwok", "sigs.k8s.io/kwok/cmd/kwok")
	if err != nil {
		return nil, err
	}
	p := new(plane)
	defer func() {
		if err != nil {
			p.stop(true)
		}
	}()
	if p.dir, err = os.MkdirTemp("", "slipway-kubernetes-"); err != nil {
		return nil, err
	}
	if err := p.serve(ctx, control); err != nil {
		return nil, err
	}
	if err := p.control(ctx, control, kwok); err != nil {
		return nil, err
	}
	return p, p.furnish(ctx)
}

// token is the password of the only user, who may do everything.
const token = "only-on-loopback"

// serve starts etcd and the API server, and returns when it is ready.
func (p *plane) serve(ctx context.Context, program string) error {
	if err := p.secrets(); err != nil {
		return err
	}
	ports, err := free(3)
	if err != nil {
		return err
	}
	etcd, peer := "http://127.0.0.1:"+ports[0], "http://127.0.0.1:"+ports[1]
	err = p.start("etcd", program, "etcd", "--data-dir="+p.file("etcd"), "--unsafe-no-fsync", "--log-level=warn",
		"--listen-client-urls="+etcd, "--advertise-client-urls="+etcd,
		"--listen-peer-urls="+peer, "--initial-advertise-peer-urls="+peer, "--initial-cluster=default="+peer)
	if err != nil {
		return err
	}
	err = p.start("kube-apiserver", program, "kube-apiserver", "--etcd-servers="+etcd, "--cert-dir="+p.file("tls"),
		"--bind-address=127.0.0.1", "--secure-port="+ports[2], "--endpoint-reconciler-type=none",
		"--service-account-key-file="+p.file("sa.key"), "--service-account-signing-key-file="+p.file("sa.key"),
		"--service-account-issuer=https://kubernetes.invalid", "--service-cluster-ip-range=10.0.0.0/16",
		"--token-auth-file="+p.file("tokens.csv"), "--authorization-mode=RBAC",
		"--allow-privileged=true") // so that it is for Pod Security to refuse one
	if err != nil {
		return err
	}
	p.client = &client{base: "https://127.0.0.1:" + ports[2]}
	return p.await(ctx, "kube-apiserver", func() error { return p.trust(p.file("tls", "apiserver.crt")) }, func() error {
		_, err := p.do(ctx, "GET", "/readyz", nil)
		return err
	})
}

// control starts the controllers, the scheduler and the nodes' kwok.
func (p *plane) control(ctx context.Context, program, kwok string) error {
	config := fmt.Sprintf(`{"apiVersion": "v1", "kind": "Config", "current-context": "it",
		"clusters": [{"name": "it", "cluster": {"server": %q, "certificate-authority": %q}}],
		"users": [{"name": "it", "user": {"token": %q}}],
		"contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}]}`, p.base, p.file("tls", "apiserver.crt"), token)
	if err := os.WriteFile(p.file("kubeconfig"), []byte(config), 0o600); err != nil {
		return err
	}
	kubeconfig := "--kubeconfig=" + p.file("kubeconfig")
	err := p.start("kube-controller-manager", program, "kube-controller-manager", kubeconfig, "--leader-elect=false", "--secure-port=0",
		"--service-account-private-key-file="+p.file("sa.key"), "--horizontal-pod-autoscaler-sync-period=1s")
	if err != nil {
		return err
	}
	if err := p.start("kube-scheduler", program, "kube-scheduler", kubeconfig, "--leader-elect=false", "--secure-port=0"); err != nil {
		return err
	}
	stages, err := stages(ctx, p.dir)
	if err != nil {
		return err
	}
	return p.start("kwok", kwok, append([]string{kubeconfig, "--manage-all-nodes=true", "--node-lease-duration-seconds=40"}, stages...)...)
}

// secrets writes the key of service accounts and the only user's token.
func (p *plane) secrets() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
	if err := os.WriteFile(p.file("sa.key"), text, 0o600); err != nil {
		return err
	}
	return os.WriteFile(p.file("tokens.csv"), []byte(token+`,admin,admin,"system:masters"`+"\n"), 0o600)
}

func (p *plane) file(name ...string) string {
	return filepath.Join(append([]string{p.dir}, name...)...)
}

// free returns ports that nobody listened on a moment ago.
func free(n int) ([]string, error) {
	var ports []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		_, port, _ := net.SplitHostPort(l.Addr().String()) // an address that a listener has
		ports = append(ports, port)
	}
	return ports, nil
}

// A process of the control plane, which dies with the test.
type process struct {
	name  string
	cmd   *exec.Cmd
	log   string
	ended chan struct{}
}

func (p *plane) start(name, program string, args ...string) error {
	log, err := os.Create(p.file(name + ".log"))
	if err != nil {
		return err
	}
	defer log.Close() // the process has its own
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, p.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	proc := &process{name, cmd, log.Name(), make(chan struct{})}
	go func() {
		defer close(proc.ended)
		_ = cmd.Wait() // however it ended
	}()
	p.processes = append(p.processes, proc)
	return nil
}

// await tries until all of the steps succeed, unless a process has ended.
func (p *plane) await(ctx context.Context, name string, steps ...func() error) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		var err error
		for _, step := range steps {
			if err = step(); err != nil {
				break
			}
		}
		if err == nil {
			return nil
		}
		for _, proc := range p.processes {
			select {
			case <-proc.ended:
				return fmt.Errorf("%s ended: %v\n%s", proc.name, proc.cmd.ProcessState, tail(proc.log))
			default:
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", name, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// stop ends the processes, the last one first, and tells what they said if asked to.
func (p *plane) stop(tell bool) {
	for _, proc := range slices.Backward(p.processes) {
		_ = proc.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		select {
		case <-proc.ended:
		case <-time.After(5 * time.Second): // nothing of it is kept
			_ = proc.cmd.Process.Kill()
			<-proc.ended
		}
		if tell {
			fmt.Fprintf(os.Stderr, "-- the last words of %s\n%s\n", proc.name, tail(proc.log))
		}
	}
	_ = os.RemoveAll(p.dir)
}

// tail is the end of a log.
func tail(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-2000):])
}
