package secure

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/slipway-go/slipway/diag"
)

// A Handshake is what is known of a TLS handshake that failed.
type Handshake struct {
	Hello *tls.ClientHelloInfo // the client's greeting; nil at a client, and before one came
	State tls.ConnectionState  // as far as it got
	Roots *x509.CertPool       // what the side that refused trusts
	Now   time.Time            // zero means now
}

// Classify says why a handshake was refused: one code for one cause, whatever
// else is wrong besides. The standard library tells half of them apart by text
// only, and by none at all what the chain was refused for; so what it refused is
// looked at again here, and nothing that it refused is accepted.
func Classify(err error, h Handshake) diag.Diagnostic {
	if known := diag.Of(err); len(known) > 0 {
		return known[0]
	}
	if h.Now.IsZero() {
		h.Now = time.Now()
	}
	for _, rule := range []func(error, Handshake) (diag.Diagnostic, bool){
		byCertificate, byHost, byRecord, byAlert, byHello, byAbsence, byKey,
	} {
		if d, ok := rule(err, h); ok {
			return d.WithEvidence("%s", err)
		}
	}
	return diag.New(diag.TLSBroken, "the handshake came to no end").WithEvidence("%s", err)
}

// Revoked is the refusal of a certificate that a revocation list names since a
// time. A resumed session has its own code: there the list is all that stands
// between the certificate's holder and the service.
func Revoked(cert *x509.Certificate, since time.Time, resumed bool) diag.Diagnostic {
	if resumed {
		return diag.New(diag.TLSRevokedResumed, "the session of %s was resumed, and its certificate is revoked since %s", Describe(cert), instant(since))
	}
	return diag.New(diag.TLSRevoked, "the certificate %s is revoked since %s", Describe(cert), instant(since))
}

// byCertificate looks again at a chain that was refused.
func byCertificate(err error, h Handshake) (diag.Diagnostic, bool) {
	e, ok := errors.AsType[*tls.CertificateVerificationError](err)
	if !ok {
		return diag.Diagnostic{}, false
	}
	t := Trial{Roots: h.Roots, Usage: x509.ExtKeyUsageServerAuth, Now: h.Now}
	if h.Hello != nil {
		t.Usage = x509.ExtKeyUsageClientAuth
	}
	if host, ok := errors.AsType[x509.HostnameError](err); ok {
		t.Host = host.Host
	}
	if d, found := t.Fault(e.UnverifiedCertificates); found {
		return d, true
	}
	leaf := first(e.UnverifiedCertificates)
	if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); unknown { // to roots that are not at hand
		return diag.New(diag.TLSUnknownCA, "the certificate %s is of an authority that is not trusted here", Describe(leaf)), true
	}
	return diag.New(diag.TLSUnfit, "the certificate %s cannot be accepted", Describe(leaf)), true
}

func byHost(err error, _ Handshake) (diag.Diagnostic, bool) {
	e, ok := errors.AsType[x509.HostnameError](err)
	if !ok {
		return diag.Diagnostic{}, false
	}
	return wrongHost(e.Certificate, e.Host), true
}

func byRecord(err error, _ Handshake) (diag.Diagnostic, bool) {
	if _, ok := errors.AsType[tls.RecordHeaderError](err); !ok {
		return diag.Diagnostic{}, false
	}
	return diag.New(diag.TLSNotSpoken, "the other side sent something that is not TLS"), true
}

// byAlert knows what the other side said before it hung up. Alerts from it have
// no type, only text.
func byAlert(err error, h Handshake) (diag.Diagnostic, bool) {
	_, alert, ok := strings.Cut(err.Error(), "remote error: tls: ")
	if !ok {
		return diag.Diagnostic{}, false
	}
	if h.Hello != nil {
		return diag.New(diag.TLSPeerRefused, "the client does not accept this listener: %s", alert), true
	}
	return diag.New(Alert(alert), "the server refused the handshake: %s", alert), true
}

