package secure_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secure"
)

func TestOfSeveralFaultsTheOneToMendFirstIsNamed(t *testing.T) {
	t.Parallel()
	ours := newIssuer(t, "cluster-ca")
	stranger := newIssuer(t, "stranger-ca")
	old := func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-72*time.Hour), time.Now().Add(-49*time.Hour)
	}
	serves := func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }
	signs := func(c *x509.Certificate) { c.IsCA = true }
	both := func(edits ...func(*x509.Certificate)) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			for _, edit := range edits {
				edit(c)
			}
		}
	}
	between := func(edit func(*x509.Certificate)) issuer {
		key := newKey(t)
		pair := ours.leafFor(t, "cluster-ca-issuer", key, both(func(c *x509.Certificate) {
			c.IsCA, c.KeyUsage, c.ExtKeyUsage = true, x509.KeyUsageCertSign, nil
		}, edit))
		return issuer{pair.Leaf, key}
	}
	fresh, gone := between(func(*x509.Certificate) {}), between(old)
	narrow := between(func(c *x509.Certificate) {
		c.PermittedDNSDomains, c.PermittedDNSDomainsCritical = []string{"other.example"}, true
	})
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		chain []*x509.Certificate
		trial secure.Trial
		want  diag.Code
		text  string
	}{
		"nothing":                   {nil, secure.Trial{Roots: ours.pool()}, diag.TLSNoCertificate, "no certificate"},
		"a good one":                {[]*x509.Certificate{ours.leaf(t, "svc", nil).Leaf}, secure.Trial{Roots: ours.pool()}, "", ""},
		"a good one of another":     {[]*x509.Certificate{fresh.leaf(t, "svc", nil).Leaf, fresh.cert}, secure.Trial{Roots: ours.pool()}, "", ""},
		"a stranger's old one":      {[]*x509.Certificate{stranger.leaf(t, "svc", old).Leaf}, secure.Trial{Roots: ours.pool()}, diag.TLSUnknownCA, "of CN=stranger-ca"},
		"old, and for servers":      {[]*x509.Certificate{ours.leaf(t, "svc", both(old, serves)).Leaf}, secure.Trial{Roots: ours.pool()}, diag.TLSExpired, "expired 2 days ago"},
		"an authority for servers":  {[]*x509.Certificate{ours.leaf(t, "svc", both(signs, serves)).Leaf}, secure.Trial{Roots: ours.pool()}, diag.TLSAuthorityAsLeaf, "authority's own"},
		"the root itself":           {[]*x509.Certificate{ours.cert}, secure.Trial{Roots: ours.pool()}, diag.TLSAuthorityAsLeaf, "cluster-ca"},
		"no intermediate":           {[]*x509.Certificate{fresh.leaf(t, "svc", nil).Leaf}, secure.Trial{Roots: ours.pool()}, diag.TLSUnknownCA, "of CN=cluster-ca-issuer"},
		"an old intermediate":       {[]*x509.Certificate{gone.leaf(t, "svc", nil).Leaf, gone.cert}, secure.Trial{Roots: ours.pool()}, diag.TLSExpired, "CN=cluster-ca-issuer"},
		"outside of a constraint":   {[]*x509.Certificate{narrow.leaf(t, "svc", func(c *x509.Certificate) { c.DNSNames = []string{"a.example"} }).Leaf, narrow.cert}, secure.Trial{Roots: ours.pool()}, diag.TLSUnfit, "not permitted"},
		"P-224":                     {[]*x509.Certificate{ours.leafFor(t, "svc", p224, nil).Leaf}, secure.Trial{Roots: ours.pool()}, diag.TLSWeakKey, "ECDSA on P-224"},
		"our own, old":              {[]*x509.Certificate{ours.leaf(t, "svc", old).Leaf}, secure.Trial{}, diag.TLSExpired, "expired 2 days ago"},
		"our own, for servers":      {[]*x509.Certificate{ours.leaf(t, "svc", serves).Leaf}, secure.Trial{}, diag.TLSWrongUsage, "clientAuth"},
		"our own, self-signed":      {[]*x509.Certificate{issuer{}.leaf(t, "svc", nil).Leaf}, secure.Trial{}, diag.TLSSelfSigned, "by itself"},
		"our own, good":             {[]*x509.Certificate{ours.leaf(t, "svc", nil).Leaf}, secure.Trial{}, "", ""},
		"a listener of other names": {[]*x509.Certificate{ours.server(t).Leaf}, secure.Trial{Roots: ours.pool(), Usage: x509.ExtKeyUsageServerAuth, Host: "kafka-0.example"}, diag.TLSWrongHost, "does not name kafka-0.example"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tt.trial.Usage == x509.ExtKeyUsageAny {
				tt.trial.Usage = x509.ExtKeyUsageClientAuth
			}
			got, found := tt.trial.Fault(tt.chain)
			if found != (tt.want != "") || got.Code != tt.want || !strings.Contains(got.Message, tt.text) {
				t.Errorf("Fault = %v %t, want %q with %q", got, found, tt.want, tt.text)
			}
		})
	}
}

