package auth

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secure"
)

// judgeCertificate knows what our own side holds against the broker's
// certificate.
func judgeCertificate(err error, a Attempt) (diag.Diagnostic, bool) {
	if e, ok := errors.AsType[x509.HostnameError](err); ok {
		return diag.New(diag.KafkaUntrusted, "the certificate of %s does not name %s", a.Bootstrap, e.Host).
			WithFix("dial the broker by a name in its certificate, or have the certificate name %s", e.Host), true
	}
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok && e.Reason == x509.Expired {
		d := diag.New(diag.KafkaUntrusted, "the certificate of %s has expired or is not yet valid", a.Bootstrap).
			WithFix("renew the broker's certificate, and check this machine's clock")
		return seen(d, err, a), true
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return seen(diag.New(diag.KafkaUntrusted, "the certificate of %s is signed by a CA that is not trusted here", a.Bootstrap), err, a), true
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return seen(diag.New(diag.KafkaUntrusted, "the certificate of %s cannot be verified", a.Bootstrap), err, a), true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return diag.New(diag.KafkaTLSMismatch, "%s does not speak TLS on this port", a.Bootstrap), true
	}
	return diag.Diagnostic{}, false
}

// seen adds which certificate of the broker's it was, and what of it.
func seen(d diag.Diagnostic, err error, a Attempt) diag.Diagnostic {
	e, ok := errors.AsType[*tls.CertificateVerificationError](err)
	if !ok || len(e.UnverifiedCertificates) == 0 {
		return d
	}
	t := secure.Trial{Roots: a.Roots, Usage: x509.ExtKeyUsageServerAuth, Now: a.now()}
	if fault, found := t.Fault(e.UnverifiedCertificates); found {
		return d.WithEvidence("%s (%s)", fault.Message, fault.Code)
	}
	return d
}

// judgeAlert knows the TLS alerts a broker sends about our certificate. The
// standard library gives alerts from the peer no type, only text. An alert says
// little, and Java's brokers say "unknown certificate" to most things; so the
// certificate that was shown is looked at here, where it lies.
func judgeAlert(err error, a Attempt) (diag.Diagnostic, bool) {
	_, alert, ok := strings.Cut(err.Error(), "remote error: tls: ")
	if !ok {
		return diag.Diagnostic{}, false
	}
	missing := strings.HasPrefix(alert, "certificate required")
	if !missing && !aboutUs(alert, a) {
		return diag.New(diag.KafkaTLSMismatch, "%s and this client cannot agree on TLS: %s", a.Bootstrap, alert).
			WithFix("allow the listener TLS 1.3, or 1.2 with a suite of ECDHE and AES-GCM or ChaCha20-Poly1305 (ssl.enabled.protocols, ssl.cipher.suites)"), true
	}
	if len(a.Own) > 0 {
		return judgeOwn(alert, missing, a), true
	}
	switch {
	case missing:
		return diag.New(diag.KafkaCertificate, "%s demands a client certificate and got none", a.Bootstrap), true
	case strings.HasPrefix(alert, "bad certificate"), strings.HasPrefix(alert, "handshake failure"):
		// What Java's brokers say of a missing one, and TLS 1.2 has no other word.
		return diag.New(diag.KafkaCertificate, "%s demands a client certificate it can accept", a.Bootstrap), true
	default:
		return diag.New(diag.KafkaCertificate, "%s refused the client certificate: %s", a.Bootstrap, alert), true
	}
}

// aboutUs reports whether an alert is, or may be, about the client's certificate.
// A "handshake failure" is if there is something to find fault with, or if there
// is none: so Go's listeners say under TLS 1.2 that they want one.
func aboutUs(alert string, a Attempt) bool {
	if strings.HasPrefix(alert, "handshake failure") {
		_, faulty := a.ownFault()
		return !a.sasl() && faulty
	}
	return strings.Contains(alert, "certificate") || strings.HasPrefix(alert, "access denied") || strings.HasPrefix(alert, "error decrypting")
}

// ownFault is what is wrong with the client's certificate by itself.
func (a Attempt) ownFault() (diag.Diagnostic, bool) {
	return secure.Trial{Usage: x509.ExtKeyUsageClientAuth, Now: a.now()}.Fault(a.Own)
}

// judgeOwn finds out what a broker may hold against the certificate that this
// client has. What is wrong by itself has the code of that fault; else it is
// between the certificate and the broker.
func judgeOwn(alert string, missing bool, a Attempt) diag.Diagnostic {
	leaf, whole := a.Own[0], a.Own[len(a.Own)-1]
	if fault, found := a.ownFault(); found {
		return diag.New(fault.Code, "%s refused the client certificate: %s", a.Bootstrap, fault.Message).WithFix("%s", fault.Remedy())
	}
	refused := func(why, fix string) diag.Diagnostic {
		return diag.New(diag.KafkaCertificate, "%s refused the client certificate %s: %s", a.Bootstrap, secure.Describe(leaf), why).WithFix("%s", fix)
	}
	if missing {
		return diag.New(diag.KafkaCertificate, "%s demands a client certificate of an authority it names, and %s is of %s, which is none of them", a.Bootstrap, secure.Describe(leaf), whole.Issuer).
			WithFix("use a certificate of an authority that the brokers trust, or add this one to their trust store")
	}
	_, stranger := secure.Trial{Usage: x509.ExtKeyUsageClientAuth, Roots: a.Roots, Now: a.now()}.Fault(a.Own)
	switch {
	case a.Roots != nil && stranger:
		return refused("no chain leads from it to the authorities that are trusted here, and most likely to none that the broker trusts",
			"put the intermediates behind the certificate into its file, or use one of the cluster's own authority")
	case strings.HasPrefix(alert, "unknown certificate authority"):
		return refused("the broker does not trust "+whole.Issuer.String(), "add that authority to the brokers' trust store, or use a certificate of one that is in it")
	case strings.HasPrefix(alert, "expired certificate"):
		return refused("the broker holds it for expired, and by the clock of this machine it is valid until "+leaf.NotAfter.UTC().Format(time.RFC3339), "compare the clocks of this machine and of the broker's")
	case strings.HasPrefix(alert, "revoked certificate"):
		return refused("it is revoked", "have a new certificate issued with a new key")
	case strings.HasPrefix(alert, "error decrypting"):
		return refused("the key that was used is not the certificate's", "deliver the certificate and its key together")
	}
	return refused(alert+"; by itself it is in order, so most likely the broker does not trust "+whole.Issuer.String(),
		"compare the brokers' trust store with that authority; the broker's log says why it refused")
}

func (a Attempt) now() time.Time { return cmp.Or(a.Now, time.Now()) }

// Leaves parses what tls.Certificates hold, the first pair's chain, for
// [Attempt.Own]. What does not parse is left out.
func Leaves(pairs []tls.Certificate) []*x509.Certificate {
	if len(pairs) == 0 {
		return nil
	}
	var chain []*x509.Certificate
	for der := range slices.Values(pairs[0].Certificate) {
		if cert, err := x509.ParseCertificate(der); err == nil {
			chain = append(chain, cert)
		}
	}
	return chain
}
