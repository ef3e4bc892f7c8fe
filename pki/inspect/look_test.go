package inspect_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki/inspect"
)

// listen runs a listener for as long as the test, and serves each connection.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var open sync.WaitGroup
	var mu sync.Mutex
	conns := map[net.Conn]bool{}
	open.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns[conn] = true
			mu.Unlock()
			open.Go(func() {
				defer conn.Close()
				serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for c := range conns {
			_ = c.Close()
		}
		mu.Unlock()
		open.Wait()
	})
	return l.Addr().String()
}

// broker answers ApiVersions as a broker does, and hangs up on a request that is
// too large, which is what a ClientHello looks like to it.
func broker(conn net.Conn) {
	var head [4]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return
	}
	size := binary.BigEndian.Uint32(head[:])
	if size > 100<<20 {
		return
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(conn, body); err != nil {
		return
	}
	answer := binary.BigEndian.AppendUint32(nil, 10)
	answer = append(answer, body[4:8]...)
	_, _ = conn.Write(append(answer, 0, 0, 0, 0, 0, 0))
	_, _ = conn.Read(head[:])
}

// secured is a broker behind TLS.
func secured(cfg *tls.Config) func(net.Conn) {
	return func(conn net.Conn) {
		server := tls.Server(conn, cfg)
		if server.Handshake() == nil {
			broker(server)
		}
	}
}

func pair(chain ...*holder) tls.Certificate {
	c := tls.Certificate{PrivateKey: chain[0].key}
	for _, h := range chain {
		c.Certificate = append(c.Certificate, h.Raw)
	}
	return c
}

func pool(holders ...*holder) *x509.CertPool {
	p := x509.NewCertPool()
	for _, h := range holders {
		p.AddCert(h.Certificate)
	}
	return p
}