func TestAClientsFailureHasItsCodeToo(t *testing.T) {
	t.Parallel()
	ours := newIssuer(t, "cluster-ca")
	leaf := ours.server(t).Leaf
	alert := func(text string) error {
		return fmt.Errorf("read: %w", &net.OpError{Op: "remote error", Err: errors.New("tls: " + text)})
	}
	for name, tt := range map[string]struct {
		err  error
		want diag.Code
	}{
		"another host":            {&tls.CertificateVerificationError{UnverifiedCertificates: []*x509.Certificate{leaf}, Err: x509.HostnameError{Certificate: leaf, Host: "kafka-0.example"}}, diag.TLSWrongHost},
		"another host, unwrapped": {x509.HostnameError{Certificate: leaf, Host: "kafka-0.example"}, diag.TLSWrongHost},
		"coded already":           {fmt.Errorf("x: %w", secure.Revoked(leaf, time.Now(), false)), diag.TLSRevoked},
		"no certificate":          {alert("certificate required"), diag.TLSNoCertificate},
		"unknown authority":       {alert("unknown certificate authority"), diag.TLSUnknownCA},
		"expired":                 {alert("expired certificate"), diag.TLSExpired},
		"revoked":                 {alert("revoked certificate"), diag.TLSRevoked},
		"old":                     {alert("protocol version not supported"), diag.TLSOldVersion},
		"no suite":                {alert("insufficient security level"), diag.TLSNoCommonSuite},
		"no such host":            {alert("unrecognized name"), diag.TLSNameNotServed},
		"bad":                     {alert("bad certificate"), diag.TLSPeerRefused},
		"unknown":                 {alert("unknown certificate"), diag.TLSPeerRefused},
		"no TLS":                  {tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, diag.TLSNotSpoken},
		"hung up":                 {io.EOF, diag.TLSBroken},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := secure.Classify(tt.err, secure.Handshake{Roots: ours.pool()})
			if got.Code != tt.want || got.Remedy() == "" {
				t.Errorf("Classify(%v) = %v, want %s with a fix", tt.err, got, tt.want)
			}
		})
	}
}

func FuzzFault(f *testing.F) {
	ours := newIssuer(f, "cluster-ca")
	for _, bad := range badCertificates {
		f.Add(bad.shows(f, ours).Leaf.Raw)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return
		}
		for _, roots := range []*x509.CertPool{nil, ours.pool()} {
			trial := secure.Trial{Roots: roots, Usage: x509.ExtKeyUsageClientAuth, Host: "a.example"}
			d, found := trial.Fault([]*x509.Certificate{cert, cert})
			if found && (d.Code == "" || d.Remedy() == "") {
				t.Errorf("%v has no code or fix", d)
			}
			if said := d.Error(); strings.ContainsAny(said, "\n\x1b") || len([]rune(said)) > 1000 {
				t.Errorf("it says %q", said)
			}
		}
	})
}
