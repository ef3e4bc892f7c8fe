package secure

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Serial is a certificate's serial number as everything here writes it: in
// lower-case hexadecimal.
func Serial(c *x509.Certificate) string { return c.SerialNumber.Text(16) }

// A Denylist is revocation lists, at most one for each issuer's key. The nil
// list denies nothing. It is safe for concurrent use.
//
// A list counts for the certificates of whoever signed it. Its issuer may be an
// intermediate that no file of ours holds; then its signature is checked when
// the issuer stands in a verified chain, before it is asked. A list that turns
// out not to be its issuer's denies nothing, is told by [Denylist.Lists], and
// leaves the one before it in force if there was one.
type Denylist struct{ lists []*list }

// A list is one issuer's.
type list struct {
	crl    *x509.RevocationList
	denied map[string]time.Time // since when, by serial number
	former *list                // the issuer's list before, until this one is proven; may be nil

	proven, forged atomic.Bool
	signed         sync.Map // the keys of issuers (string) to whether they signed it
}

// ParseDenylist reads PEM blocks "X509 CRL". A list whose issuer is among
// issuers must carry its signature. Everything that is there must be in order:
// one list that cannot be used refuses them all.
func ParseDenylist(data []byte, issuers []*x509.Certificate) (*Denylist, error) {
	d := new(Denylist)
	for n := 1; ; n++ {
		block, rest := pem.Decode(data)
		if block == nil {
			break
		}
		data = rest
		if block.Type != "X509 CRL" {
			return nil, fmt.Errorf("PEM block %d is %q, want X509 CRL", n, block.Type)
		}
		l, err := parseList(block.Bytes, issuers)
		if err != nil {
			return nil, fmt.Errorf("revocation list %d: %w", n, err)
		}
		if slices.ContainsFunc(d.lists, l.sameIssuer) {
			return nil, fmt.Errorf("revocation list %d: a second one of %q", n, l.crl.Issuer)
		}
		d.lists = append(d.lists, l)
	}
	switch {
	case begins(data) > 0:
		return nil, errors.New("the last revocation list is cut off or damaged")
	case len(d.lists) == 0:
		return nil, errors.New("there is no revocation list in it")
	}
	return d, nil
}

func parseList(der []byte, issuers []*x509.Certificate) (*list, error) {
	crl, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, err
	}
	for _, e := range crl.Extensions {
		if e.Critical { // a delta, or one of certificates that others have issued: it means less than it seems to
			return nil, fmt.Errorf("extension %s is critical and not known", e.Id)
		}
	}
	l := &list{crl: crl, denied: make(map[string]time.Time, len(crl.RevokedCertificateEntries))}
	for _, entry := range crl.RevokedCertificateEntries {
		if slices.ContainsFunc(entry.Extensions, critical) {
			return nil, fmt.Errorf("the entry of %s has a critical extension that is not known", entry.SerialNumber.Text(16))
		}
		l.denied[key(entry.SerialNumber)] = entry.RevocationTime
	}
	// What is known of each entry twice over would be held for good.
	crl.RevokedCertificateEntries, crl.RevokedCertificates = nil, nil //nolint:staticcheck // x509 fills both
	candidates := 0
	for _, issuer := range issuers {
		if l.issuedBy(issuer) {
			if candidates++; l.signedBy(issuer) {
				return l, nil
			}
		}
	}
	if candidates > 0 {
		return nil, fmt.Errorf("it is not signed by %q", crl.Issuer)
	}
	return l, nil
}

// Verify fails with [diag.TLSRevoked], or [diag.TLSRevokedResumed], if the other
// side of a connection shows a certificate that is denied. It is for tls.Config's
// VerifyConnection, which resumed sessions pass too.
func (d *Denylist) Verify(state tls.ConnectionState) error {
	if d == nil || len(state.PeerCertificates) == 0 {
		return nil
	}
	if len(state.VerifiedChains) == 0 {
		return errors.New("ask the revocation lists: the chain was not verified")
	}
	return d.verifyChains(state.VerifiedChains, state.DidResume)
}

// verifyChains fails if every one of a certificate's verified chains holds one
// that is denied.
func (d *Denylist) verifyChains(chains [][]*x509.Certificate, resumed bool) (err error) {
	for _, chain := range chains {
		cert, since := d.revoked(chain)
		if cert == nil {
			return nil
		}
		err = Revoked(cert, since, resumed)
	}
	return err
}

