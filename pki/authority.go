package pki

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	// MaxAuthorityLifetime is the longest an authority may live: ten years.
	MaxAuthorityLifetime = 10 * 365 * 24 * time.Hour

	// backdate is how far NotBefore lies in the past, for clocks that are
	// behind ours.
	backdate = 5 * time.Minute
)

// An Authority signs certificates. It is safe for concurrent use.
type Authority struct {
	// chain is the authority's own certificate first, its root last. A root
	// is its own chain.
	chain []*x509.Certificate
	key   crypto.Signer
}

// NewAuthority makes a root authority with a new key, valid from now on. The
// name is its common name. One intermediate may stand between it and its
// leaves.
func NewAuthority(name string, now time.Time, opts ...Option) (*Authority, error) {
	d, err := newDraft(name, now, 1, opts)
	if err != nil {
		return nil, fmt.Errorf("make authority %q: %w", name, err)
	}
	key, err := d.key.generate()
	if err != nil {
		return nil, fmt.Errorf("make authority %q: generate key: %w", name, err)
	}
	cert, err := sign(d.cert, nil, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make authority %q: %w", name, err)
	}
	return &Authority{chain: []*x509.Certificate{cert}, key: key}, nil
}

// Intermediate makes an authority under this one, with a new key, valid from
// now on. It issues leaves and no further authorities. Keep the key of the
// authority above it apart then: it is needed only for the next intermediate.
func (a *Authority) Intermediate(name string, now time.Time, opts ...Option) (*Authority, error) {
	d, err := newDraft(name, now, 0, opts)
	if err != nil {
		return nil, fmt.Errorf("make intermediate %q: %w", name, err)
	}
	err = errors.Join(a.checkOther(name), a.checkValid(now), a.checkPath(1), checkNarrower(a.chain, d.constraints))
	if err != nil {
		return nil, fmt.Errorf("make intermediate %q: %w", name, err)
	}
	key, err := d.key.generate()
	if err != nil {
		return nil, fmt.Errorf("make intermediate %q: generate key: %w", name, err)
	}
	a.bound(d.cert)
	cert, err := sign(d.cert, a.chain[0], key.Public(), a.key)
	if err != nil {
		return nil, fmt.Errorf("make intermediate %q: %w", name, err)
	}
	return &Authority{chain: append([]*x509.Certificate{cert}, a.chain...), key: key}, nil
}

func authorityTemplate(name string, now time.Time, below int) *x509.Certificate {
	return &x509.Certificate{
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             now.Add(-backdate),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLen:            below,
		MaxPathLenZero:        below == 0,
	}
}

// Name returns the authority's common name.
func (a *Authority) Name() string { return a.chain[0].Subject.CommonName }

// NotAfter returns when the authority expires.
func (a *Authority) NotAfter() time.Time { return a.chain[0].NotAfter }

// String names the authority; it shows no key.
func (a *Authority) String() string { return "authority " + a.Name() }

// Root returns the certificate that ends the chain: the authority's own where
// it is a root.
func (a *Authority) Root() *x509.Certificate { return a.chain[len(a.chain)-1] }

// Chain returns the authority's own certificate and those above it, the root
// last.
func (a *Authority) Chain() []*x509.Certificate { return slices.Clone(a.chain) }

// KeyPEM returns the authority's private key. Encrypt it before it is written
// to a place that others see.
func (a *Authority) KeyPEM() Key { return encodeKey(a.key) }

// PEM returns the root certificate: what clients and servers must trust to
// accept what this authority issues.
func (a *Authority) PEM() []byte { return encodeCertificates(a.chain[len(a.chain)-1:]) }

// Pool returns the root certificate as a pool, for tls.Config's RootCAs and
// ClientCAs. Each call returns a new pool.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.Root())
	return pool
}
