package pki_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/pki"
)

var loopback = []netip.Addr{netip.MustParseAddr("127.0.0.1")}

func newAuthority(t *testing.T, name string) *pki.Authority {
	t.Helper()
	a, err := pki.NewAuthority(name, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func issue(t *testing.T, a *pki.Authority, req pki.Request) *pki.Certificate {
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

func TestSerialNumbersAreNotRepeated(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "serials")
	seen, bits := map[string]bool{}, 0
	for range 200 {
		n := issue(t, a, pki.Request{CommonName: "svc", Usage: pki.Client}).TLS().Leaf.SerialNumber
		seen[n.String()], bits = true, max(bits, n.BitLen())
	}
	if len(seen) != 200 || bits > 128 || bits < 120 {
		t.Errorf("%d serials of 200, the longest %d bits, want all of them and about 128", len(seen), bits)
	}
}

func TestBadRequestsAreRefused(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "refuser")
	valid := pki.Request{CommonName: "svc-orders-dev", Usage: pki.Peer, DNSNames: []string{"a.example"}}
	for name, tt := range map[string]struct {
		change func(*pki.Request)
		want   string
	}{
		"no name":          {func(r *pki.Request) { r.CommonName = "" }, "common name is empty"},
		"long name":        {func(r *pki.Request) { r.CommonName = strings.Repeat("a", 65) }, "common name is 65 characters, at most 64"},
		"second attribute": {func(r *pki.Request) { r.CommonName = "admin,O=x" }, "is not letters"},
		"second value":     {func(r *pki.Request) { r.CommonName = "admin+O=x" }, "is not letters"},
		"escape":           {func(r *pki.Request) { r.CommonName = `a\2Cb` }, "is not letters"},
		"wildcard name":    {func(r *pki.Request) { r.CommonName = "*" }, "is not letters"},
		"line break":       {func(r *pki.Request) { r.CommonName = "a\r\nb" }, "is not letters"},
		"trailing newline": {func(r *pki.Request) { r.CommonName = "admin\n" }, "is not letters"},
		"zero byte":        {func(r *pki.Request) { r.CommonName = "a\x00b" }, "is not letters"},
		"look-alike":       {func(r *pki.Request) { r.CommonName = "аdmin" }, "is not letters"},
		"trailing space":   {func(r *pki.Request) { r.CommonName = "admin " }, "is not letters"},
		"no usage":         {func(r *pki.Request) { r.Usage = 0 }, "Usage is not one of"},
		"unknown usage":    {func(r *pki.Request) { r.Usage = 4 }, "Usage is not one of"},
		"server unnamed":   {func(r *pki.Request) { r.DNSNames = nil }, "a server needs a DNS name or an IP address"},
		"wildcard host":    {func(r *pki.Request) { r.DNSNames = []string{"*.example"} }, `DNS name "*.example" is not a host name`},
		"empty label":      {func(r *pki.Request) { r.DNSNames = []string{"a..example"} }, "is not a host name"},
		"host of 254":      {func(r *pki.Request) { r.DNSNames = []string{strings.Repeat("a.", 126) + "ab"} }, "DNS name of 254 characters"},
		"same host twice":  {func(r *pki.Request) { r.DNSNames = []string{"a.example", "A.example"} }, `"A.example" is given twice`},
		"address as host":  {func(r *pki.Request) { r.DNSNames = []string{"127.0.0.1"} }, "put it into IPs"},
		"any address":      {func(r *pki.Request) { r.IPs = []netip.Addr{netip.IPv4Unspecified()} }, "address 0.0.0.0 is not that of one host"},
		"no address":       {func(r *pki.Request) { r.IPs = []netip.Addr{{}} }, "is not that of one host"},
		"many names":       {func(r *pki.Request) { r.DNSNames = make([]string, 1000) }, "1000 names and addresses, at most 100"},
		"long life":        {func(r *pki.Request) { r.Lifetime = pki.MaxLifetime + 1 }, "want 1m0s to 2160h0m0s"},
		"negative life":    {func(r *pki.Request) { r.Lifetime = -time.Hour }, "lifetime is -1h0m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := valid
			tt.change(&req)
			if c, err := a.Issue(req); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Issue() = %v, %v, want an error with %q", c, err, tt.want)
			}
		})
	}
}

func TestAllFaultsOfARequestAreReportedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := newAuthority(t, "refuser").Issue(pki.Request{Lifetime: -1})
	for _, want := range []string{"common name is empty", "lifetime is -1ns", "Usage is not one of"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Issue() = %v, want it to mention %q", err, want)
		}
	}
}

func TestBadAuthoritiesAreRefused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "a,O=b", " a", "a ", strings.Repeat("a", 65)} {
		if _, err := pki.NewAuthority(name, time.Now()); err == nil {
			t.Errorf("NewAuthority(%q) succeeded", name)
		}
	}
	for _, d := range []time.Duration{0, -time.Hour, pki.MaxAuthorityLifetime + time.Second} {
		if _, err := pki.NewAuthority("a CA", time.Now(), pki.WithLifetime(d)); err == nil {
			t.Errorf("an authority of %v was made", d)
		}
	}
}

func TestKeysAreNeverShown(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "shy")
	c := issue(t, a, pki.Request{CommonName: "svc", Usage: pki.Client})
	block, _ := pem.Decode(c.KeyPEM())
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	scalar, err := parsed.(*ecdsa.PrivateKey).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	d := new(big.Int).SetBytes(scalar)

	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+verb+verb+verb+verb+"\n", a, c, *c, c.KeyPEM(), struct{ K pki.Key }{c.KeyPEM()})
	}
	json.NewEncoder(&out).Encode(map[string]any{"key": c.KeyPEM(), "cert": c, "authority": a})
	for _, h := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
		slog.New(h).Info("shown", "key", c.KeyPEM(), "cert", c, "authority", a)
	}
	for _, secret := range []string{"PRIVATE", "MIGH", d.String(), fmt.Sprintf("%x", d), fmt.Sprintf("%x", block.Bytes[:20])} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("the output holds %q", secret)
		}
	}
	if n := strings.Count(out.String(), "***"); n < 14 {
		t.Errorf("*** appears %d times", n)
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
