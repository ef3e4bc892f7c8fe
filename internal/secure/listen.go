package secure

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"

	"github.com/slipway-go/slipway/diag"
)

// Material is what one handshake of a listener is made with.
type Material struct {
	// Certificate is what the listener shows.
	Certificate *tls.Certificate

	// Denied is asked last, of resumed sessions too, such as
	// [Denylist.Verify]; nil denies nobody.
	Denied func(tls.ConnectionState) error

	// Roots are what a client's certificate must lead to. Nil trusts nobody,
	// and never the authorities of the system, which vouch for anybody.
	Roots *x509.CertPool
}

// A Source says what a listener is made of at the moment. It is asked at the
// start of each handshake, and concurrently.
type Source func() (Material, error)

// Fixed is the source of what never changes.
func Fixed(m Material) Source { return func() (Material, error) { return m, nil } }

// Server returns the configuration of a listener that demands a certificate of
// every client. It follows its source: what that says at a handshake's start
// holds for that handshake.
//
// Go's own verification is the gate (RequireAndVerifyClientCert), and what is
// added here can only refuse: a bug in this package may turn away somebody, and
// let in nobody. [Classify] afterwards finds out why. The other way, to accept
// any certificate and verify in VerifyConnection, would name every cause as well,
// but make this package the only gate, and make each alert "bad certificate"
// where Go tells the client of an unknown authority or an expiry.
//
// Sessions can be resumed, by tickets whose keys the returned configuration
// makes, changes every day and shares with nobody; so it must not be cloned for
// each connection. Go looks again at a resumed session's chain: one that is over,
// or that leads to a root that has been dropped, gets a full handshake. And the
// source's Denied is asked.
//
// A client that asks for a host (SNI) that the certificate does not name is
// refused, before it would refuse us.
func Server(source Source) *tls.Config { return listening(source, tls.RequireAndVerifyClientCert) }

// PublicServer is [Server] for a listener that asks nobody for a certificate:
// its clients prove who they are inside the connection, by SCRAM or a password.
func PublicServer(source Source) *tls.Config { return listening(source, tls.NoClientCert) }

func listening(source Source, clients tls.ClientAuthType) *tls.Config {
	outer := server(clients)
	outer.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		m, err := source()
		if err == nil && (m.Certificate == nil || len(m.Certificate.Certificate) == 0) {
			err = errNoCertificate
		}
		if err != nil {
			return nil, &sourceError{err}
		}
		if w, ok := hello.Conn.(*watched); ok {
			w.hello, w.roots = hello, m.roots()
		}
		own := server(clients)
		own.ClientCAs = m.roots()
		if served(m.Certificate, hello.ServerName) {
			own.Certificates = []tls.Certificate{*m.Certificate}
		} // else there is none, for which Go's alert is unrecognized_name
		if clients != tls.NoClientCert {
			own.VerifyConnection = m.verify
		}
		return own, nil
	}
	return outer
}

// A sourceError is a handshake that failed because of us.
type sourceError struct{ err error }

func (e *sourceError) Error() string { return "the listener has nothing to show: " + e.err.Error() }
func (e *sourceError) Unwrap() error { return e.err }

var errNoCertificate = errors.New("there is no certificate")

// server is what all listeners share.
func server(clients tls.ClientAuthType) *tls.Config {
	return &tls.Config{
		MinVersion:   tls.VersionTLS12,
		CipherSuites: suites(),
		ClientAuth:   clients,
		ClientCAs:    x509.NewCertPool(),
	}
}

func (m Material) roots() *x509.CertPool {
	if m.Roots == nil {
		return x509.NewCertPool()
	}
	return m.Roots
}

// verify adds to Go's verification what it has no rule for. It runs in full and
// in resumed handshakes.
func (m Material) verify(state tls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 {
		return diag.New(diag.TLSNoCertificate, "the client showed no certificate")
	}
	if d, found := authorityAsLeaf(state.PeerCertificates); found {
		return d
	}
	if d, found := weakKey(state.PeerCertificates); found {
		return d
	}
	if m.Denied != nil {
		return m.Denied(state)
	}
	return nil
}

// served reports whether the certificate is for the host that a client asked
// for. Clients that dial an address ask for none.
func served(cert *tls.Certificate, host string) bool {
	if host == "" || net.ParseIP(host) != nil {
		return true
	}
	leaf := cert.Leaf
	if leaf == nil {
		var err error
		if leaf, err = x509.ParseCertificate(cert.Certificate[0]); err != nil {
			return false
		}
	}
	return leaf.VerifyHostname(host) == nil
}

// Shown returns the chain that is shown now, the own certificate first and nil if
// there is none, and what is trusted: what a refusal is to be explained with.
func (f *Files) Shown() ([]*x509.Certificate, *x509.CertPool) {
	now := f.now()
	return now.pair.chain, now.roots.pool
}
