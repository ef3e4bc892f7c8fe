package pki_test

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/pki"
)

// signerOf returns an authority's key, to sign with it what the authority
// would refuse.
func signerOf(t testing.TB, a *pki.Authority) crypto.Signer {
	t.Helper()
	b, _ := pem.Decode(a.KeyPEM())
	key, err := x509.ParsePKCS8PrivateKey(b.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key.(crypto.Signer)
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// forge signs a server's certificate without asking anybody.
func forge(t *testing.T, a *pki.Authority, cn string, hosts []string, ips []netip.Addr) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: cmp.Or(cn, "broker")},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true, DNSNames: hosts,
	}
	for _, ip := range ips {
		template.IPAddresses = append(template.IPAddresses, net.IP(ip.AsSlice()))
	}
	return certify(t, template, a.Chain()[0], newKey(t).Public(), signerOf(t, a))
}

func certify(t testing.TB, template, issuer *x509.Certificate, public crypto.PublicKey, key crypto.Signer) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, public, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// opensslVerify asks openssl about a leaf, strictly, with the root trusted and
// everything between sent along.
func opensslVerify(t *testing.T, leaf *x509.Certificate, a *pki.Authority, purpose string) (string, error) {
	t.Helper()
	args := []string{"verify", "-x509_strict", "-purpose", purpose, "-CAfile", file(t, "root.pem", a.PEM())}
	if len(a.Chain()) > 1 {
		args = append(args, "-untrusted", file(t, "chain.pem", chainPEM(a)))
	}
	return openssl(t, append(args, file(t, "leaf.pem", block("CERTIFICATE", leaf.Raw)))...)
}

// accepted wants openssl to take a leaf for a purpose.
func accepted(t *testing.T, c *pki.Certificate, root *pki.Authority, purpose string) {
	t.Helper()
	out, err := openssl(t, "verify", "-x509_strict", "-purpose", purpose,
		"-CAfile", file(t, "root.pem", root.PEM()), "-untrusted", file(t, "sent.pem", c.PEM()), file(t, "leaf.pem", c.PEM()))
	if err != nil {
		t.Errorf("openssl verify -purpose %s: %v\n%s", purpose, err, out)
	}
}

func TestOpensslAndGoAgreeOnEveryLeaf(t *testing.T) {
	t.Parallel()
	needOpenssl(t)
	hosts, ips := []string{"kafka-0.prod.example", "xn--bcher-kva.example"}, addresses("10.20.0.4", "fd00::4")
	bounds := pki.WithConstraints(pki.Constraints{DNSDomains: []string{"example"}, IPRanges: ranges("10.20.0.0/16", "fd00::/8")})
	for name, tt := range map[string]struct {
		opts []pki.Option
		leaf pki.KeyType
	}{
		"default":     {nil, ""},
		"P-384":       {[]pki.Option{pki.WithKey(pki.ECDSAP384)}, pki.ECDSAP384},
		"RSA":         {[]pki.Option{pki.WithKey(pki.RSA3072)}, pki.RSA3072},
		"mixed":       {[]pki.Option{pki.WithKey(pki.RSA3072)}, pki.ECDSAP256},
		"constrained": {[]pki.Option{bounds}, pki.ECDSAP256},
	} {
		root, err := pki.NewAuthority("agreed root", time.Now(), tt.opts...)
		if err != nil {
			t.Fatal(err)
		}
		for layer, a := range map[string]*pki.Authority{"root": root, "intermediate": intermediate(t, root, tt.opts...)} {
			for usage, purposes := range map[pki.Usage]map[string]bool{
				pki.Client: {"sslclient": true, "sslserver": false},
				pki.Server: {"sslclient": false, "sslserver": true},
				pki.Peer:   {"sslclient": true, "sslserver": true},
			} {
				c := issue(t, a, pki.Request{CommonName: "agreed_1.prod-x", Usage: usage, Key: tt.leaf, DNSNames: hosts, IPs: ips})
				for purpose, want := range purposes {
					agree(t, strings.Join([]string{name, layer, purpose}, "/"), c, a, purpose, want)
				}
			}
		}
	}
}

func agree(t *testing.T, name string, c *pki.Certificate, a *pki.Authority, purpose string, want bool) {
	t.Helper()
	use := map[string]x509.ExtKeyUsage{"sslclient": x509.ExtKeyUsageClientAuth, "sslserver": x509.ExtKeyUsageServerAuth}[purpose]
	goSays := verify(c, a.Root(), use, time.Now())
	out, opensslSays := opensslVerify(t, c.Chain()[0], a, purpose)
	if (goSays == nil) != want || (opensslSays == nil) != want {
		t.Errorf("%s: Go says %v, openssl %v\n%s\nwant accepted = %v", name, goSays, opensslSays, out, want)
	}
}

func TestOpensslReadsWhatACertificateSays(t *testing.T) {
	t.Parallel()
	root, err := pki.NewAuthority("readable root", time.Now(), pki.WithConstraints(pki.Constraints{DNSDomains: []string{"prod.example"}, IPRanges: ranges("10.20.0.0/16")}))
	if err != nil {
		t.Fatal(err)
	}
	a := intermediate(t, root)
	c := issue(t, a, pki.Request{CommonName: "broker", Usage: pki.Peer, DNSNames: []string{"kafka-0.prod.example"}, IPs: addresses("10.20.0.4")})
	for name, tt := range map[string]struct {
		pem  []byte
		want []string
	}{
		"leaf": {c.PEM(), []string{
			"Version: 3", "CN = broker", "prime256v1", "X509v3 Key Usage: critical\n                Digital Signature\n", "CA:FALSE",
			"TLS Web Server Authentication, TLS Web Client Authentication", "DNS:kafka-0.prod.example, IP Address:10.20.0.4", "X509v3 Authority Key Identifier",
		}},
		"intermediate": {chainPEM(a), []string{"CA:TRUE, pathlen:0", "X509v3 Basic Constraints: critical", "Certificate Sign, CRL Sign", "X509v3 Subject Key Identifier"}},
		"root":         {root.PEM(), []string{"CA:TRUE, pathlen:1", "X509v3 Name Constraints: critical", "DNS:prod.example", "IP:10.20.0.0/255.255.0.0"}},
	} {
		out, err := openssl(t, "x509", "-noout", "-text", "-in", file(t, "cert.pem", tt.pem))
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		for _, want := range tt.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: openssl does not say %q:\n%s", name, want, out)
			}
		}
	}
	out, err := openssl(t, "x509", "-noout", "-serial", "-in", file(t, "leaf.pem", c.PEM()))
	if err != nil || !strings.EqualFold(strings.TrimSpace(out), "serial="+c.Serial()) {
		t.Errorf("openssl says %q, %v, want serial %s", out, err, c.Serial())
	}
}
