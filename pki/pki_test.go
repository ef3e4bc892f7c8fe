package pki_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/slipway-go/slipway/pki"
)

var loopback = []netip.Addr{netip.MustParseAddr("127.0.0.1")}

func newAuthority(t testing.TB, name string) *pki.Authority {
	t.Helper()
	a, err := pki.NewAuthority(name, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func issue(t testing.TB, a *pki.Authority, req pki.Request) *pki.Certificate {
	t.Helper()
	c, err := a.Issue(req)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// handshake connects the two and returns what each side made of the other. A
// byte goes each way, because under TLS 1.3 a server's refusal reaches the
// client only with its first read.
func handshake(t *testing.T, client, server *tls.Config) (clientErr, serverErr error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	done := make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			done <- exchange(tls.Server(conn, server))
			return
		}
		done <- err
	}()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return exchange(tls.Client(conn, client)), <-done
}

func exchange(conn *tls.Conn) error {
	defer conn.Close()
	if _, err := conn.Write([]byte("x")); err != nil {
		return err
	}
	_, err := io.ReadFull(conn, make([]byte, 1))
	return err
}

func TestMutualTLSAcceptsOnlyTheRightUsageNameAndAuthority(t *testing.T) {
	t.Parallel()
	ours, theirs := newAuthority(t, "ours"), newAuthority(t, "ours") // the same name does not help
	broker := pki.Request{CommonName: "broker", Usage: pki.Peer, DNSNames: []string{"kafka-0.example"}, IPs: loopback}
	service := pki.Request{CommonName: "svc-orders-dev", Usage: pki.Client}
	server := func(r pki.Request) pki.Request { r.Usage = pki.Server; return r }

	for name, tt := range map[string]struct {
		client, server *pki.Certificate
		host           string
		trust          *pki.Authority
		ok             bool
	}{
		"service to broker by address":   {client: issue(t, ours, service), server: issue(t, ours, broker), host: "127.0.0.1", trust: ours, ok: true},
		"service to broker by name":      {client: issue(t, ours, service), server: issue(t, ours, broker), host: "kafka-0.example", trust: ours, ok: true},
		"broker to broker":               {client: issue(t, ours, broker), server: issue(t, ours, broker), host: "127.0.0.1", trust: ours, ok: true},
		"a name of nobody":               {client: issue(t, ours, service), server: issue(t, ours, broker), host: "kafka-1.example", trust: ours},
		"the common name as host":        {client: issue(t, ours, service), server: issue(t, ours, broker), host: "broker", trust: ours},
		"server's certificate as client": {client: issue(t, ours, server(broker)), server: issue(t, ours, broker), host: "127.0.0.1", trust: ours},
		"client's certificate as server": {client: issue(t, ours, service), server: issue(t, ours, service), host: "127.0.0.1", trust: ours},
		"client of another authority":    {client: issue(t, theirs, service), server: issue(t, ours, broker), host: "127.0.0.1", trust: ours},
		"server of another authority":    {client: issue(t, ours, service), server: issue(t, theirs, broker), host: "127.0.0.1", trust: ours},
		"no client certificate":          {server: issue(t, ours, broker), host: "127.0.0.1", trust: ours},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := &tls.Config{RootCAs: tt.trust.Pool(), ServerName: tt.host}
			if tt.client != nil {
				client.Certificates = []tls.Certificate{tt.client.TLS()}
			}
			clientErr, serverErr := handshake(t, client, &tls.Config{
				Certificates: []tls.Certificate{tt.server.TLS()},
				ClientAuth:   tls.RequireAndVerifyClientCert,
				ClientCAs:    tt.trust.Pool(),
			})
			if ok := clientErr == nil && serverErr == nil; ok != tt.ok {
				t.Errorf("client: %v, server: %v, want accepted = %v", clientErr, serverErr, tt.ok)
			}
		})
	}
}

func TestCertificateIsWhatKafkaNeedsAndNoMore(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	a, err := pki.NewAuthority("test CA", now)
	if err != nil {
		t.Fatal(err)
	}
	leaf := issue(t, a, pki.Request{CommonName: "svc-orders-dev", Usage: pki.Client, Lifetime: time.Hour, Now: now}).TLS().Leaf
	if got := leaf.Subject.String(); got != "CN=svc-orders-dev" {
		t.Errorf("subject = %q, want the common name and nothing else", got)
	}
	if leaf.IsCA || !leaf.BasicConstraintsValid || leaf.KeyUsage != x509.KeyUsageDigitalSignature {
		t.Errorf("IsCA = %v, key usage = %b, want a leaf that only signs handshakes", leaf.IsCA, leaf.KeyUsage)
	}
	if key := leaf.PublicKey.(*ecdsa.PublicKey); key.Curve != elliptic.P256() {
		t.Errorf("curve = %s, want P-256", key.Curve.Params().Name)
	}
	if got, want := leaf.NotAfter, now.Add(time.Hour); !got.Equal(want) {
		t.Errorf("NotAfter = %v, want %v", got, want)
	}
	if got, want := leaf.NotBefore, now.Add(-5*time.Minute); !got.Equal(want) {
		t.Errorf("NotBefore = %v, want %v", got, want)
	}
	root := parse(t, a.PEM())
	if !root.IsCA || root.MaxPathLen != 1 || root.KeyUsage != x509.KeyUsageCertSign|x509.KeyUsageCRLSign {
		t.Errorf("root: IsCA = %v, path length %d, usage %b", root.IsCA, root.MaxPathLen, root.KeyUsage)
	}
}

func TestLeafNeverOutlivesItsAuthority(t *testing.T) {
	t.Parallel()
	now := time.Now()
	a, err := pki.NewAuthority("short", now, pki.WithLifetime(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	c := issue(t, a, pki.Request{CommonName: "svc", Usage: pki.Client, Now: now})
	if !c.NotAfter().Equal(a.NotAfter()) {
		t.Errorf("leaf ends %v, authority %v", c.NotAfter(), a.NotAfter())
	}
	for _, at := range []time.Time{now.Add(time.Hour), now.Add(-time.Hour)} {
		if _, err := a.Issue(pki.Request{CommonName: "svc", Usage: pki.Client, Now: at}); err == nil {
			t.Errorf("issued at %v outside of the authority's own life", at)
		}
	}
}

func TestCertificateLoadsAsPEM(t *testing.T) {
	t.Parallel()
	c := issue(t, newAuthority(t, "pem"), pki.Request{CommonName: "svc", Usage: pki.Client})
	if _, err := tls.X509KeyPair(c.PEM(), c.KeyPEM()); err != nil {
		t.Error(err)
	}
	if n := bytes.Count(c.PEM(), []byte("BEGIN CERTIFICATE")); n != 1 {
		t.Errorf("%d certificates under a root, want the leaf alone", n)
	}
}

func parse(t *testing.T, data []byte) *x509.Certificate {
	t.Helper()
	block, rest := pem.Decode(data)
	if block == nil || len(rest) > 0 {
		t.Fatalf("not one PEM block: %q", data)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}
