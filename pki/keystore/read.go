package keystore

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secret"
)

const (
	// MaxSize is the largest file that is read: 1 MiB. The roots of all public
	// authorities together take a fifth of it.
	MaxSize = 1 << 20

	maxItems = 1000 // keys and certificates of a file
)

// Contents is what a keystore or a truststore holds.
type Contents struct {
	Format Format

	// Entry is the key with its chain; its Key is nil in a truststore. It has an
	// Alias in JKS alone.
	Entry Entry

	// Roots are the certificates of a truststore, each once. They are in the
	// file's order, but for JKS, where they are in that of their aliases.
	Roots []*x509.Certificate
}

// Read reads a file of any of the formats, whoever wrote it, and tells its format
// by its first bytes. A file with a key is a keystore, and what else it holds
// besides the key's chain is passed over. The password is not looked at where
// nothing is encrypted or sealed by one.
func Read(data []byte, password secret.Secret) (Contents, error) {
	if len(data) > MaxSize {
		return Contents{}, damaged("it is %d bytes, at most %d", len(data), MaxSize)
	}
	format, read := recognize(data)
	if read == nil {
		return Contents{}, diag.New(diag.KeystoreFormat, "read keystore: it begins as neither PEM, PKCS#12 nor JKS")
	}
	s, err := read(data, password)
	if err != nil {
		return Contents{}, err
	}
	return s.contents(format)
}

func recognize(data []byte) (Format, func([]byte, secret.Secret) (*store, error)) {
	switch {
	case bytes.HasPrefix(data, magic(jksMagic)):
		return JKS, readJKS
	case bytes.HasPrefix(data, magic(jceksMagic)):
		return JKS, func([]byte, secret.Secret) (*store, error) {
			return nil, diag.New(diag.KeystoreUnsupported, "read keystore: it is JCEKS")
		}
	case bytes.Contains(data, []byte("-----BEGIN ")):
		return PEM, readPEM
	case bytes.HasPrefix(data, []byte{0x30}):
		return PKCS12, readPKCS12
	}
	return "", nil
}

func magic(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

// A store is what lies in a file, before it is sorted: certificates, and a key or
// none.
type store struct {
	alias string
	key   crypto.PrivateKey
	certs []*x509.Certificate
}

func (s *store) addCertificate(der []byte) error {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return damaged("certificate %d: %v", len(s.certs)+1, err)
	}
	_, err = s.bounded([]*x509.Certificate{cert})
	return err
}

// bounded adds certificates, up to a number that no honest file has.
func (s *store) bounded(certs []*x509.Certificate) (*store, error) {
	if s.certs = append(s.certs, certs...); len(s.certs) > maxItems {
		return nil, damaged("more than %d certificates", maxItems)
	}
	return s, nil
}

func (s *store) contents(format Format) (Contents, error) {
	c := Contents{Format: format}
	if s.key != nil {
		if err := s.entry(&c.Entry); err != nil {
			return Contents{}, err
		}
		return c, nil
	}
	if c.Roots = distinct(s.certs); len(c.Roots) == 0 {
		return Contents{}, damaged("it holds neither key nor certificate")
	}
	return c, nil
}

// entry finds the key's certificate, and above it one issuer after the other.
func (s *store) entry(e *Entry) error {
	if err := checkKind(s.key); err != nil {
		return err
	}
	at := slices.IndexFunc(s.certs, func(c *x509.Certificate) bool { return checkKey(s.key, c) == nil })
	if at < 0 {
		return diag.New(diag.KeystoreMismatch, "read keystore: none of its %d certificates is the key's", len(s.certs))
	}
	*e = Entry{Alias: s.alias, Key: s.key}
	for last := s.certs[at]; last != nil && len(e.Chain) < maxChain; last = s.issuer(last, e.Chain) {
		e.Chain = append(e.Chain, last)
	}
	return nil
}

// issuer returns who signed the certificate, if that is in the store and not in
// the chain yet. A hostile file could name a thousand, and signatures take time.
func (s *store) issuer(of *x509.Certificate, chain []*x509.Certificate) *x509.Certificate {
	tried := 0
	for _, c := range s.certs {
		if !bytes.Equal(c.RawSubject, of.RawIssuer) || slices.ContainsFunc(chain, c.Equal) {
			continue
		}
		if tried++; tried > maxChain {
			return nil
		}
		if of.CheckSignatureFrom(c) == nil {
			return c
		}
	}
	return nil
}

func several(format string, args ...any) error {
	return diag.New(diag.KeystoreSeveral, "read keystore: it holds several keys: %s", fmt.Sprintf(format, args...))
}

// Equal reports whether two files hold the same key, chain and roots, whatever
// their formats, aliases and salts.
func (c Contents) Equal(other Contents) bool {
	key, ok := c.Entry.Key.(interface{ Equal(crypto.PrivateKey) bool })
	if !ok && (c.Entry.Key != nil || other.Entry.Key != nil) || ok && !key.Equal(other.Entry.Key) {
		return false
	}
	return slices.EqualFunc(c.Entry.Chain, other.Entry.Chain, (*x509.Certificate).Equal) &&
		slices.EqualFunc(c.Roots, other.Roots, (*x509.Certificate).Equal)
}
