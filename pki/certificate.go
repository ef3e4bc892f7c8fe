package pki

import (
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"time"
)

// A Certificate is an issued certificate with its chain and private key. It
// is immutable and safe for concurrent use.
type Certificate struct {
	chain []*x509.Certificate // leaf first, root left out
	key   *ecdsa.PrivateKey
	root  []byte // PEM, saved beside the leaf so that its holder can verify the other side
}

// CommonName returns whom the certificate is for.
func (c *Certificate) CommonName() string { return c.chain[0].Subject.CommonName }

// NotAfter returns when the certificate expires.
func (c *Certificate) NotAfter() time.Time { return c.chain[0].NotAfter }

// String names the certificate; it shows no key.
func (c *Certificate) String() string { return "certificate " + c.CommonName() }

// PEM returns the certificate and the chain above it, without the root.
func (c *Certificate) PEM() []byte { return encodeCertificates(c.chain) }

// KeyPEM returns the private key.
func (c *Certificate) KeyPEM() Key { return encodeKey(c.key) }

// TLS returns the certificate as crypto/tls takes it.
func (c *Certificate) TLS() tls.Certificate {
	der := make([][]byte, len(c.chain))
	for i, cert := range c.chain {
		der[i] = cert.Raw
	}
	return tls.Certificate{Certificate: der, PrivateKey: c.key, Leaf: c.chain[0]}
}

func encodeCertificates(certs []*x509.Certificate) []byte {
	var out []byte
	for _, cert := range certs {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})...)
	}
	return out
}
