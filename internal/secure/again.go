package secure

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
)

// Again fails if the client of a connection that a [Server] has accepted would
// not be accepted now: its certificate has ended or was revoked since, or leads
// to an authority that has been dropped. Connections live on when that happens;
// whoever lets a client do something over one that is kept open asks again.
func (m Material) Again(state tls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("the client showed no certificate")
	}
	between := x509.NewCertPool()
	for _, cert := range state.PeerCertificates[1:] {
		between.AddCert(cert)
	}
	chains, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{
		Roots: m.roots(), Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return err
	}
	state.VerifiedChains, state.DidResume = chains, false
	return m.verify(state)
}
