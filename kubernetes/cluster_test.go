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
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A plane is a control plane of Kubernetes on loopback: an API server that judges and
// keeps objects, and, once a test needs them, controllers, a scheduler and nodes.
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
	plane plane

	server, strimzi, life stage
}

// A stage of the control plane is brought about by the first test that needs it.
type stage struct {
	once sync.Once
	err  error
}

func (s *stage) reach(t *testing.T, start func(ctx context.Context) error) {
	t.Helper()
	s.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 50*time.Minute) // it outlives the test, and a cold cache takes its time
		defer cancel()
		s.err = start(ctx)
	})
	if s.err != nil {
		t.Fatal(s.err)
	}
}

// server returns the API server, with custom resources and nobody who acts upon
// objects: it judges them.
func server(t *testing.T) *plane {
	t.Helper()
	shared.server.reach(t, shared.plane.serve)
	return &shared.plane
}

// cluster returns the whole control plane, on simulated nodes.
func cluster(t *testing.T) *plane {
	t.Helper()
	p := server(t)
	shared.life.reach(t, p.live)
	return p
}

func TestMain(m *testing.M) {
	code := m.Run()
	shared.plane.stop(code != 0)
	os.Exit(code)
}

// token is the password of the only user, who may do everything.
const token = "only-on-loopback"

// serve starts etcd and the API server, and returns when it knows the custom resources.
func (p *plane) serve(ctx context.Context) error {
	program, err := program(ctx, "controlplane", "apiserver", "./apiserver", versioned)
	if err != nil {
		return err
	}
	if p.dir, err = os.MkdirTemp("", "slipway-kubernetes-"); err != nil {
		return err
	}
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
	if err := p.await(ctx, "kube-apiserver", func() error { return p.trust(p.file("tls", "apiserver.crt")) }, func() error {
		_, err := p.do(ctx, "GET", "/readyz", nil)
		return err
	}); err != nil {
		return err
	}
	crds, err := definitions(ctx)
	if err != nil {
		return err
	}
	return p.define(ctx, crds)
}

// live starts the controllers, the scheduler and the nodes' kwok.
func (p *plane) live(ctx context.Context) error {
	controllers, err := program(ctx, "controlplane", "controllers", "./controllers", versioned)
	if err != nil {
		return err
	}
	kwok, err := program(ctx, "kwok", "kwok", "sigs.k8s.io/kwok/cmd/kwok")
	if err != nil {
		return err
	}
	config := fmt.Sprintf(`{"apiVersion": "v1", "kind": "Config", "current-context": "it",
		"clusters": [{"name": "it", "cluster": {"server": %q, "certificate-authority": %q}}],
		"users": [{"name": "it", "user": {"token": %q}}],
		"contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}]}`, p.base, p.file("tls", "apiserver.crt"), token)
	if err := os.WriteFile(p.file("kubeconfig"), []byte(config), 0o600); err != nil {
		return err
	}
	kubeconfig := "--kubeconfig=" + p.file("kubeconfig")
	err = p.start("kube-controller-manager", controllers, "kube-controller-manager", kubeconfig, "--leader-elect=false", "--secure-port=0",
		"--service-account-private-key-file="+p.file("sa.key"), "--horizontal-pod-autoscaler-sync-period=1s")
	if err != nil {
		return err
	}
	if err := p.start("kube-scheduler", controllers, "kube-scheduler", kubeconfig, "--leader-elect=false", "--secure-port=0"); err != nil {
		return err
	}
	stages, err := stages(ctx, p.dir)
	if err != nil {
		return err
	}
	if err := p.start("kwok", kwok, append([]string{kubeconfig, "--manage-all-nodes=true", "--node-lease-duration-seconds=40"}, stages...)...); err != nil {
		return err
	}
	return p.furnish(ctx)
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
