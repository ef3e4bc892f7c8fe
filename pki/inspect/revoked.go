package inspect

import (
	"bytes"
	"crypto/x509"

	"github.com/slipway-go/slipway/diag"
)

// revoked asks the lists of the authorities on the path.
func (j *judgement) revoked() {
	all := j.Path
	if j.Leaf == nil {
		all = j.Others
	}
	for _, c := range all {
		if selfIssued(c) {
			continue
		}
		issuer := j.issuerOf(c)
		for _, list := range j.Lists {
			if bytes.Equal(c.RawIssuer, list.RawIssuer) {
				j.listed(c, issuer, list)
			}
		}
	}
}

func (j *judgement) listed(c, issuer *x509.Certificate, list *x509.RevocationList) {
	switch {
	case issuer == nil:
		j.add(diag.Warn(diag.CertRevoked, "whether %s is revoked cannot be told: the certificate that signed the list of %s is not there", Title(c), list.Issuer))
		return
	case list.CheckSignatureFrom(issuer) != nil:
		j.add(diag.Warn(diag.CertRevoked, "whether %s is revoked cannot be told: the list is not signed by %s", Title(c), Title(issuer)))
		return
	}
	for _, entry := range list.RevokedCertificateEntries {
		if entry.SerialNumber.Cmp(c.SerialNumber) == 0 {
			j.Trusted = false
			j.add(diag.New(diag.CertRevoked, "%s is revoked since %s", Title(c), day(entry.RevocationTime)).WithEvidence("serial number %x", c.SerialNumber))
		}
	}
	if !list.NextUpdate.IsZero() && j.Now.After(list.NextUpdate) {
		j.add(diag.Warn(diag.CertRevoked, "the revocation list of %s is overdue since %s", Title(issuer), day(list.NextUpdate)))
	}
}

// issuerOf is the certificate that signed one of the path, if it is there.
func (j *judgement) issuerOf(c *x509.Certificate) *x509.Certificate {
	for _, all := range [][]*x509.Certificate{j.Path, j.Others, j.Roots} {
		for _, candidate := range all {
			if !candidate.Equal(c) && signedBy(c, candidate) {
				return candidate
			}
		}
	}
	return nil
}
