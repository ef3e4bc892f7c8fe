package secure_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secure"
)

// A post is a listener of ours with an HTTP server behind it that counts what
// reaches it.
type post struct {
	t        testing.TB
	addr     string
	ours     issuer
	listener *secure.Listener
	requests atomic.Int64

	mu       sync.Mutex
	log      bytes.Buffer
	material secure.Material
}

func (p *post) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(b)
}

func (p *post) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// set changes what the listener is made of.
func (p *post) set(change func(*secure.Material)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.material)
}

func newPost(t testing.TB) *post {
	t.Helper()
	ours := newIssuer(t, "cluster-ca")
	shown := ours.server(t)
	p := &post{t: t, ours: ours, material: secure.Material{Certificate: &shown, Roots: ours.pool()}}
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	source := func() (secure.Material, error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.material, nil
	}
	p.addr = inner.Addr().String()
	p.listener = secure.Listen(inner, secure.Server(source), slog.New(slog.NewTextHandler(p, nil)))
	server := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.requests.Add(1)
		fmt.Fprintf(w, "%s %t", r.TLS.PeerCertificates[0].Subject.CommonName, r.TLS.DidResume)
	})}
	done := make(chan error, 1)
	go func() { done <- server.Serve(p.listener) }()
	t.Cleanup(func() {
		server.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve ended with %v", err)
		}
	})
	return p
}

// client is the configuration of a well-behaved client that shows a
// certificate whatever the listener says it accepts.
func (p *post) client(shows *tls.Certificate) *tls.Config {
	cfg := secure.Client(p.ours.pool())
	cfg.ServerName = "localhost"
	if shows != nil {
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return shows, nil }
	}
	return cfg
}

// ask sends one request over one connection. It returns the answer's body, or
// what came instead.
func (p *post) ask(cfg *tls.Config) (string, error) {
	raw, err := net.Dial("tcp", p.addr)
	if err != nil {
		p.t.Fatal(err)
	}
	conn := tls.Client(raw, cfg)
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		p.t.Fatal(err)
	}
	if _, err := fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil {
		return "", err
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

// refuses asks and requires that the listener refuses with one code, says so in
// the log, and lets nothing through. It returns what the client says.
func (p *post) refuses(cfg *tls.Config, code diag.Code) string {
	p.t.Helper()
	before, requests := p.listener.Refused()[code], p.requests.Load()
	body, err := p.ask(cfg)
	if err == nil {
		p.t.Fatalf("the listener answered %q", body)
	}
	ctx, cancel := context.WithTimeout(p.t.Context(), 20*time.Second)
	defer cancel()
	for p.listener.Refused()[code] == before || !strings.Contains(p.said(), "code="+string(code)) { // just after the client hears of it
		select {
		case <-ctx.Done():
			p.t.Fatalf("refused as %v, want %s; the client says %v; log:\n%s", p.listener.Refused(), code, err, p.said())
		case <-time.After(time.Millisecond):
		}
	}
	if got := p.requests.Load(); got != requests {
		p.t.Errorf("%d requests reached the handler", got-requests)
	}
	if code != diag.TLSPeerRefused && !strings.Contains(err.Error(), "remote error: tls: ") {
		p.t.Errorf("the client says %v, want the alert that it was sent", err)
	}
	return err.Error()
}

func TestNoBadClientSendsAByteToAHandler(t *testing.T) {
	t.Parallel()
	for name, bad := range badCertificates {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			t.Run(name+", "+tls.VersionName(version), func(t *testing.T) {
				t.Parallel()
				p := newPost(t)
				shows := bad.shows(t, p.ours)
				cfg := p.client(&shows)
				cfg.MinVersion, cfg.MaxVersion = version, version
				p.refuses(cfg, bad.code)
				if said := p.said(); !strings.Contains(said, "svc-orders-prod") || !strings.Contains(said, "peer=127.0.0.1:") {
					t.Errorf("the log does not tell subject and peer:\n%s", said)
				}
			})
		}
	}
	for name, tt := range map[string]struct {
		code   diag.Code
		change func(*tls.Config)
	}{
		"without a certificate":          {diag.TLSNoCertificate, func(c *tls.Config) { c.GetClientCertificate = nil }},
		"without a certificate, TLS 1.2": {diag.TLSNoCertificate, func(c *tls.Config) { c.GetClientCertificate, c.MaxVersion = nil, tls.VersionTLS12 }},
		"TLS 1.0":                        {diag.TLSOldVersion, func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS10 }},
		"TLS 1.1":                        {diag.TLSOldVersion, func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }},
		"CBC":                            {diag.TLSNoCommonSuite, older(tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256)},
		"RC4":                            {diag.TLSNoCommonSuite, older(tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA)},
		"3DES":                           {diag.TLSNoCommonSuite, older(tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA)},
		"RSA key exchange":               {diag.TLSNoCommonSuite, older(tls.TLS_RSA_WITH_AES_128_GCM_SHA256)},
		"suites for another key":         {diag.TLSNoCommonSuite, older(tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256)},
		"a host that is not served":      {diag.TLSNameNotServed, func(c *tls.Config) { c.ServerName = "other.example" }},
		"such a host, TLS 1.2":           {diag.TLSNameNotServed, func(c *tls.Config) { c.ServerName, c.MaxVersion = "other.example", tls.VersionTLS12 }},
		"that does not trust us":         {diag.TLSPeerRefused, func(c *tls.Config) { c.RootCAs = x509.NewCertPool() }},
		"that knows us by another name":  {diag.TLSPeerRefused, func(c *tls.Config) { c.ServerName = "127.0.0.2" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPost(t)
			good := p.ours.leaf(t, "svc-orders-prod", nil)
			cfg := p.client(&good)
			tt.change(cfg)
			p.refuses(cfg, tt.code)
		})
	}
}

