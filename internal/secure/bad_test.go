package secure_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki"
)

// An issuer signs what package pki refuses to.
type issuer struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func newKey(t testing.TB) crypto.Signer {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// newIssuer makes a root authority.
func newIssuer(t testing.TB, name string) issuer {
	t.Helper()
	a, err := pki.NewAuthority(name, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return issuerOf(t, a)
}

func issuerOf(t testing.TB, a *pki.Authority) issuer {
	t.Helper()
	block, _ := pem.Decode(a.KeyPEM())
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return issuer{a.Chain()[0], k.(crypto.Signer)}
}

func (i issuer) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(i.cert)
	return pool
}

// leaf signs a client's certificate, valid for an hour unless it is edited.
func (i issuer) leaf(t testing.TB, name string, edit func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	return i.leafFor(t, name, newKey(t), edit)
}

func (i issuer) leafFor(t testing.TB, name string, key crypto.Signer, edit func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	now := time.Now()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Minute), NotAfter: now.Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}
	if edit != nil {
		edit(template)
	}
	parent, signer := i.cert, i.key
	if parent == nil { // it signs itself
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: parsed}
}

// server is the certificate of a listener of this machine.
func (i issuer) server(t testing.TB) tls.Certificate {
	t.Helper()
	return i.leaf(t, "listener", func(c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		c.DNSNames, c.IPAddresses = []string{"localhost", "listener.example"}, []net.IP{net.IPv4(127, 0, 0, 1)}
	})
}

// A badClient is one that no listener may let in.
type badClient struct {
	code  diag.Code
	shows func(t testing.TB, ours issuer) tls.Certificate
}

// badCertificates are those that are wrong by themselves, whoever looks at them.
var badCertificates = map[string]badClient{
	"of another authority": {diag.TLSUnknownCA, func(t testing.TB, ours issuer) tls.Certificate {
		return newIssuer(t, ours.cert.Subject.CommonName).leaf(t, "svc-orders-prod", nil)
	}},
	"self-signed": {diag.TLSSelfSigned, func(t testing.TB, _ issuer) tls.Certificate {
		return issuer{}.leaf(t, "svc-orders-prod", nil)
	}},
	"expired": {diag.TLSExpired, func(t testing.TB, ours issuer) tls.Certificate {
		return ours.leaf(t, "svc-orders-prod", func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-26*time.Hour)
		})
	}},
	"not yet valid": {diag.TLSNotYetValid, func(t testing.TB, ours issuer) tls.Certificate {
		return ours.leaf(t, "svc-orders-prod", func(c *x509.Certificate) { c.NotBefore = time.Now().Add(30 * time.Minute) })
	}},
	"for servers only": {diag.TLSWrongUsage, func(t testing.TB, ours issuer) tls.Certificate {
		return ours.leaf(t, "svc-orders-prod", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })
	}},
	"signed with SHA-1": {diag.TLSWeakSignature, func(t testing.TB, ours issuer) tls.Certificate {
		return ours.leaf(t, "svc-orders-prod", func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA1 })
	}},
	"an authority's own": {diag.TLSAuthorityAsLeaf, func(t testing.TB, ours issuer) tls.Certificate {
		return ours.leaf(t, "svc-orders-prod", func(c *x509.Certificate) {
			c.IsCA, c.KeyUsage, c.ExtKeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign, nil
		})
	}},
	"an authority's own that may shake hands": {diag.TLSAuthorityAsLeaf, func(t testing.TB, ours issuer) tls.Certificate {
		return ours.leaf(t, "svc-orders-prod", func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, c.KeyUsage|x509.KeyUsageCertSign })
	}},
	"with a weak key": {diag.TLSWeakKey, func(t testing.TB, ours issuer) tls.Certificate {
		k, err := rsa.GenerateKey(rand.Reader, 1024)
		if err != nil {
			t.Fatal(err)
		}
		return ours.leafFor(t, "svc-orders-prod", k, nil)
	}},
	"without its key": {diag.TLSUnfit, func(t testing.TB, ours issuer) tls.Certificate {
		stolen := ours.leaf(t, "svc-orders-prod", nil)
		stolen.PrivateKey = newKey(t)
		return stolen
	}},
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