// Alert is the code for an alert that a server sent, in the words of crypto/tls.
// Where an alert can mean more than one thing the code is
// [diag.TLSPeerRefused].
func Alert(text string) diag.Code {
	for prefix, code := range map[string]diag.Code{
		"certificate required":           diag.TLSNoCertificate,
		"unknown certificate authority":  diag.TLSUnknownCA,
		"expired certificate":            diag.TLSExpired,
		"revoked certificate":            diag.TLSRevoked,
		"protocol version not supported": diag.TLSOldVersion,
		"insufficient security level":    diag.TLSNoCommonSuite,
		"unrecognized name":              diag.TLSNameNotServed,
	} {
		if strings.HasPrefix(text, prefix) {
			return code
		}
	}
	return diag.TLSPeerRefused
}

// byHello knows what a greeting lacks. It is asked only where no certificate
// came: what came after the greeting shows that it was good enough.
func byHello(_ error, h Handshake) (diag.Diagnostic, bool) {
	switch {
	case h.Hello == nil || len(h.State.PeerCertificates) > 0:
	case !slices.ContainsFunc(h.Hello.SupportedVersions, func(v uint16) bool { return v >= tls.VersionTLS12 && v <= tls.VersionTLS13 }):
		return diag.New(diag.TLSOldVersion, "the client offers %s", versions(h.Hello.SupportedVersions)), true
	case !slices.Contains(h.Hello.SupportedVersions, tls.VersionTLS13) && !slices.ContainsFunc(h.Hello.CipherSuites, spoken):
		return diag.New(diag.TLSNoCommonSuite, "the client offers only %s", suiteNames(h.Hello.CipherSuites)), true
	}
	return diag.Diagnostic{}, false
}

// byAbsence goes by the words of crypto/tls, for there is nothing else to go by.
func byAbsence(err error, h Handshake) (diag.Diagnostic, bool) {
	text := err.Error()
	switch {
	case h.Hello == nil:
	case strings.Contains(text, "didn't provide a certificate"):
		return diag.New(diag.TLSNoCertificate, "the client showed no certificate"), true
	case strings.Contains(text, "no certificates configured"):
		return diag.New(diag.TLSNameNotServed, "the client asked for %s, which this listener's certificate does not name", bounded(h.Hello.ServerName, maxTold)), true
	case strings.Contains(text, "no cipher suite supported"):
		return diag.New(diag.TLSNoCommonSuite, "the client offers %s, and none fits the key of this listener", suiteNames(h.Hello.CipherSuites)), true
	}
	return diag.Diagnostic{}, false
}

// byKey is about certificates that came and were good, but for the key.
func byKey(err error, h Handshake) (diag.Diagnostic, bool) {
	if len(h.State.PeerCertificates) == 0 || h.State.HandshakeComplete {
		return diag.Diagnostic{}, false
	}
	if d, found := weakKey(h.State.PeerCertificates); found {
		return d, true
	}
	if strings.Contains(err.Error(), "invalid signature by the") {
		return diag.New(diag.TLSUnfit, "whoever showed the certificate %s does not have its key", Describe(h.State.PeerCertificates[0])), true
	}
	return diag.Diagnostic{}, false
}

// How many offers of a greeting are told. The rest says nothing more.
const maxOffers = 6

func versions(all []uint16) string {
	if len(all) == 0 {
		return "no version of TLS"
	}
	return offered(all, tls.VersionName)
}

func suiteNames(all []uint16) string {
	if len(all) == 0 {
		return "no cipher suite"
	}
	return offered(all, tls.CipherSuiteName)
}

func offered(all []uint16, name func(uint16) string) string {
	var names []string
	for _, v := range all[:min(maxOffers, len(all))] {
		names = append(names, name(v))
	}
	text := strings.Join(names, ", ")
	if len(all) > maxOffers {
		text += " and more"
	}
	return text
}

func spoken(suite uint16) bool { return slices.Contains(suites(), suite) }
