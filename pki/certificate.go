package pki

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"slices"
	"time"
)

// A Certificate is an issued certificate with its chain and, unless it was
// issued from a signing request, its private key. It is immutable and safe for
// concurrent use.
type Certificate struct {
	chain []*x509.Certificate // leaf first, root left out
	key   crypto.Signer       // nil if another holds it
	root  []byte              // PEM, saved beside the leaf so that its holder can verify the other side
}

// CommonName returns whom the certificate is for.
func (c *Certificate) CommonName() string { return c.chain[0].Subject.CommonName }

// NotBefore returns since when the certificate is valid.
func (c *Certificate) NotBefore() time.Time { return c.chain[0].NotBefore }

// NotAfter returns when the certificate expires.
func (c *Certificate) NotAfter() time.Time { return c.chain[0].NotAfter }

// Serial returns the serial number in lower-case hexadecimal digits, two for
// each byte.
func (c *Certificate) Serial() string {
	return hex.EncodeToString(c.chain[0].SerialNumber.Bytes())
}

// String names the certificate; it shows no key.
func (c *Certificate) String() string { return "certificate " + c.CommonName() }

// Chain returns the certificate and those above it, without the root.
func (c *Certificate) Chain() []*x509.Certificate { return slices.Clone(c.chain) }

// PEM returns the certificate and the chain above it, without the root.
func (c *Certificate) PEM() []byte { return encodeCertificates(c.chain) }

// Signer returns the private key, nil if it was issued from a signing request.
// Unlike a [Key] it does not hide when it is printed.
func (c *Certificate) Signer() crypto.Signer { return c.key }

// KeyPEM returns the private key, nil if it was issued from a signing request.
func (c *Certificate) KeyPEM() Key {
	if c.key == nil {
		return nil
	}
	return encodeKey(c.key)
}

// TLS returns the certificate as crypto/tls takes it, without a private key
// if it was issued from a signing request.
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
