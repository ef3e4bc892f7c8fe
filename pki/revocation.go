package pki

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/slipway-go/slipway/diag"
)

// Revoked is one certificate that is not to be accepted any more.
type Revoked struct {
	Serial *big.Int
	At     time.Time

	// Reason is a code of RFC 5280, section 5.3.1: 0 unspecified, 1 key
	// compromise, 2 CA compromise, 3 affiliation changed, 4 superseded,
	// 5 cessation of operation, 6 hold, 9 privilege withdrawn, 10 AA
	// compromise.
	Reason int
}

// RevocationList returns a signed list (RFC 5280 CRL) as PEM block X509 CRL.
// The number grows with each list of an authority; next is when the next one
// is out at the latest. Entries are ordered by serial number, whatever their
// order was. All faults of the list are reported at once.
func (a *Authority) RevocationList(number int64, list []Revoked, now, next time.Time) ([]byte, error) {
	err := errors.Join(a.checkValid(now), a.checkRevoker(), checkRevoked(number, list, now, next))
	if err != nil {
		return nil, fmt.Errorf("sign revocation list of %s: %w", a, err)
	}
	entries := make([]x509.RevocationListEntry, len(list))
	for i, r := range list {
		entries[i] = x509.RevocationListEntry{SerialNumber: r.Serial, RevocationTime: r.At.UTC(), ReasonCode: r.Reason}
	}
	slices.SortFunc(entries, func(x, y x509.RevocationListEntry) int { return x.SerialNumber.Cmp(y.SerialNumber) })
	template := &x509.RevocationList{
		Number:                    big.NewInt(number),
		ThisUpdate:                now.UTC(),
		NextUpdate:                next.UTC(),
		RevokedCertificateEntries: entries,
	}
	issuer := *a.chain[0]
	issuer.KeyUsage |= x509.KeyUsageCRLSign // CreateRevocationList takes an absent key usage for a refusal
	der, err := x509.CreateRevocationList(rand.Reader, template, &issuer, a.key)
	if err != nil {
		return nil, fmt.Errorf("sign revocation list of %s: %w", a, err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}), nil
}

// checkRevoker refuses an authority whose lists nobody could accept.
func (a *Authority) checkRevoker() error {
	switch issuer := a.chain[0]; {
	case issuer.KeyUsage != 0 && issuer.KeyUsage&x509.KeyUsageCRLSign == 0:
		return diag.New(diag.PKIIssuer, "%s may not sign revocation lists: its certificate has no cRLSign", a)
	case len(issuer.SubjectKeyId) == 0:
		return diag.New(diag.PKIIssuer, "%s cannot sign revocation lists: its certificate has no subject key identifier", a)
	}
	return nil
}

func checkRevoked(number int64, list []Revoked, now, next time.Time) error {
	var errs []error
	if number < 1 {
		errs = append(errs, diag.New(diag.PKIRevocation, "the list's number is %d, want 1 and more", number))
	}
	if !next.After(now) {
		errs = append(errs, diag.New(diag.PKIRevocation, "the next update, %s, is not after this one, %s", next.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339)))
	}
	seen := map[string]bool{}
	for i, r := range list {
		switch {
		case r.Serial == nil || r.Serial.Sign() <= 0:
			errs = append(errs, diag.New(diag.PKIRevocation, "entry %d has no serial number", i+1))
			continue
		case seen[r.Serial.String()]:
			errs = append(errs, diag.New(diag.PKIRevocation, "serial number %x is listed twice", r.Serial))
		case r.Reason < 0 || r.Reason > 10 || r.Reason == 7 || r.Reason == 8:
			errs = append(errs, diag.New(diag.PKIRevocation, "serial number %x has reason %d, which is none of a full list", r.Serial, r.Reason))
		case r.At.IsZero() || r.At.After(now):
			errs = append(errs, diag.New(diag.PKIRevocation, "serial number %x is revoked at %s, which is not in the past", r.Serial, r.At.UTC().Format(time.RFC3339)))
		}
		seen[r.Serial.String()] = true
	}
	return errors.Join(errs...)
}
