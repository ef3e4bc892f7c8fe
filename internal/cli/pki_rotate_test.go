package cli_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/internal/cli"
)

// brokers are three that want a client certificate. They present and trust
// what they last read, as Kafka does.
type brokers struct {
	addresses []string

	mu   sync.Mutex
	leaf tls.Certificate
	pool *x509.CertPool
}

func startBrokers(t *testing.T) *brokers {
	t.Helper()
	b := &brokers{}
	c, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.TLS(&tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		b.mu.Lock()
		defer b.mu.Unlock()
		return &tls.Config{
			MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{b.leaf}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: b.pool,
		}, nil
	}}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	b.addresses = c.ListenAddrs()
	return b
}

// read has the brokers read their directory again.
func (b *brokers) read(t *testing.T, dir string) {
	t.Helper()
	leaf, pool := credentials(t, dir)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.leaf, b.pool = leaf, pool
}

// credentials are the files of an issued certificate.
func credentials(t *testing.T, dir string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	leaf, err := tls.LoadX509KeyPair(filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"))
	if err != nil {
		t.Fatal(err)
	}
	roots, err := os.ReadFile(filepath.Join(dir, "ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(roots) {
		t.Fatal("ca.crt holds no certificate")
	}
	return leaf, pool
}

// login reports whether the brokers take a certificate, and it them.
func (b *brokers) login(t *testing.T, leaf tls.Certificate, pool *x509.CertPool) error {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(b.addresses...), kgo.RequestRetries(0),
		kgo.DialTLSConfig(&tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool, Certificates: []tls.Certificate{leaf}}))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.Ping(t.Context())
}

// shopOn is an estate whose environment prod is on the brokers.
func shopOn(t *testing.T, addresses []string) string {
	t.Helper()
	return place(t, map[string]string{"slipway.yaml": owner, "clusters.yaml": fmt.Sprintf(`apiVersion: slipway.dev/v1
kind: Clusters
clusters:
  kafka:
    id: AAA
    bootstrap: {mtls: %q}
    nodes: {kafka-0: {hosts: [localhost, 127.0.0.1]}}
environments:
  prod: {default: kafka}
`, addresses[0])})
}

// phase is that of the depot of an estate, and whether it is settled.
func phase(t *testing.T, dir string) (string, bool) {
	t.Helper()
	got := run(t, "pki", "status", "--dir", dir, "-o", "json")
	var doc struct {
		Phase   string
		Settled bool
	}
	if err := json.Unmarshal([]byte(got.out), &doc); err != nil {
		t.Fatal(err, got)
	}
	return doc.Phase, doc.Settled
}

func requirePhase(t *testing.T, dir, want string) {
	t.Helper()
	if got, settled := phase(t, dir); got != want || !settled {
		t.Fatalf("the phase is %s (settled: %v), want %s", got, settled, want)
	}
}

// must runs a command that has to succeed.
func must(t *testing.T, args ...string) string {
	t.Helper()
	got := run(t, args...)
	if got.status != 0 {
		t.Fatalf("slipway %s: status %d\n%s%s", strings.Join(args, " "), got.status, got.out, got.err)
	}
	return got.out
}

func TestAReplacementWaitsForWhatEndpointsAcceptAndPresent(t *testing.T) {
	t.Parallel()
	b := startBrokers(t)
	dir, medium := shopOn(t, b.addresses), filepath.Join(t.TempDir(), "medium")
	at := func(args ...string) []string { return append(append([]string{"pki"}, args...), "--dir", dir) }
	issued := filepath.Join(dir, "pki", "kafka", "issued")
	node, service := filepath.Join(issued, "broker", "kafka-0"), filepath.Join(issued, "client", "svc-orders-prod")

	must(t, at("init", "--root", medium)...)
	must(t, at("issue")...)
	b.read(t, node)
	oldLeaf, oldPool := credentials(t, service)
	if err := b.login(t, oldLeaf, oldPool); err != nil {
		t.Fatal(err)
	}

	run(t, at("rotate", "ca", "--root", medium)...).requireProblem(t, 3, "SLP-CLI-004")
	requirePhase(t, dir, "steady")
	must(t, at("rotate", "ca", "--root", medium, "-y")...)
	requirePhase(t, dir, "trust")

	got := run(t, at("rotate", "ca", "--next", "-y")...) // the brokers do not know the new root yet
	got.requireProblem(t, 3, "SLP-PKI-040")
	if !strings.Contains(got.err, b.addresses[0]+" stands in the way of reissue: it does not accept a certificate of the new authority yet") {
		t.Errorf("stderr:\n%s", got.err)
	}
	requirePhase(t, dir, "trust")
	if told := must(t, at("rotate", "ca", "--status")...); !strings.Contains(told, "trust, 1 of 3") {
		t.Errorf("status tells\n%s", told)
	}

	b.read(t, node)
	must(t, at("rotate", "ca", "--next", "--to", "reissue", "-y")...)
	requirePhase(t, dir, "reissue")
	must(t, at("rotate", "ca", "--next", "--to", "reissue", "-y")...) // as after a kill: no further than was meant
	requirePhase(t, dir, "reissue")
	newLeaf, both := credentials(t, service)
	for _, leaf := range []tls.Certificate{oldLeaf, newLeaf} {
		if err := b.login(t, leaf, both); err != nil {
			t.Errorf("with both trusted: %v", err)
		}
	}

	got = run(t, at("rotate", "ca", "--next", "-y")...) // the brokers still present old certificates
	got.requireProblem(t, 3, "SLP-PKI-040")
	if !strings.Contains(got.err, "still presents a certificate that the old authority issued") {
		t.Errorf("stderr:\n%s", got.err)
	}

	must(t, at("rotate", "ca", "--back", "-y")...)
	requirePhase(t, dir, "trust")
	must(t, at("rotate", "ca", "--next", "-y")...)
	b.read(t, node)
	must(t, at("rotate", "ca", "--next", "-y")...)
	requirePhase(t, dir, "steady")
	b.read(t, node)
	lastLeaf, lastPool := credentials(t, service)
	if err := b.login(t, lastLeaf, lastPool); err != nil {
		t.Errorf("the new certificate: %v", err)
	}
	if err := b.login(t, oldLeaf, lastPool); err == nil {
		t.Error("the old certificate is still accepted")
	}
}

