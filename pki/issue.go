package pki

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/slipway-go/slipway/diag"
)

// Issue makes a new key and signs a certificate for it. All faults of the
// request are reported at once. The certificate ends with its authority, or
// one above, if that is sooner than the requested lifetime.
func (a *Authority) Issue(req Request) (*Certificate, error) {
	req = a.aliased(req.withDefaults())
	if err := a.check(req); err != nil {
		return nil, fmt.Errorf("issue certificate for %q: %w", req.CommonName, err)
	}
	key, err := req.Key.generate()
	if err != nil {
		return nil, fmt.Errorf("issue certificate for %q: generate key: %w", req.CommonName, err)
	}
	c, err := a.certify(req, key.Public())
	if err != nil {
		return nil, fmt.Errorf("issue certificate for %q: %w", req.CommonName, err)
	}
	c.key = key
	return c, nil
}

// check says everything that is in the way of a request, before a key is made
// and anything is signed.
func (a *Authority) check(req Request) error {
	if err := req.validate(); err != nil {
		return err
	}
	return errors.Join(
		a.checkOther(req.CommonName),
		a.checkValid(req.Now),
		a.checkUsage(req.Usage),
		checkConstraints(a.chain, req),
	)
}

// certify signs a certificate for a public key. The request was checked.
func (a *Authority) certify(req Request, public crypto.PublicKey) (*Certificate, error) {
	template := req.template()
	a.bound(template)
	leaf, err := sign(template, a.chain[0], public, a.key)
	if err != nil {
		return nil, err
	}
	// The root is left out: the other side holds it, or does not trust us.
	chain := append([]*x509.Certificate{leaf}, a.chain[:len(a.chain)-1]...)
	return &Certificate{chain: chain, root: a.PEM()}, nil
}

// bound keeps a certificate within the lives of all authorities above it.
func (a *Authority) bound(template *x509.Certificate) {
	for _, ca := range a.chain {
		if template.NotAfter.After(ca.NotAfter) {
			template.NotAfter = ca.NotAfter
		}
		if template.NotBefore.Before(ca.NotBefore) {
			template.NotBefore = ca.NotBefore
		}
	}
}

// checkValid refuses to sign outside of the life of any certificate of the
// chain: a leaf is accepted only while all of them are.
func (a *Authority) checkValid(now time.Time) error {
	for _, ca := range a.chain {
		if now.Before(ca.NotBefore) || !now.Before(ca.NotAfter) {
			return diag.New(diag.PKIExpired, "authority %q is valid from %s to %s, and now is %s", ca.Subject.CommonName,
				ca.NotBefore.Format(time.RFC3339), ca.NotAfter.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
		}
	}
	return nil
}

// checkOther refuses the name of an authority above. Who verifies takes a
// certificate whose subject is its issuer for one that signed itself.
func (a *Authority) checkOther(name string) error {
	for _, ca := range a.chain {
		if ca.Subject.String() == (pkix.Name{CommonName: name}).String() {
			return diag.New(diag.PKIName, "common name %q is that of the authority above", name)
		}
	}
	return nil
}

// checkPath refuses so many further authorities where the path length of one
// above forbids them.
func (a *Authority) checkPath(further int) error { return checkPath(a.chain, further) }

func checkPath(chain []*x509.Certificate, further int) error {
	for i, ca := range chain {
		if ca.MaxPathLen >= 0 && i+further > ca.MaxPathLen {
			return diag.New(diag.PKIPathLength, "authority %q has path length %d, and there would be %d authorities below it",
				ca.Subject.CommonName, ca.MaxPathLen, i+further)
		}
	}
	return nil
}

// checkUsage refuses a use that an extended key usage in the chain leaves out.
func (a *Authority) checkUsage(usage Usage) error {
	for _, ca := range a.chain {
		if len(ca.ExtKeyUsage)+len(ca.UnknownExtKeyUsage) == 0 || slices.Contains(ca.ExtKeyUsage, x509.ExtKeyUsageAny) {
			continue
		}
		for _, u := range usage.extended() {
			if !slices.Contains(ca.ExtKeyUsage, u) {
				return diag.New(diag.PKIIssuer, "authority %q may not issue certificates for %s", ca.Subject.CommonName, usageName(u))
			}
		}
	}
	return nil
}

// sign signs a certificate for a public key with the issuer's key; without an
// issuer the certificate is its own.
func sign(template, issuer *x509.Certificate, public crypto.PublicKey, key crypto.Signer) (*x509.Certificate, error) {
	template.SerialNumber = serial()
	if issuer == nil {
		issuer = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, public, key)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read back what was signed: %w", err)
	}
	return cert, nil
}

// serial returns 128 random bits. The one value that is not a serial number,
// zero, is as likely as a guessed key.
func serial() *big.Int {
	var b [16]byte
	rand.Read(b[:]) // never fails: the runtime ends the program instead
	return new(big.Int).SetBytes(b[:])
}
