package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
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
	key   *ecdsa.PrivateKey
}

// An Option varies how [NewAuthority] makes an authority.
type Option interface{ apply(*x509.Certificate) }

type lifetime time.Duration

func (l lifetime) apply(c *x509.Certificate) {
	c.NotAfter = c.NotBefore.Add(backdate + time.Duration(l))
}

// WithLifetime makes the authority expire d after its making. Without it an
// authority lives [MaxAuthorityLifetime], which is also the bound.
func WithLifetime(d time.Duration) Option { return lifetime(d) }

// NewAuthority makes a root authority with a new key, valid from now on. The
// name is its common name. One intermediate may stand between it and its
// leaves.
func NewAuthority(name string, now time.Time, opts ...Option) (*Authority, error) {
	if err := checkName(name, true); err != nil {
		return nil, fmt.Errorf("make authority: %w", err)
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(MaxAuthorityLifetime),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLen:            1,
	}
	for _, opt := range opts {
		opt.apply(template)
	}
	if err := checkLifetime(template.NotAfter.Sub(now), MaxAuthorityLifetime); err != nil {
		return nil, fmt.Errorf("make authority %s: %w", name, err)
	}
	cert, key, err := sign(template, nil, nil)
	if err != nil {
		return nil, fmt.Errorf("make authority %s: %w", name, err)
	}
	return &Authority{chain: []*x509.Certificate{cert}, key: key}, nil
}

// Name returns the authority's common name.
func (a *Authority) Name() string { return a.chain[0].Subject.CommonName }

// NotAfter returns when the authority expires.
func (a *Authority) NotAfter() time.Time { return a.chain[0].NotAfter }

// String names the authority; it shows no key.
func (a *Authority) String() string { return "authority " + a.Name() }

// PEM returns the root certificate: what clients and servers must trust to
// accept what this authority issues.
func (a *Authority) PEM() []byte { return encodeCertificates(a.chain[len(a.chain)-1:]) }

// Pool returns the root certificate as a pool, for tls.Config's RootCAs and
// ClientCAs. Each call returns a new pool.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.chain[len(a.chain)-1])
	return pool
}

// Issue makes a new key and signs a certificate for it. All faults of the
// request are reported at once. The certificate ends with its authority if
// that is sooner than the requested lifetime.
func (a *Authority) Issue(req Request) (*Certificate, error) {
	req = req.withDefaults()
	if err := req.validate(); err != nil {
		return nil, fmt.Errorf("issue certificate for %q: %w", req.CommonName, err)
	}
	issuer := a.chain[0]
	if req.Now.Before(issuer.NotBefore) || !req.Now.Before(issuer.NotAfter) {
		return nil, fmt.Errorf("issue certificate for %q: %s is valid from %s to %s, and now is %s", req.CommonName, a,
			issuer.NotBefore.Format(time.RFC3339), issuer.NotAfter.Format(time.RFC3339), req.Now.UTC().Format(time.RFC3339))
	}
	template := req.template()
	if template.NotAfter.After(issuer.NotAfter) {
		template.NotAfter = issuer.NotAfter
	}
	leaf, key, err := sign(template, issuer, a.key)
	if err != nil {
		return nil, fmt.Errorf("issue certificate for %q: %w", req.CommonName, err)
	}
	// The root is left out: the other side holds it, or does not trust us.
	chain := append([]*x509.Certificate{leaf}, a.chain[:len(a.chain)-1]...)
	return &Certificate{chain: chain, key: key, root: a.PEM()}, nil
}

// sign makes a key for the template and signs it: by the issuer, or by itself
// where there is none.
func sign(template, issuer *x509.Certificate, issuerKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("generate key: %w", err)
	}
	template.SerialNumber = serial()
	if issuer == nil {
		issuer, issuerKey = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, &key.PublicKey, issuerKey)
	if err != nil {
		return nil, nil, fmt.Errorf("sign: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, fmt.Errorf("read back what was signed: %w", err)
	}
	return cert, key, nil
}

// serial returns 128 random bits. The one value that is not a serial number,
// zero, is as likely as a guessed key.
func serial() *big.Int {
	var b [16]byte
	rand.Read(b[:]) // never fails: the runtime ends the program instead
	return new(big.Int).SetBytes(b[:])
}
