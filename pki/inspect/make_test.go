package inspect_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/slipway-go/slipway/diag"
)

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// A holder is a certificate with its key.
type holder struct {
	*x509.Certificate
	key crypto.Signer
}

func newKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newRSA(t testing.TB, bits int) crypto.Signer {
	t.Helper()
	t.Setenv("GODEBUG", "rsa1024min=0")
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// sign makes a certificate that is good but for what change does to it: a leaf of
// a broker, or with IsCA set an authority's. Without an issuer it signs itself.
func sign(t testing.TB, name string, issuer *holder, change func(*x509.Certificate), keys ...crypto.Signer) *holder {
	t.Helper()
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, SerialNumber: new(big.Int).SetBytes(slices.Concat([]byte{0x7a}, randomBytes(15))),
		NotBefore: now.Add(-day), NotAfter: now.Add(80 * day), BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames: []string{"kafka-0.example.com"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	if change != nil {
		change(template)
	}
	if template.IsCA {
		template.KeyUsage, template.ExtKeyUsage, template.DNSNames, template.IPAddresses = x509.KeyUsageCertSign|x509.KeyUsageCRLSign, nil, nil, nil
	}
	var key crypto.Signer
	if len(keys) > 0 {
		key = keys[0]
	} else {
		key = newKey(t)
	}
	parent, signer := template, key
	if issuer != nil {
		parent, signer = issuer.Certificate, issuer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &holder{cert, key}
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

func authority(c *x509.Certificate) {
	c.IsCA = true
	c.NotAfter = now.Add(3000 * day)
}

// An order is a root, an intermediate and a leaf below it.
type order struct{ root, middle, leaf *holder }

func newOrder(t testing.TB, change func(*x509.Certificate), keys ...crypto.Signer) order {
	t.Helper()
	root := sign(t, "root", nil, authority)
	middle := sign(t, "issuing", root, authority)
	return order{root, middle, sign(t, "kafka-0", middle, change, keys...)}
}

func list(holders ...*holder) []*x509.Certificate {
	certs := make([]*x509.Certificate, len(holders))
	for i, h := range holders {
		certs[i] = h.Certificate
	}
	return certs
}

func encode(certs ...*x509.Certificate) []byte {
	var b bytes.Buffer
	for _, c := range certs {
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
	}
	return b.Bytes()
}

// crl revokes certificates of an authority.
func crl(t testing.TB, issuer *holder, next time.Time, revoked ...*holder) *x509.RevocationList {
	t.Helper()
	template := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now.Add(-2 * day), NextUpdate: next}
	for _, h := range revoked {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: h.SerialNumber, RevocationTime: now.Add(-day)})
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, issuer.Certificate, issuer.key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseRevocationList(der)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// codes are those of a list, errors as they are and warnings with a sign.
func codes(l diag.List) []string {
	all := []string{}
	for _, d := range l {
		text := string(d.Code)
		if d.Severity == diag.Warning {
			text = "~" + text
		}
		all = append(all, text)
	}
	return all
}
