package pki_test

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki"
)

func intermediate(t testing.TB, root *pki.Authority, opts ...pki.Option) *pki.Authority {
	t.Helper()
	a, err := root.Intermediate(root.Name()+" issuer", time.Now(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// verify asks crypto/x509 about a leaf, with nothing but the root and what the
// holder sends.
func verify(c *pki.Certificate, root *x509.Certificate, use x509.ExtKeyUsage, at time.Time) error {
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(root)
	for _, cert := range c.Chain()[1:] {
		between.AddCert(cert)
	}
	_, err := c.Chain()[0].Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{use}, CurrentTime: at,
	})
	return err
}

func TestLeavesOfAnIntermediateAreTrustedThroughTheRootAlone(t *testing.T) {
	t.Parallel()
	root := newAuthority(t, "root")
	issuer := intermediate(t, root)
	own := issuer.Chain()[0]
	if !own.IsCA || own.MaxPathLen != 0 || !own.MaxPathLenZero || len(issuer.Chain()) != 2 || !issuer.Root().Equal(root.Root()) {
		t.Errorf("path length %d in a chain of %d, want 0 below the root", own.MaxPathLen, len(issuer.Chain()))
	}
	c := issue(t, issuer, pki.Request{CommonName: "svc", Usage: pki.Client})
	if len(c.Chain()) != 2 {
		t.Errorf("the leaf brings %d certificates, want itself and the intermediate", len(c.Chain()))
	}
	if err := verify(c, root.Root(), x509.ExtKeyUsageClientAuth, time.Now()); err != nil {
		t.Error(err)
	}
	if !c.NotBefore().Before(time.Now()) {
		t.Errorf("NotBefore = %v", c.NotBefore())
	}
	again, err := pki.ParseAuthority(chainPEM(issuer), issuer.KeyPEM())
	if err != nil || !again.Chain()[0].Equal(own) {
		t.Errorf("read back: %v, %v", again, err)
	}
}

func TestNoAuthorityIsMadeBelowAnIntermediate(t *testing.T) {
	t.Parallel()
	issuer := intermediate(t, newAuthority(t, "root"))
	if _, err := issuer.Intermediate("third", time.Now()); !errors.Is(err, diag.PKIPathLength) {
		t.Errorf("Intermediate() = %v, want %s", err, diag.PKIPathLength)
	}
}

// OpenSSL takes a certificate whose subject is its issuer for a root.
func TestNothingIsNamedAsItsAuthority(t *testing.T) {
	t.Parallel()
	root := newAuthority(t, "root")
	issuer := intermediate(t, root)
	if _, err := root.Intermediate("root", time.Now()); !errors.Is(err, diag.PKIName) {
		t.Errorf("Intermediate() = %v, want %s", err, diag.PKIName)
	}
	for _, a := range []*pki.Authority{root, issuer} {
		if _, err := a.Issue(pki.Request{CommonName: "root", Usage: pki.Client}); !errors.Is(err, diag.PKIName) {
			t.Errorf("Issue() = %v, want %s", err, diag.PKIName)
		}
	}
}

func TestEveryKindOfKeySignsAndIsSigned(t *testing.T) {
	t.Parallel()
	for kind, want := range map[pki.KeyType]string{
		"": "P-256", pki.ECDSAP256: "P-256", pki.ECDSAP384: "P-384", pki.RSA3072: "RSA 3072", pki.RSA4096: "RSA 4096",
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			a, err := pki.NewAuthority("root", time.Now(), pki.WithKey(kind))
			if err != nil {
				t.Fatal(err)
			}
			c := issue(t, a, pki.Request{CommonName: "svc", Usage: pki.Client, Key: kind})
			for _, cert := range []*x509.Certificate{a.Root(), c.Chain()[0]} {
				got := ""
				switch key := cert.PublicKey.(type) {
				case *ecdsa.PublicKey:
					got = key.Curve.Params().Name
				case *rsa.PublicKey:
					got = fmt.Sprintf("RSA %d", key.N.BitLen())
				}
				if got != want {
					t.Errorf("%s has key %s, want %s", cert.Subject, got, want)
				}
			}
			if err := verify(c, a.Root(), x509.ExtKeyUsageClientAuth, time.Now()); err != nil {
				t.Error(err)
			}
			if _, err := pki.ParseAuthority(a.PEM(), a.KeyPEM()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestUnknownKindsOfKeyAreRefused(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "root")
	for _, kind := range []pki.KeyType{"rsa-2048", "ecdsa", "ed25519", "ECDSA-P256", "ecdsa-p256 "} {
		_, authority := pki.NewAuthority("CA", time.Now(), pki.WithKey(kind))
		_, below := a.Intermediate("CA", time.Now(), pki.WithKey(kind))
		_, leaf := a.Issue(pki.Request{CommonName: "svc", Usage: pki.Client, Key: kind})
		_, _, request := pki.NewSigningRequest("svc", kind)
		for _, err := range []error{authority, below, leaf, request} {
			if !errors.Is(err, diag.PKIKey) {
				t.Errorf("%s: %v, want %s", kind, err, diag.PKIKey)
			}
		}
	}
}

func TestAnAuthorityOutsideOfItsLifeSignsNothing(t *testing.T) {
	t.Parallel()
	now := time.Now()
	root, err := pki.NewAuthority("root", now, pki.WithLifetime(48*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := root.Intermediate("issuer", now.Add(time.Hour)) // would live ten years, ends with the root
	if err != nil {
		t.Fatal(err)
	}
	if !issuer.NotAfter().Equal(root.NotAfter()) {
		t.Errorf("the intermediate ends %v, the root %v", issuer.NotAfter(), root.NotAfter())
	}
	csr, _, err := pki.NewSigningRequest("svc", "")
	if err != nil {
		t.Fatal(err)
	}
	for name, at := range map[string]time.Time{
		"expired":              now.Add(48 * time.Hour),
		"not begun":            now.Add(-6 * time.Minute),
		"intermediate to come": now.Add(30 * time.Minute),
	} {
		req := pki.Request{CommonName: "svc", Usage: pki.Client, Now: at}
		_, issued := issuer.Issue(req)
		_, signed := issuer.Sign(csr, req)
		_, revoked := issuer.RevocationList(1, nil, at, at.Add(time.Hour))
		for call, err := range map[string]error{"Issue": issued, "Sign": signed, "RevocationList": revoked} {
			if !errors.Is(err, diag.PKIExpired) {
				t.Errorf("%s: %s() = %v, want %s", name, call, err, diag.PKIExpired)
			}
		}
	}
	if _, err := root.Intermediate("late", now.Add(72*time.Hour)); !errors.Is(err, diag.PKIExpired) {
		t.Errorf("an expired root made an intermediate: %v", err)
	}
}