func TestEndpointsThatCannotBeReachedStandInTheWayUnlessSkipped(t *testing.T) {
	t.Parallel()
	dir, medium := shopOn(t, []string{"127.0.0.1:1"}), filepath.Join(t.TempDir(), "medium")
	at := func(args ...string) []string { return append(append([]string{"pki"}, args...), "--dir", dir) }
	must(t, at("init", "--root", medium)...)
	must(t, at("issue")...)
	must(t, at("rotate", "ca", "--root", medium, "-y")...)
	got := run(t, at("rotate", "ca", "--next", "-y")...)
	got.requireProblem(t, 3, "SLP-PKI-040")
	if !strings.Contains(got.err, "127.0.0.1:1 stands in the way of reissue") || !strings.Contains(got.err, "--skip-endpoints") {
		t.Errorf("stderr:\n%s", got.err)
	}
	requirePhase(t, dir, "trust")
	must(t, at("rotate", "ca", "--next", "-y", "--skip-endpoints")...)
	must(t, at("rotate", "ca", "--next", "-y", "--skip-endpoints")...)
	requirePhase(t, dir, "steady")
}

func TestAStepAsksAndCtrlCChangesNothing(t *testing.T) {
	t.Parallel()
	dir, medium := shopOn(t, []string{"127.0.0.1:1"}), filepath.Join(t.TempDir(), "medium")
	must(t, "pki", "init", "--dir", dir, "--root", medium)
	args := []string{"pki", "rotate", "ca", "--root", medium, "--dir", dir}
	ask := func(ctx context.Context, in io.Reader) result {
		var out, err bytes.Buffer
		status := cli.Main(ctx, args, cli.System{In: in, Out: &out, Err: &err, Getenv: func(string) string { return "" }, Terminal: true})
		return result{status, out.String(), err.String()}
	}
	if got := ask(t.Context(), strings.NewReader("y\n")); got.status != 3 || !strings.Contains(got.err, "Type yes: ") {
		t.Errorf("status %d, want 3:\n%s", got.status, got.err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	nobody, answer := io.Pipe()
	defer answer.Close()
	cancel()
	if got := ask(ctx, nobody); got.status != 130 {
		t.Errorf("status %d, want 130:\n%s", got.status, got.err)
	}
	requirePhase(t, dir, "steady")
	if got := ask(t.Context(), strings.NewReader("yes\n")); got.status != 0 {
		t.Errorf("status %d:\n%s", got.status, got.err)
	}
	requirePhase(t, dir, "trust")
}

// What the issuer may sign follows from clusters.yaml.
func TestTheIssuerIsBoundToTheHostsAndNetworksOfItsCluster(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		cluster  string
		args     []string
		domains  string
		networks string
	}{
		"domains and networks": {`bootstrap: {mtls: "kafka.prod.example:9093", scram: "Edge.example:9094"}, cidrs: [10.20.0.0/16], nodes: {a: {hosts: [a.prod.example, 10.20.0.4]}}`, nil, "[edge.example prod.example]", "[10.20.0.0/16]"},
		"no networks":          {`bootstrap: {mtls: "kafka.prod.example:9093"}, nodes: {a: {hosts: [a.prod.example, 10.20.0.4]}}`, nil, "[prod.example]", "[0.0.0.0/0 ::/0]"},
		"an address outside":   {`bootstrap: {mtls: "192.0.2.7:9093"}, cidrs: [10.20.0.0/16], nodes: {a: {hosts: [a.prod.example]}}`, nil, "[prod.example]", "[10.20.0.0/16 192.0.2.7/32]"},
		"a node without name":  {`bootstrap: {mtls: "kafka.prod.example:9093"}, nodes: {a: {hosts: [10.20.0.4]}}`, nil, "[]", "[]"},
		"unconstrained":        {`bootstrap: {mtls: "kafka.prod.example:9093"}`, []string{"--unconstrained"}, "[]", "[]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := place(t, map[string]string{"clusters.yaml": "apiVersion: slipway.dev/v1\nkind: Clusters\nclusters: {kafka: {id: AAA, " + tt.cluster + "}}\nenvironments: {prod: {default: kafka}}\n"})
			must(t, append([]string{"pki", "init", "--dir", dir, "--root", filepath.Join(t.TempDir(), "medium")}, tt.args...)...)
			text, err := os.ReadFile(filepath.Join(dir, "pki", "kafka", "generations", "1", "issuer.crt"))
			if err != nil {
				t.Fatal(err)
			}
			block, _ := pem.Decode(text)
			issuer, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				t.Fatal(err)
			}
			if domains, networks := fmt.Sprint(issuer.PermittedDNSDomains), fmt.Sprint(issuer.PermittedIPRanges); domains != tt.domains || networks != tt.networks {
				t.Errorf("got %s and %s, want %s and %s", domains, networks, tt.domains, tt.networks)
			}
		})
	}
}
