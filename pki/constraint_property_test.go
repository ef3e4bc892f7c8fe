package pki_test

import (
	"crypto/x509"
	"errors"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki"
)

// Whatever the constraints of root and intermediate: what is issued crypto/x509
// accepts, and what is refused for a constraint it refuses when it is signed in
// spite of that.
func TestConstraintsAreThoseOfCryptoX509(t *testing.T) {
	t.Parallel()
	host := rapid.SampledFrom([]string{"a", "a.b", "b", "c.b", "a.c.b", "ab", "x.ab", "invalid", "a.invalid", "A.B"})
	addr := rapid.SampledFrom(addresses("10.0.0.1", "10.1.0.1", "11.0.0.1", "::ffff:10.0.0.1", "fd00::1", "fd01::1", "::1"))
	network := rapid.SampledFrom(ranges("10.0.0.0/8", "10.1.0.0/16", "10.0.0.1/32", "fd00::/16", "::/0", "0.0.0.0/0", "8.0.0.0/6"))
	bounds := rapid.Custom(func(r *rapid.T) pki.Constraints {
		if rapid.Bool().Draw(r, "free") {
			return pki.Constraints{} // or hardly anything could be issued
		}
		return pki.Constraints{
			DNSDomains: rapid.SliceOfN(host, 0, 2).Draw(r, "domains"),
			IPRanges:   rapid.SliceOfN(network, 0, 2).Draw(r, "ranges"),
		}
	})
	issued, refused := 0, 0
	rapid.Check(t, func(r *rapid.T) {
		root, err := pki.NewAuthority("root", time.Now(), pki.WithConstraints(bounds.Draw(r, "root")))
		if err != nil {
			r.Fatal(err)
		}
		a, err := root.Intermediate("issuer", time.Now(), pki.WithConstraints(bounds.Draw(r, "issuer")))
		if errors.Is(err, diag.PKIConstraint) {
			return // wider than the root
		}
		if err != nil {
			r.Fatal(err)
		}
		hosts := rapid.SliceOfNDistinct(host, 1, 2, func(s string) byte { return s[0] | 0x20 }).Draw(r, "hosts")
		ips := rapid.SliceOfNDistinct(addr, 0, 2, netip.Addr.Unmap).Draw(r, "addresses")
		c, err := a.Issue(pki.Request{CommonName: "broker", Usage: pki.Peer, DNSNames: hosts, IPs: ips})
		if err == nil {
			issued++
			if err := verify(c, root.Root(), x509.ExtKeyUsageServerAuth, time.Now()); err != nil {
				r.Errorf("issued, and refused by crypto/x509: %v", err)
			}
			return
		}
		if !errors.Is(err, diag.PKIConstraint) {
			r.Fatal(err)
		}
		refused++
		roots, between := x509.NewCertPool(), x509.NewCertPool()
		roots.AddCert(root.Root())
		between.AddCert(a.Chain()[0])
		if _, err := forge(t, a, "broker", hosts, ips).Verify(x509.VerifyOptions{Roots: roots, Intermediates: between}); err == nil {
			r.Error("refused, and accepted by crypto/x509")
		}
	})
	t.Logf("%d issued, %d refused", issued, refused)
	if !testing.Short() && (issued == 0 || refused == 0) { // few checks when short
		t.Error("only one of the two was tried")
	}
}
