//go:build kafka

package cli_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/internal/dev"
	"github.com/slipway-go/slipway/internal/dev/devtest"
	"github.com/slipway-go/slipway/internal/secure"
)

const soldOrders = `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: orders, owner: team-shop}
topics: {orders.created.v1: {key: order_id, partitions: 6}}
produces: {orders.created.v1: {}}
`

const sentOrders = `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: stock, owner: team-shop}
consumes: {orders.created.v1: {retry: {then: stop}}}
`

// A site is three nodes whose certificates come from a depot.
type site struct {
	t        *testing.T
	kafka    *dev.Cluster
	dir      string // of the estate
	medium   string // of the root's key
	kills    int
	commands int
}

// TestTheAuthorityOfThreeNodesIsReplacedUnderLoad replaces a root and its issuer
// while services produce and consume, with every command killed at many points and
// run again, and each phase brought to the nodes by a rolling restart.
func TestTheAuthorityOfThreeNodesIsReplacedUnderLoad(t *testing.T) {
	s := openSite(t)
	old, _ := credentials(t, s.issued("client", "svc-orders-prod"))
	load := s.startLoad()

	s.killed("rotate", "ca", "--root", s.medium, "-y")
	s.roll("trust")
	s.killed("rotate", "ca", "--next", "--to", "reissue", "-y")
	resumed := s.sessions(old)
	s.roll("reissue")
	resumed.renew(s)
	s.killed("rotate", "ca", "--next", "--to", "retire", "-y")
	s.roll("retire")
	requirePhase(t, s.dir, "steady")

	produced, consumed, failed := load.stop()
	if failed != 0 || produced == 0 || consumed != produced {
		t.Errorf("%d records produced, %d of them consumed, %d requests failed: %v", produced, consumed, failed, load.err())
	}
	refused, tried := resumed.tried(s)
	if refused != tried || tried == 0 {
		t.Errorf("%d of %d tries to resume a session of the old certificate were refused", refused, tried)
	}
	for _, address := range s.addresses() {
		if err := s.login(address, old); err == nil {
			t.Errorf("%s takes the old certificate", address)
		}
	}
	t.Logf("3 rolls; %d commands, %d of them killed; %d records produced, %d consumed, 0 lost, %d requests failed; %d of %d tries to resume a session refused (brokers resumed %d while the certificate was good)",
		s.commands, s.kills, produced, consumed, failed, refused, tried, resumed.before)
}

// TestBrokersReadTheirFilesAgainWithoutARestart renews every certificate and
// takes a second root into the trust, by slipway pki reload alone.
func TestBrokersReadTheirFilesAgainWithoutARestart(t *testing.T) {
	s := openSite(t)
	s.reloaded()
	s.slipway("pki", "rotate", "ca", "--root", s.medium, "-y", "--dir", s.dir)
	s.reload()
	for deadline := time.Now().Add(30 * time.Second); ; <-time.After(200 * time.Millisecond) {
		out, err := exec.Command("slipway", "pki", "rotate", "ca", "--next", "-y", "--dir", s.dir).CombinedOutput()
		if err == nil { // every broker takes a certificate of the new authority
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the brokers do not trust the new root: %v\n%s", err, out)
		}
	}
	requirePhase(t, s.dir, "reissue")
}

