package inspect

import (
	"crypto/tls"
	"time"
)

// How a listener treats clients without a certificate.
const (
	ClientNotAsked = "not asked for"
	ClientAsked    = "asked for"
	ClientRequired = "required"
)

// A Connection is how a listener speaks TLS.
type Connection struct {
	Address string // that was connected to
	Version string // of TLS, as it was agreed
	Suite   string // as it was agreed

	// Kafka says that ApiVersions was answered, which a broker does before any
	// login, under SSL and under SASL_SSL.
	Kafka bool

	// Client is one of ClientNotAsked, ClientAsked, ClientRequired. Authorities
	// are the names of those whose client certificates are taken; none means
	// that the listener does not say.
	Client      string
	Authorities []string

	// Accepted says that the client certificate that was shown is taken.
	Accepted bool

	// Resumes says that the listener offers to resume sessions.
	Resumes bool

	// Old are versions before TLS 1.2 that it takes, Weak suites without ECDHE
	// or an AEAD.
	Old  []string
	Weak []string
}

// A LookConfig says how to connect to a listener and what to hold its
// certificate against.
type LookConfig struct {
	Config

	// Certificate is shown if the listener asks for one. Nil means none.
	Certificate *tls.Certificate

	// Timeout bounds each connection.
	//
	// Defaults to 10 seconds.
	Timeout time.Duration
}

const usualTimeout = 10 * time.Second