// older offers suites of TLS 1.2 and below that are not spoken.
func older(suites ...uint16) func(*tls.Config) {
	return func(c *tls.Config) { c.MaxVersion, c.CipherSuites = tls.VersionTLS12, suites }
}

func TestAGoodClientGetsThroughAndResumes(t *testing.T) {
	t.Parallel()
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			t.Parallel()
			p := newPost(t)
			good := p.ours.leaf(t, "svc-orders-prod", nil)
			cfg := p.client(&good)
			cfg.MaxVersion, cfg.ClientSessionCache = version, tls.NewLRUClientSessionCache(4)
			for _, want := range []string{"svc-orders-prod false", "svc-orders-prod true", "svc-orders-prod true"} {
				if got, err := p.ask(cfg); err != nil || got != want {
					t.Errorf("the listener answers %q, %v; want %q", got, err, want)
				}
			}
			if n := len(p.listener.Refused()); n != 0 {
				t.Errorf("refused: %v", p.listener.Refused())
			}
		})
	}
}

// revoke makes the listener deny a certificate.
func (p *post) revoke(cert *x509.Certificate) {
	p.t.Helper()
	now := time.Now()
	der, err := x509.CreateRevocationList(nil, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: now.Add(-time.Minute), NextUpdate: now.Add(time.Hour),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: cert.SerialNumber, RevocationTime: now.Add(-time.Minute)}},
	}, p.ours.cert, p.ours.key)
	if err != nil {
		p.t.Fatal(err)
	}
	denied, err := secure.ParseDenylist(encode("X509 CRL", der), []*x509.Certificate{p.ours.cert})
	if err != nil {
		p.t.Fatal(err)
	}
	p.set(func(m *secure.Material) { m.Denied = denied.Verify })
}

func TestARevokedClientIsRefusedWhetherItResumesOrNot(t *testing.T) {
	t.Parallel()
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			t.Parallel()
			p := newPost(t)
			cert := p.ours.leaf(t, "svc-orders-prod", nil)
			cfg := p.client(&cert)
			cfg.MaxVersion, cfg.ClientSessionCache = version, tls.NewLRUClientSessionCache(4)
			for _, want := range []string{"svc-orders-prod false", "svc-orders-prod true"} {
				if got, err := p.ask(cfg); err != nil || got != want {
					t.Fatalf("before it is revoked the listener answers %q, %v; want %q", got, err, want)
				}
			}
			p.revoke(cert.Leaf)
			p.refuses(cfg, diag.TLSRevokedResumed)
			fresh := cfg.Clone()
			fresh.ClientSessionCache = tls.NewLRUClientSessionCache(4)
			p.refuses(fresh, diag.TLSRevoked)
			other := p.ours.leaf(t, "svc-stock-prod", nil)
			if got, err := p.ask(p.client(&other)); err != nil || got != "svc-stock-prod false" {
				t.Errorf("another client is answered %q, %v", got, err)
			}
		})
	}
}

func TestARootThatIsDroppedRefusesSessionsOfItToo(t *testing.T) {
	t.Parallel()
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			t.Parallel()
			p := newPost(t)
			next := newIssuer(t, "next-ca")
			both := p.ours.pool()
			both.AddCert(next.cert)
			p.set(func(m *secure.Material) { m.Roots = both })
			old, renewed := p.ours.leaf(t, "svc-orders-prod", nil), next.leaf(t, "svc-orders-prod", nil)
			shown := &old
			cfg := p.client(nil)
			cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return shown, nil }
			cfg.MaxVersion, cfg.ClientSessionCache = version, tls.NewLRUClientSessionCache(4)
			for _, want := range []string{"svc-orders-prod false", "svc-orders-prod true"} {
				if got, err := p.ask(cfg); err != nil || got != want {
					t.Fatalf("while both are trusted the listener answers %q, %v; want %q", got, err, want)
				}
			}
			p.set(func(m *secure.Material) { m.Roots = next.pool() })
			p.refuses(cfg, diag.TLSUnknownCA)
			shown = &renewed
			if got, err := p.ask(cfg); err != nil || got != "svc-orders-prod false" {
				t.Errorf("with a certificate of the new root: %q, %v; want a full handshake", got, err)
			}
		})
	}
}

func TestAListenerWithoutRootsTrustsNobody(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	p.set(func(m *secure.Material) { m.Roots = nil })
	good := p.ours.leaf(t, "svc-orders-prod", nil)
	p.refuses(p.client(&good), diag.TLSUnknownCA)

	own, err := secure.Server(secure.Fixed(p.material)).GetConfigForClient(&tls.ClientHelloInfo{})
	if err != nil || own.ClientCAs == nil {
		t.Errorf("%v; without a pool it would be the system's authorities", err)
	}
}

func TestAClientIsToldThatACertificateIsWanted(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	if said := p.refuses(p.client(nil), diag.TLSNoCertificate); !strings.Contains(said, "certificate required") {
		t.Errorf("the client hears %q", said)
	}
}
