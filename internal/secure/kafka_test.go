//go:build kafka

package secure_test

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/dev/devtest"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/secure"
)

func TestMain(m *testing.M) { devtest.Main(m) }

// A broker is the listener for mutual TLS of a real one.
type broker struct {
	addr string
	ours issuer
}

func realBroker(t *testing.T) broker {
	t.Helper()
	c := devtest.Cluster(t)
	addr, _, _ := strings.Cut(c.MTLS(), ",")
	return broker{addr, issuerOf(t, c.Authority())}
}

func (b broker) client(shows *tls.Certificate) *tls.Config {
	cfg := secure.Client(b.ours.pool())
	cfg.ServerName = "127.0.0.1"
	if shows != nil {
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return shows, nil }
	}
	return cfg
}

// versions asks for the versions of the API, which any client may, and returns
// how many bytes of the application came back.
func (b broker) versions(t *testing.T, cfg *tls.Config) (int, error) {
	t.Helper()
	raw, err := net.DialTimeout("tcp", b.addr, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	conn := tls.Client(raw, cfg)
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(15 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if err := conn.Handshake(); err != nil {
		return 0, err
	}
	request := []byte{0, 18, 0, 0, 0, 0, 0, 7, 0xff, 0xff} // ApiVersions 0, correlation 7, no client id
	if _, err := conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(request))), request...)); err != nil {
		return 0, err
	}
	answer := make([]byte, 8)
	n, err := io.ReadFull(conn, answer)
	if err == nil && binary.BigEndian.Uint32(answer[4:]) != 7 {
		t.Errorf("the answer begins with % x", answer)
	}
	return n, err
}

// connect is what Slipway's own client says. Its certificate is the plain one of
// a configuration, as the command has it.
func (b broker) connect(t *testing.T, change func(*tls.Config)) error {
	t.Helper()
	cfg := secure.Client(b.ours.pool())
	change(cfg)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c, err := kafka.Connect(ctx, kafka.Config{Bootstrap: b.addr, Auth: contract.MTLS, TLS: cfg, Timeout: 6 * time.Second})
	if err == nil {
		c.Close()
	}
	return err
}

func TestARealBrokerRefusesBadClientsAndOurClientSaysWhy(t *testing.T) {
	b := realBroker(t)
	good := b.ours.leaf(t, "admin", nil)
	if n, err := b.versions(t, b.client(&good)); n == 0 || err != nil {
		t.Fatalf("a good client got %d bytes and %v", n, err)
	}
	for name, tt := range map[string]struct {
		accepted bool // by this broker, whatever we think of it
		says     diag.Code
		text     string
	}{
		"of another authority": {false, diag.KafkaCertificate, "no chain leads from it"},
		"self-signed":          {false, diag.TLSSelfSigned, "signed by itself"},
		"expired":              {false, diag.TLSExpired, "expired 26 hours ago"},
		"not yet valid":        {false, diag.TLSNotYetValid, "from now"},
		"for servers only":     {false, diag.TLSWrongUsage, "not for clients"},
		"signed with SHA-1":    {false, diag.TLSWeakSignature, "ECDSA-SHA1"},
		"an authority's own":   {false, diag.TLSAuthorityAsLeaf, "authority's own"},
		"with a weak key":      {false, diag.TLSWeakKey, "RSA with 1024 bits"},
		"without its key":      {false, diag.KafkaTLSMismatch, "cannot agree"},

		// Java looks for digitalSignature, and not for CA:TRUE.
		"an authority's own that may shake hands": {true, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			shows := badCertificates[name].shows(t, b.ours)
			n, err := b.versions(t, b.client(&shows))
			t.Logf("%d bytes of the application; the broker's refusal: %v", n, err)
			if tt.accepted != (err == nil) || !tt.accepted && (n != 0 || !strings.Contains(err.Error(), "remote error: tls: ")) {
				t.Errorf("accepted %t, want %t with an alert and no byte", err == nil, tt.accepted)
			}
			says := b.connect(t, func(c *tls.Config) { c.Certificates = []tls.Certificate{shows} })
			if tt.accepted {
				return
			}
			t.Logf("our client: %v; fix: %s", says, remedy(says))
			if !errors.Is(says, tt.says) || !strings.Contains(says.Error(), tt.text) || remedy(says) == "" {
				t.Errorf("our client says %v, want %s with %q and a fix", says, tt.says, tt.text)
			}
		})
	}
	for name, tt := range map[string]struct {
		change func(*tls.Config)
		says   diag.Code
	}{
		"no certificate": {func(c *tls.Config) { c.Certificates = nil }, diag.KafkaCertificate},
		"TLS 1.1":        {func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }, diag.KafkaTLSMismatch},
		"CBC":            {older(tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA), diag.KafkaTLSMismatch},
		"3DES":           {older(tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA), diag.KafkaTLSMismatch},
		"another host":   {func(c *tls.Config) { c.ServerName = "other.example" }, diag.KafkaUntrusted},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := b.client(&good)
			if tt.change(cfg); name == "no certificate" {
				cfg.GetClientCertificate = nil
			}
			n, err := b.versions(t, cfg)
			t.Logf("%d bytes of the application; refused with: %v", n, err)
			if n != 0 || err == nil {
				t.Errorf("got %d bytes and %v, want a refusal", n, err)
			}
			says := b.connect(t, func(c *tls.Config) {
				c.Certificates = []tls.Certificate{good}
				tt.change(c)
			})
			t.Logf("our client: %v; fix: %s", says, remedy(says))
			if !errors.Is(says, tt.says) || remedy(says) == "" {
				t.Errorf("our client says %v, want %s", says, tt.says)
			}
		})
	}
}

// A revoked certificate is none to us and one to Kafka, which knows no revocation
// lists: what keeps it out there is a DENY for its principal, a short life, or
// another authority.
func TestARealBrokerKnowsNoRevocation(t *testing.T) {
	b := realBroker(t)
	revoked := b.ours.leaf(t, "admin", nil)
	p := newPost(t)
	p.ours = b.ours
	shown := b.ours.server(t)
	p.set(func(m *secure.Material) { m.Certificate, m.Roots = &shown, b.ours.pool() })
	p.revoke(revoked.Leaf)
	p.refuses(p.client(&revoked), diag.TLSRevoked)
	cfg := b.client(&revoked)
	cfg.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	for range 2 {
		if n, err := b.versions(t, cfg); n == 0 || err != nil {
			t.Errorf("the broker answers %d bytes and %v: if it has learnt of revocation, tell users so", n, err)
		}
	}
}

func remedy(err error) string {
	if all := diag.Of(err); len(all) > 0 {
		return all[0].Remedy()
	}
	return ""
}