// openSite starts three nodes and gives them the certificates of a new depot.
func openSite(t *testing.T) *site {
	t.Helper()
	c, err := dev.Up(t.Context(), dev.Config{Ephemeral: true})
	devtest.Require(t, err)
	t.Cleanup(func() { _ = c.Close() })
	s := &site{t: t, kafka: c, medium: filepath.Join(t.TempDir(), "medium")}
	s.dir = place(t, map[string]string{"orders/slipway.yaml": soldOrders, "stock/slipway.yaml": sentOrders, "clusters.yaml": fmt.Sprintf(`apiVersion: slipway.dev/v1
kind: Clusters
clusters:
  real:
    id: %q
    bootstrap: {mtls: %q, scram: %q}
    ca: {file: pki/real/trust.crt}
    cidrs: [127.0.0.0/8]
    nodes:
      node-1: {roles: [broker, controller], hosts: [localhost, 127.0.0.1]}
      node-2: {roles: [broker, controller], hosts: [localhost, 127.0.0.1]}
      node-3: {roles: [broker, controller], hosts: [localhost, 127.0.0.1]}
environments:
  prod: {default: real}
`, c.ID(), c.MTLS(), c.SCRAM())})
	s.slipway("pki", "init", "--root", s.medium, "--dir", s.dir)
	s.slipway("pki", "issue", "--dir", s.dir)
	for _, n := range c.Nodes() {
		n.Stop()
	}
	for _, n := range c.Nodes() {
		s.configure(n)
		s.deliver(n)
		s.launch(n)
	}
	s.await()
	admin := s.issued("admin", "admin-prod")
	s.slipway("apply", s.dir, "--yes", "--tls-cert", filepath.Join(admin, "tls.crt"), "--tls-key", filepath.Join(admin, "tls.key"))
	return s
}

// reloaded renews every certificate and has the brokers read theirs again, without
// a restart.
func (s *site) reloaded() {
	s.t.Helper()
	pids, serials := s.presented()
	s.slipway("pki", "rotate", "leaves", "--all", "--dir", s.dir)
	s.reload()
	for deadline := time.Now().Add(30 * time.Second); ; <-time.After(200 * time.Millisecond) {
		nowPIDs, now := s.presented()
		if !slices.Equal(nowPIDs, pids) {
			s.t.Fatalf("processes %v became %v: a node was restarted", pids, nowPIDs)
		}
		if !slices.ContainsFunc(now, func(serial string) bool { return slices.Contains(serials, serial) }) {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the brokers present %v, and presented %v before", now, serials)
		}
	}
}

// reload brings the nodes their files, and has the brokers read them.
func (s *site) reload() {
	s.t.Helper()
	for _, n := range s.kafka.Nodes() {
		s.deliver(n)
	}
	admin := s.issued("admin", "admin-prod")
	s.slipway("pki", "reload", "--dir", s.dir, "-e", "prod", "--tls-cert", filepath.Join(admin, "tls.crt"), "--tls-key", filepath.Join(admin, "tls.key"))
}

// presented are the nodes' processes, and the serial numbers that they present.
func (s *site) presented() (pids []int, serials []string) {
	s.t.Helper()
	leaf, pool := credentials(s.t, s.issued("admin", "admin-prod"))
	for _, n := range s.kafka.Nodes() {
		pids = append(pids, n.PID())
	}
	for _, address := range s.addresses() {
		conn, err := tls.Dial("tcp", address, &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool, Certificates: []tls.Certificate{leaf}})
		if err != nil {
			s.t.Fatal(err)
		}
		serials = append(serials, conn.ConnectionState().PeerCertificates[0].SerialNumber.String())
		_ = conn.Close()
	}
	return pids, serials
}

func (s *site) issued(kind, name string) string {
	return filepath.Join(s.dir, "pki", "real", "issued", kind, name)
}

func (s *site) home(n *dev.Node) string {
	return filepath.Join(s.kafka.Dir(), fmt.Sprintf("node-%d", n.ID()))
}