// revoked returns what is denied of a chain, and since when, or nil.
func (d *Denylist) revoked(chain []*x509.Certificate) (*x509.Certificate, time.Time) {
	for i, cert := range chain[:max(0, len(chain)-1)] {
		for _, l := range d.lists {
			if l = l.of(chain[i+1]); l == nil {
				continue
			}
			if since, denied := l.denied[key(cert.SerialNumber)]; denied {
				return cert, since
			}
		}
	}
	return nil, time.Time{}
}

// of returns the list, or the one before it, if an issuer has signed it.
func (l *list) of(issuer *x509.Certificate) *list {
	for ; l != nil; l = l.former {
		if !l.issuedBy(issuer) {
			continue
		}
		if l.signedBy(issuer) {
			return l
		}
		l.forged.Store(true)
	}
	return nil
}

// issuedBy reports whether a list says that it is an issuer's.
func (l *list) issuedBy(issuer *x509.Certificate) bool {
	if string(l.crl.RawIssuer) != string(issuer.RawSubject) {
		return false
	}
	a, b := l.crl.AuthorityKeyId, issuer.SubjectKeyId
	return len(a) == 0 || len(b) == 0 || string(a) == string(b)
}

// signedBy reports whether it is. A signature is checked once for each key.
func (l *list) signedBy(issuer *x509.Certificate) bool {
	name := string(issuer.RawSubjectPublicKeyInfo)
	if known, ok := l.signed.Load(name); ok {
		return known.(bool)
	}
	ok := l.crl.CheckSignatureFrom(issuer) == nil
	l.signed.Store(name, ok)
	if ok {
		l.proven.Store(true)
	}
	return ok
}

func (l *list) sameIssuer(o *list) bool {
	return string(l.crl.RawIssuer) == string(o.crl.RawIssuer) && string(l.crl.AuthorityKeyId) == string(o.crl.AuthorityKeyId)
}

// newer fails if a list is an earlier one of the same issuer than what is in
// force: a deployment that was taken back would allow again what is denied. A list
// with a lower number that was signed later is a restored authority's.
func (d *Denylist) newer(before *Denylist) error {
	if before == nil {
		return nil
	}
	for _, l := range d.lists {
		i := slices.IndexFunc(before.lists, l.sameIssuer)
		if i < 0 || !before.lists[i].proven.Load() || l.crl.Number == nil {
			continue
		}
		if was := before.lists[i].crl; was.Number != nil && l.crl.Number.Cmp(was.Number) < 0 && l.crl.ThisUpdate.Before(was.ThisUpdate) {
			return fmt.Errorf("list %d of %q is older than list %d, which is in use", l.crl.Number, l.crl.Issuer, was.Number)
		}
	}
	return nil
}

// after has lists that are not proven yet keep the ones before them.
func (d *Denylist) after(before *Denylist) *Denylist {
	if before == nil {
		return d
	}
	for _, l := range d.lists {
		i := slices.IndexFunc(before.lists, l.sameIssuer)
		if i < 0 || l.proven.Load() {
			continue
		}
		if l.former = before.lists[i]; !l.former.proven.Load() && l.former.former != nil {
			l.former = l.former.former
		}
	}
	return d
}

// A ListStatus is what there is to know of one revocation list.
type ListStatus struct {
	Issuer     string
	Number     string // of the list, in decimal; empty if it has none
	Revoked    int    // certificates
	NextUpdate time.Time
	Proven     bool // its issuer was seen and has signed it
	Forged     bool // its issuer was seen and has not signed it
}

// Overdue reports whether a newer list should have been there by now.
func (s ListStatus) Overdue(now time.Time) bool {
	return !s.NextUpdate.IsZero() && now.After(s.NextUpdate)
}

// Lists returns what there is to know of the lists.
func (d *Denylist) Lists() []ListStatus {
	if d == nil {
		return nil
	}
	all := make([]ListStatus, len(d.lists))
	for i, l := range d.lists {
		all[i] = ListStatus{
			Issuer: l.crl.Issuer.String(), Revoked: len(l.denied), NextUpdate: l.crl.NextUpdate,
			Proven: l.proven.Load(), Forged: l.forged.Load() && !l.proven.Load(),
		}
		if l.crl.Number != nil {
			all[i].Number = l.crl.Number.String()
		}
	}
	return all
}

func key(serial *big.Int) string { return string(serial.Bytes()) }

func critical(e pkix.Extension) bool { return e.Critical }
