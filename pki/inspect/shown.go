package inspect

import (
	"bytes"
	"crypto/x509"
	"slices"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki"
)

// ownFaults says what is wrong with the certificate that was shown, for alerts
// seldom do.
func (l *look) ownFaults() (faults []string) {
	if l.Certificate == nil || len(l.Certificate.Certificate) == 0 {
		return []string{"none was shown"}
	}
	var chain []*x509.Certificate
	known := len(l.issuers) == 0
	for _, der := range l.Certificate.Certificate {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return []string{"the one that was shown cannot be read"}
		}
		chain = append(chain, c)
		known = known || slices.ContainsFunc(l.issuers, func(name []byte) bool { return bytes.Equal(name, c.RawIssuer) })
	}
	if !known {
		faults = append(faults, "the one that was shown is of "+chain[len(chain)-1].Issuer.String()+", which is none of them")
	}
	for _, d := range Judge(chain, Config{Roots: l.Roots, Lists: l.Lists, Usage: pki.Client, Now: l.Now}).Findings {
		if d.Severity == diag.Error {
			faults = append(faults, "the one that was shown: "+d.Error())
		}
	}
	return faults
}