// configure has a node read the files that the depot issues, and makes nodes and
// administrator super users.
func (s *site) configure(n *dev.Node) {
	s.t.Helper()
	file := filepath.Join(s.home(n), "server.properties")
	text, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	text = regexp.MustCompile(`(?m)^(ssl\.(key|trust)store\.|super\.users=).*\n`).ReplaceAll(text, nil)
	text = fmt.Appendf(text, "\nssl.keystore.type=PEM\nssl.keystore.location=%s\nssl.truststore.type=PEM\nssl.truststore.location=%s\nsuper.users=User:node-1;User:node-2;User:node-3;User:admin-prod\n",
		filepath.Join(s.home(n), "issued.pem"), filepath.Join(s.home(n), "trusted.pem"))
	if err := os.WriteFile(file, text, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// deliver brings a node what the depot has for it.
func (s *site) deliver(n *dev.Node) {
	s.t.Helper()
	from := s.issued("broker", fmt.Sprintf("node-%d", n.ID()))
	var store []byte
	for _, name := range []string{"tls.key", "tls.crt"} {
		text, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			s.t.Fatal(err)
		}
		store = append(store, text...)
	}
	trusted, err := os.ReadFile(filepath.Join(from, "ca.crt"))
	if err = errors.Join(err, os.WriteFile(filepath.Join(s.home(n), "issued.pem"), store, 0o600),
		os.WriteFile(filepath.Join(s.home(n), "trusted.pem"), trusted, 0o600)); err != nil {
		s.t.Fatal(err)
	}
}

// launch starts a node and does not wait for it: who waits in dev trusts the
// authority that dev began with.
func (s *site) launch(n *dev.Node) {
	ctx, cancel := context.WithCancel(s.t.Context())
	cancel()
	_ = n.Start(ctx)
}

// roll brings a phase to the nodes, one after the other.
func (s *site) roll(phase string) {
	s.t.Helper()
	began := time.Now()
	for _, n := range s.kafka.Nodes() {
		s.deliver(n)
		n.Stop()
		s.launch(n)
		s.await()
	}
	s.t.Logf("rolled for %s in %v", phase, time.Since(began).Round(time.Second))
}

// await returns when every broker answers the administrator, and every
// partition has all its replicas.
func (s *site) await() {
	s.t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for {
		var last error
		for _, address := range s.addresses() {
			if err := s.whole(address); err != nil {
				last = fmt.Errorf("%s: %w", address, err)
			}
		}
		if last == nil {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatal("the cluster is not whole: ", last)
		}
		<-time.After(200 * time.Millisecond)
	}
}

func (s *site) addresses() []string { return strings.Split(s.kafka.MTLS(), ",") }

// client is one that reads a certificate's files anew for each connection, and
// knows one broker to begin with.
func (s *site) client(kind, name string, seeds []string, opts ...kgo.Opt) *kgo.Client {
	s.t.Helper()
	dir := s.issued(kind, name)
	files, err := secure.NewFiles(secure.FilesConfig{
		CA: filepath.Join(dir, "ca.crt"), Cert: filepath.Join(dir, "tls.crt"), Key: filepath.Join(dir, "tls.key"),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	c, err := kgo.NewClient(append(opts, kgo.SeedBrokers(seeds...), kgo.Dialer(files.Dialer((&net.Dialer{Timeout: 5 * time.Second}).DialContext)))...)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

func (s *site) whole(address string) error {
	c := s.client("admin", "admin-prod", []string{address}, kgo.RequestRetries(0))
	defer c.Close()
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*time.Second)
	defer cancel()
	resp, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, c.SeedBrokers()[0])
	if err != nil {
		return err
	}
	if len(resp.Brokers) != 3 {
		return fmt.Errorf("it knows %d brokers", len(resp.Brokers))
	}
	for _, topic := range resp.Topics {
		for _, p := range topic.Partitions {
			if len(p.ISR) != 3 {
				return fmt.Errorf("%s-%d has %d replicas in sync", *topic.Topic, p.Partition, len(p.ISR))
			}
		}
	}
	return nil
}

// slipway runs a command that has to succeed.
func (s *site) slipway(args ...string) {
	s.t.Helper()
	if out, err := exec.Command("slipway", args...).CombinedOutput(); err != nil {
		s.t.Fatalf("slipway %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// killed runs a command of the PKI over and over, killing it each time a little
// later, until it comes to its end by itself. The steps grow with the time, so that
// a slow machine needs hardly more of them than a fast one.
func (s *site) killed(args ...string) {
	s.t.Helper()
	args = append(append([]string{"pki"}, args...), "--dir", s.dir)
	for after := 20 * time.Millisecond; ; after += max(15*time.Millisecond, after/8) {
		cmd := exec.Command("slipway", args...)
		var out strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			s.t.Fatal(err)
		}
		s.commands++
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		var err error
		select {
		case err = <-ended:
		case <-time.After(after):
			_ = cmd.Process.Kill()
			err = <-ended
		}
		switch {
		case err == nil:
			return
		case cmd.ProcessState.ExitCode() >= 0:
			s.t.Fatalf("slipway %s: %v\n%s", strings.Join(args, " "), err, out.String())
		}
		s.kills++
	}
}
