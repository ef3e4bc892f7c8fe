package pki_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"github.com/slipway-go/slipway/pki"
)

// A foreign authority is one that another program made, well or badly.
type foreign struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func (f foreign) keyPEM(t testing.TB) pki.Key {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(f.key)
	if err != nil {
		t.Fatal(err)
	}
	return block("PRIVATE KEY", der)
}

func (f foreign) pem() []byte { return block("CERTIFICATE", f.cert.Raw) }

func foreignTemplate(name string) x509.Certificate {
	return x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name, Organization: []string{"Example"}},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(20, 0, 0),
		BasicConstraintsValid: true, IsCA: true,
	}
}

// foreignRoot has no key usage, as with openssl req -x509.
func foreignRoot(t testing.TB, key crypto.Signer, change func(*x509.Certificate)) foreign {
	t.Helper()
	template := foreignTemplate("Foreign Root")
	if change != nil {
		change(&template)
	}
	return foreign{certify(t, &template, &template, key.Public(), key), key}
}

func (f foreign) under(t testing.TB, root foreign, change func(*x509.Certificate)) foreign {
	t.Helper()
	template := foreignTemplate("Foreign Issuer")
	if change != nil {
		change(&template)
	}
	return foreign{certify(t, &template, root.cert, f.key.Public(), root.key), f.key}
}

func rsaKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
