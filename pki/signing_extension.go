package pki

import (
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"slices"

	"github.com/slipway-go/slipway/diag"
)

// The extensions of a signing request that are looked at.
var (
	oidKeyUsage         = asn1.ObjectIdentifier{2, 5, 29, 15}
	oidAlternativeNames = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidBasicConstraints = asn1.ObjectIdentifier{2, 5, 29, 19}
	oidExtendedKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 37}

	extendedUsages = map[x509.ExtKeyUsage]struct {
		oid  asn1.ObjectIdentifier
		name string
	}{
		x509.ExtKeyUsageServerAuth: {asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 1}, "serverAuth"},
		x509.ExtKeyUsageClientAuth: {asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 2}, "clientAuth"},
	}
)

func usageName(u x509.ExtKeyUsage) string { return extendedUsages[u].name }

// Bits of the key usage extension, from the left.
const (
	bitDigitalSignature = 0
	bitCertSign         = 5
	bitCRLSign          = 6
)

// checkAuthority refuses a request for a certificate that could issue others.
// An extension that cannot be read is refused with it: it could be one.
func (r *SigningRequest) checkAuthority() error {
	for _, ext := range r.csr.Extensions {
		switch {
		case ext.Id.Equal(oidBasicConstraints):
			var c struct {
				IsCA       bool `asn1:"optional"`
				MaxPathLen int  `asn1:"optional,default:-1"`
			}
			if !unmarshal(ext.Value, &c) || c.IsCA {
				return diag.New(diag.PKIRequestAuthority, "%s asks for CA:TRUE", r)
			}
		case ext.Id.Equal(oidKeyUsage):
			var bits asn1.BitString
			if !unmarshal(ext.Value, &bits) || bits.At(bitCertSign)+bits.At(bitCRLSign) > 0 {
				return diag.New(diag.PKIRequestAuthority, "%s asks for a key that signs certificates or revocation lists", r)
			}
		}
	}
	return nil
}

// checkUsage refuses a request for an extended key usage that is not granted.
func (r *SigningRequest) checkUsage(granted Usage) error {
	for _, ext := range r.csr.Extensions {
		if !ext.Id.Equal(oidExtendedKeyUsage) {
			continue
		}
		var asked []asn1.ObjectIdentifier
		if !unmarshal(ext.Value, &asked) {
			return diag.New(diag.PKIRequest, "%s has an extended key usage that is damaged", r)
		}
		for _, oid := range asked {
			if !slices.ContainsFunc(granted.extended(), func(u x509.ExtKeyUsage) bool { return extendedUsages[u].oid.Equal(oid) }) {
				return diag.New(diag.PKIRequestUsage, "%s asks for the extended key usage %s, which is not granted", r, describe(oid))
			}
		}
	}
	return nil
}

func describe(oid asn1.ObjectIdentifier) string {
	for _, u := range extendedUsages {
		if u.oid.Equal(oid) {
			return u.name
		}
	}
	return oid.String()
}

// extensions are those that the request asks for and no leaf has.
func (r *SigningRequest) extensions() []string {
	var out []string
	for _, ext := range r.csr.Extensions {
		switch {
		case ext.Id.Equal(oidAlternativeNames), ext.Id.Equal(oidBasicConstraints), ext.Id.Equal(oidExtendedKeyUsage):
		case ext.Id.Equal(oidKeyUsage):
			var bits asn1.BitString
			unmarshal(ext.Value, &bits)
			for i := range bits.BitLength {
				if i != bitDigitalSignature && bits.At(i) > 0 {
					out = append(out, fmt.Sprintf("key usage bit %d", i))
				}
			}
		default:
			out = append(out, "extension "+ext.Id.String())
		}
	}
	return out
}
