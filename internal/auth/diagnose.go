package auth

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// An Attempt is what was tried when a connection failed. The same error means
// different things with and without TLS or a login.
type Attempt struct {
	Bootstrap string        // the addresses dialled
	Auth      contract.Auth // the mechanism; empty or mtls means no SASL
	User      string        // empty without SASL
	TLS       bool
}

// A HandshakeError is what a dialer returns when the connection was opened and
// the TLS handshake over it failed.
type HandshakeError struct{ Err error }

// Error tells that it was the handshake.
func (e *HandshakeError) Error() string { return "TLS handshake: " + e.Err.Error() }

// Unwrap returns what went wrong.
func (e *HandshakeError) Unwrap() error { return e.Err }

// Diagnose says what a failed connection or request means. An error that
// carries a diagnostic already keeps it. The error's own text becomes evidence.
func Diagnose(err error, a Attempt) diag.Diagnostic {
	if known := diag.Of(err); len(known) > 0 {
		return known[0]
	}
	return diagnose(err, a).WithEvidence("%s", err)
}

func diagnose(err error, a Attempt) diag.Diagnostic {
	judges := []func(error, Attempt) (diag.Diagnostic, bool){
		judgeAnswer, judgeCertificate, judgeAlert, judgeHandshake, judgeHangup, judgeNetwork,
	}
	for _, judge := range judges {
		if d, ok := judge(err, a); ok {
			return d
		}
	}
	return diag.New(diag.KafkaRefused, "talking to %s failed", a.Bootstrap)
}

// judgeAnswer knows the errors that the broker states in Kafka's own terms.
func judgeAnswer(err error, a Attempt) (diag.Diagnostic, bool) {
	switch {
	case errors.Is(err, kerr.SaslAuthenticationFailed):
		return diag.New(diag.KafkaLogin, "%s refused the login of %s", a.Bootstrap, a.who()), true
	case errors.Is(err, kerr.UnsupportedSaslMechanism):
		return diag.New(diag.KafkaMechanism, "%s does not offer %s", a.Bootstrap, a.mechanism()), true
	case errors.Is(err, kerr.IllegalSaslState):
		return diag.New(diag.KafkaLoginMissing, "%s expects no %s login at this point", a.Bootstrap, a.mechanism()), true
	}
	if e, ok := errors.AsType[*kerr.Error](err); ok {
		if strings.HasSuffix(e.Message, "_AUTHORIZATION_FAILED") {
			return diag.New(diag.KafkaDenied, "%s does not allow it to %s", a.Bootstrap, a.who()), true
		}
		return diag.New(diag.KafkaRefused, "%s answered %s", a.Bootstrap, e.Message), true
	}
	return diag.Diagnostic{}, false
}

// judgeCertificate knows what our own side holds against the broker's
// certificate.
func judgeCertificate(err error, a Attempt) (diag.Diagnostic, bool) {
	if e, ok := errors.AsType[x509.HostnameError](err); ok {
		return diag.New(diag.KafkaUntrusted, "the certificate of %s does not name %s", a.Bootstrap, e.Host).
			WithFix("dial the broker by a name in its certificate, or have the certificate name %s", e.Host), true
	}
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok && e.Reason == x509.Expired {
		return diag.New(diag.KafkaUntrusted, "the certificate of %s has expired or is not yet valid", a.Bootstrap).
			WithFix("renew the broker's certificate, and check this machine's clock"), true
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return diag.New(diag.KafkaUntrusted, "the certificate of %s is signed by a CA that is not trusted here", a.Bootstrap), true
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return diag.New(diag.KafkaUntrusted, "the certificate of %s cannot be verified", a.Bootstrap), true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return diag.New(diag.KafkaTLSMismatch, "%s does not speak TLS on this port", a.Bootstrap), true
	}
	return diag.Diagnostic{}, false
}

// judgeAlert knows the TLS alerts a broker sends about our certificate. The
// standard library gives alerts from the peer no type, only text.
func judgeAlert(err error, a Attempt) (diag.Diagnostic, bool) {
	_, alert, ok := strings.Cut(err.Error(), "remote error: tls: ")
	if !ok {
		return diag.Diagnostic{}, false
	}
	switch {
	case strings.HasPrefix(alert, "certificate required"):
		return diag.New(diag.KafkaCertificate, "%s demands a client certificate and got none", a.Bootstrap), true
	case strings.HasPrefix(alert, "bad certificate") && a.Auth != contract.MTLS:
		// TLS 1.2 has no word of its own for a missing certificate.
		return diag.New(diag.KafkaCertificate, "%s demands a client certificate it can accept", a.Bootstrap), true
	case strings.Contains(alert, "certificate"):
		return diag.New(diag.KafkaCertificate, "%s refused the client certificate: %s", a.Bootstrap, alert), true
	default:
		return diag.New(diag.KafkaTLSMismatch, "%s and this client cannot agree on TLS: %s", a.Bootstrap, alert), true
	}
}

// judgeHandshake knows what a plaintext listener makes of a TLS greeting: it
// takes it for the length of a request, and hangs up or waits for the rest.
func judgeHandshake(err error, a Attempt) (diag.Diagnostic, bool) {
	_, ours := errors.AsType[*HandshakeError](err)
	dialled := a.TLS && strings.Contains(err.Error(), "immediately after a dial") && errors.Is(err, io.EOF)
	if !ours && !dialled {
		return diag.Diagnostic{}, false
	}
	return diag.New(diag.KafkaTLSMismatch, "%s does not answer to TLS on this port", a.Bootstrap), true
}

// judgeHangup reads what it means that the broker closed the connection
// without a word. Which request it was in reply to tells TLS from SASL.
func judgeHangup(err error, a Attempt) (diag.Diagnostic, bool) {
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return diag.Diagnostic{}, false
	}
	switch {
	case !a.TLS && strings.Contains(err.Error(), "api versions negotiation"):
		return diag.New(diag.KafkaTLSMismatch, "%s closed a connection without TLS at once", a.Bootstrap), true
	case a.sasl():
		return diag.New(diag.KafkaLogin, "%s closed the connection during the login of %s", a.Bootstrap, a.who()), true
	default:
		return diag.New(diag.KafkaLoginMissing, "%s closed the connection of a client without a login", a.Bootstrap), true
	}
}

func judgeNetwork(err error, a Attempt) (diag.Diagnostic, bool) {
	timeout := errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
	op, isOp := errors.AsType[*net.OpError](err)
	_, isDNS := errors.AsType[*net.DNSError](err)
	switch {
	case timeout || isOp && op.Timeout():
		return diag.New(diag.KafkaTimeout, "%s does not answer", a.Bootstrap), true
	case isDNS:
		return diag.New(diag.KafkaUnreachable, "the name of %s does not resolve", a.Bootstrap), true
	case isOp && op.Op == "dial":
		return diag.New(diag.KafkaUnreachable, "nothing answers at %s", a.Bootstrap), true
	case isOp:
		return diag.New(diag.KafkaUnreachable, "the connection to %s broke", a.Bootstrap), true
	}
	return diag.Diagnostic{}, false
}

func (a Attempt) sasl() bool { return a.Auth != "" && a.Auth != contract.MTLS }

func (a Attempt) who() string { return cmp.Or(a.User, "this client") }

func (a Attempt) mechanism() string { return strings.ToUpper(string(a.Auth)) }
