package secure

import (
	"crypto/tls"
	"crypto/x509"
)

// suites are what is offered and taken under TLS 1.2. Those of 1.3 are not
// configurable, and all good.
func suites() []uint16 {
	return []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
		tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	}
}

// Client returns the configuration of a client that trusts roots, or what the
// system trusts if roots is nil, and shows the certificates. The caller owns it
// and may set ServerName; without it, whoever dials must.
func Client(roots *x509.CertPool, certificates ...tls.Certificate) *tls.Config {
	return &tls.Config{
		MinVersion:   tls.VersionTLS12,
		CipherSuites: suites(),
		RootCAs:      roots,
		Certificates: certificates,
	}
}