// Listeners are made good, and broken one thing at a time.
func TestAListenerIsSeenAsItIs(t *testing.T) {
	t.Parallel()
	forServers := usage(x509.ExtKeyUsageServerAuth)
	for name, tt := range map[string]struct {
		leaf   change
		server func(*order, *tls.Config)
		look   func(*testing.T, *order, *inspect.LookConfig)
		want   []string
		says   string
		as     inspect.Connection
	}{
		"mTLS, without a certificate": {as: inspect.Connection{Version: "TLS 1.3", Client: inspect.ClientRequired}},
		"mTLS, with a certificate":    {look: shows(nil), as: inspect.Connection{Version: "TLS 1.3", Kafka: true, Client: inspect.ClientAsked, Accepted: true, Resumes: true}},
		"mTLS under 1.2, without a certificate": {server: func(_ *order, c *tls.Config) { c.MaxVersion = tls.VersionTLS12 },
			as: inspect.Connection{Version: "TLS 1.2", Client: inspect.ClientRequired}},
		"SASL_SSL": {server: func(_ *order, c *tls.Config) { c.ClientAuth = tls.NoClientCert },
			as: inspect.Connection{Version: "TLS 1.3", Kafka: true, Client: inspect.ClientNotAsked, Resumes: true}},
		"certificates are optional": {server: func(_ *order, c *tls.Config) { c.ClientAuth = tls.VerifyClientCertIfGiven },
			as: inspect.Connection{Version: "TLS 1.3", Kafka: true, Client: inspect.ClientAsked, Resumes: true}},
		"no sessions": {server: func(_ *order, c *tls.Config) { c.ClientAuth, c.SessionTicketsDisabled = tls.NoClientCert, true },
			as: inspect.Connection{Version: "TLS 1.3", Kafka: true, Client: inspect.ClientNotAsked}},
		"our certificate is of another CA": {look: shows(func(t *testing.T, _ *order) *holder { return sign(t, "svc", sign(t, "x", nil, authority), nil) }),
			want: []string{"SLP-PKI-079"}, says: "is of CN=x, which is none of them\nthe one that was shown: SLP-PKI-084",
			as: inspect.Connection{Version: "TLS 1.3", Client: inspect.ClientRequired}},
		"our certificate has expired": {look: shows(func(t *testing.T, o *order) *holder {
			return sign(t, "svc", o.root, func(c *x509.Certificate) { c.NotAfter = now.Add(-day / 2) })
		}), want: []string{"SLP-PKI-079"}, says: "the one that was shown: SLP-PKI-080: svc has ended",
			as: inspect.Connection{Version: "TLS 1.3", Client: inspect.ClientRequired}},
		"expired": {leaf: func(c *x509.Certificate) { c.NotAfter = now.Add(-day / 2) }, want: []string{"SLP-PKI-080"},
			as: inspect.Connection{Version: "TLS 1.3", Client: inspect.ClientRequired}},
		"another host": {look: func(_ *testing.T, _ *order, c *inspect.LookConfig) { c.Host = "kafka-1.example.com" }, want: []string{"SLP-PKI-087"}, says: "127.0.0.1",
			as: inspect.Connection{Version: "TLS 1.3", Client: inspect.ClientRequired}},
		"missing intermediate": {server: func(o *order, c *tls.Config) { c.Certificates = []tls.Certificate{pair(o.leaf)} }, want: []string{"SLP-PKI-084"},
			as: inspect.Connection{Version: "TLS 1.3", Client: inspect.ClientRequired}},
		"the root is sent": {server: func(o *order, c *tls.Config) { c.Certificates = []tls.Certificate{pair(o.leaf, o.middle, o.root)} }, want: []string{"~SLP-PKI-086"},
			as: inspect.Connection{Version: "TLS 1.3", Client: inspect.ClientRequired}},
		"a CA as leaf": {server: func(o *order, c *tls.Config) { c.Certificates = []tls.Certificate{pair(o.middle)} }, want: []string{"SLP-PKI-090", "SLP-PKI-088"},
			as: inspect.Connection{Version: "TLS 1.3", Client: inspect.ClientRequired}},
		"for servers alone, under mTLS": {leaf: forServers, look: shows(nil), want: []string{"~SLP-PKI-089"}, says: "brokers connect to each other",
			as: inspect.Connection{Version: "TLS 1.3", Kafka: true, Client: inspect.ClientAsked, Accepted: true, Resumes: true}},
		"for servers alone": {leaf: forServers, server: func(_ *order, c *tls.Config) { c.ClientAuth = tls.NoClientCert },
			as: inspect.Connection{Version: "TLS 1.3", Kafka: true, Client: inspect.ClientNotAsked, Resumes: true}},
		"TLS 1.0 and 1.1 too": {server: func(_ *order, c *tls.Config) { c.MinVersion = tls.VersionTLS10 }, want: []string{"SLP-PKI-099"}, says: "TLS 1.0 and TLS 1.1",
			as: inspect.Connection{Version: "TLS 1.3", Client: inspect.ClientRequired, Old: []string{"TLS 1.0", "TLS 1.1"}}},
		"TLS 1.1 at most": {server: func(_ *order, c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 },
			want: []string{"SLP-PKI-079", "SLP-PKI-099"}, says: "it takes TLS 1.1",
			as: inspect.Connection{Version: "TLS 1.1", Client: inspect.ClientNotAsked, Old: []string{"TLS 1.0", "TLS 1.1"}}},
		"a suite without an AEAD": {server: func(_ *order, c *tls.Config) {
			c.MaxVersion = tls.VersionTLS12
			c.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256}
		}, want: []string{"~SLP-PKI-099"}, says: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
			as: inspect.Connection{Version: "TLS 1.2", Client: inspect.ClientRequired, Weak: []string{"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"}}},
		"no other suite": {server: func(_ *order, c *tls.Config) {
			c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256}
		}, want: []string{"SLP-PKI-079", "~SLP-PKI-099"}, says: "it takes TLS 1.2 with TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
			as: inspect.Connection{Version: "TLS 1.2", Client: inspect.ClientNotAsked, Weak: []string{"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOrder(t, tt.leaf)
			server := &tls.Config{
				MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair(o.leaf, o.middle)},
				CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
				ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: pool(o.root), Time: func() time.Time { return now },
			}
			if strings.HasPrefix(name, "TLS 1.") {
				server.CipherSuites = append(server.CipherSuites, tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA)
			}
			if tt.server != nil {
				tt.server(&o, server)
			}
			cfg := inspect.LookConfig{Config: inspect.Config{Roots: list(o.root), Now: now}, Timeout: time.Minute}
			if tt.look != nil {
				tt.look(t, &o, &cfg)
			}
			address := listen(t, secured(server))
			report, err := inspect.Look(t.Context(), address, cfg)
			if err != nil {
				t.Fatal(err)
			}
			findings := report.Findings
			if strings.HasPrefix(name, "TLS 1.") { // what goes with old versions is not the point
				findings = nil
				for _, d := range report.Findings {
					if d.Severity == diag.Error {
						findings = append(findings, d)
					}
				}
				report.Connection.Weak = nil
			}
			if diff := cmp.Diff(tt.want, codes(findings)); diff != "" && len(tt.want)+len(findings) > 0 {
				t.Errorf("findings (-want +got):\n%s%v", diff, text(report.Findings))
			}
			if !strings.Contains(text(report.Findings), tt.says) {
				t.Errorf("findings do not say %q:\n%s", tt.says, text(report.Findings))
			}
			if report.Connection.Client == inspect.ClientRequired {
				if diff := cmp.Diff([]string{"CN=root"}, report.Connection.Authorities); diff != "" {
					t.Errorf("authorities (-want +got):\n%s", diff)
				}
			}
			got := *report.Connection
			if got.Address != address || got.Suite == "" {
				t.Errorf("address %q, suite %q", got.Address, got.Suite)
			}
			got.Address, got.Suite, got.Authorities = "", "", nil
			if diff := cmp.Diff(tt.as, got); diff != "" {
				t.Errorf("connection (-want +got):\n%s", diff)
			}
		})
	}
}

