package auth

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secure"
)

// An Attempt is what was tried when a connection failed. The same error means
// different things with and without TLS or a login.
type Attempt struct {
	Bootstrap string        // the addresses dialled
	Auth      contract.Auth // the mechanism; empty or mtls means no SASL
	User      string        // empty without SASL
	TLS       bool

	Own   []*x509.Certificate // what this client shows, its own first; nil if it shows none
	Roots *x509.CertPool      // whom it trusts; nil leaves that out of account
	Now   time.Time           // zero means now
}

// A HandshakeError is what a dialer returns when the connection was opened and
// the TLS handshake over it failed.
type HandshakeError = secure.HandshakeError

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