// shows gives the client a certificate: a good one, or what other makes.
func shows(other func(*testing.T, *order) *holder) func(*testing.T, *order, *inspect.LookConfig) {
	return func(t *testing.T, o *order, c *inspect.LookConfig) {
		h := sign(t, "svc-orders-prod", o.root, usage(x509.ExtKeyUsageClientAuth))
		if other != nil {
			h = other(t, o)
		}
		cert := pair(h)
		c.Certificate = &cert
	}
}

func TestWhereThereIsNoTLSTheCauseIsNamed(t *testing.T) {
	t.Parallel()
	closed := func(t *testing.T) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return l.Addr().String()
	}
	greets := func(text string) func(*testing.T) string {
		return func(t *testing.T) string {
			return listen(t, func(c net.Conn) { _, _ = io.WriteString(c, text); _, _ = io.Copy(io.Discard, c) })
		}
	}
	for name, tt := range map[string]struct {
		address func(*testing.T) string
		code    diag.Code
		says    string
	}{
		"plaintext Kafka": {func(t *testing.T) string { return listen(t, broker) }, diag.InspectPlain, "a Kafka listener without TLS"},
		"HTTP": {func(t *testing.T) string {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			s := &http.Server{}
			go func() { _ = s.Serve(l) }()
			t.Cleanup(func() { _ = s.Close() })
			return l.Addr().String()
		}, diag.InspectPlain, "speaks HTTP"},
		"SSH":               {greets("SSH-2.0-x\r\n"), diag.InspectPlain, "speaks SSH"},
		"mail":              {greets("220 mail.example.com ESMTP\r\n"), diag.InspectPlain, "not TLS"},
		"silence":           {func(t *testing.T) string { return listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }) }, diag.InspectTimeout, "says nothing within"},
		"nothing listens":   {closed, diag.InspectClosed, "the connection is refused"},
		"no such name":      {func(*testing.T) string { return "kafka.invalid:9093" }, diag.InspectName, "kafka.invalid"},
		"no port":           {func(*testing.T) string { return "kafka.example.com" }, diag.InspectName, "is not HOST:PORT"},
		"a port that is no": {func(*testing.T) string { return "127.0.0.1:kafka-tls-x" }, diag.InspectName, "kafka-tls-x"},
		"closed at once":    {func(t *testing.T) string { return listen(t, func(net.Conn) {}) }, diag.InspectHandshake, "without a word"},
		"a name that is not served": {func(t *testing.T) string {
			return listen(t, secured(&tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, errors.New("no such name") }}))
		}, diag.InspectHandshake, "internal error"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			timeout := time.Minute
			if tt.code == diag.InspectTimeout {
				timeout = 300 * time.Millisecond
			}
			_, err := inspect.Look(t.Context(), tt.address(t), inspect.LookConfig{Timeout: timeout})
			if !errors.Is(err, tt.code) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("Look() = %v, want %s and %q", err, tt.code, tt.says)
			}
		})
	}
}

func TestALookThatIsGivenUpEndsAtOnce(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	over := errors.New("over")
	address := listen(t, func(c net.Conn) {
		cancel(over)
		_, _ = io.Copy(io.Discard, c)
	})
	if _, err := inspect.Look(ctx, address, inspect.LookConfig{Timeout: time.Hour}); !errors.Is(err, over) {
		t.Errorf("Look() = %v, want %v", err, over)
	}
}
