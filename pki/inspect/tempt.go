package inspect

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secure"
)

// errSeen ends a handshake whose server has answered.
var errSeen = errors.New("seen")

// An offer is what a client of former times proposes.
type offer struct {
	min, max uint16
	suites   []uint16
}

// tempt offers what a listener should refuse: versions before TLS 1.2, and under
// 1.2 suites without ECDHE or an AEAD.
func (l *look) tempt(ctx context.Context) {
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
		if s, _ := l.propose(ctx, offer{version, version, slices.Concat(good(), weak())}); s != nil {
			l.Old = append(l.Old, tls.VersionName(s.Version))
		}
	}
	rest := weak()
	for len(rest) > 0 && len(l.Weak) < 4 { // each answer takes one away; four are enough to make the point
		s, _ := l.propose(ctx, offer{tls.VersionTLS12, tls.VersionTLS12, rest})
		if s == nil {
			break
		}
		l.Weak = append(l.Weak, tls.CipherSuiteName(s.CipherSuite))
		rest = slices.DeleteFunc(rest, func(id uint16) bool { return id == s.CipherSuite })
	}
	if len(l.Old) > 0 {
		l.findings.Add(diag.New(diag.ListenerWeak, "%s takes %s", l.address, strings.Join(l.Old, " and ")))
	}
	if len(l.Weak) > 0 {
		l.findings.Add(diag.Warn(diag.ListenerWeak, "%s takes suites without forward secrecy or authenticated encryption", l.address).
			WithEvidence("such as %s", strings.Join(l.Weak, ", ")))
	}
}

// propose makes one offer and returns what the server answered with, if it did.
func (l *look) propose(ctx context.Context, o offer) (*tls.ConnectionState, error) {
	conn, err := l.dial(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	var seen *tls.ConnectionState
	c := secure.Client(nil)
	c.InsecureSkipVerify = true // nothing is sent; the handshake ends at the server's answer
	c.ServerName = l.Host
	c.MinVersion, c.MaxVersion, c.CipherSuites = o.min, o.max, o.suites
	c.VerifyConnection = func(s tls.ConnectionState) error {
		seen = &s
		return errSeen
	}
	err = tls.Client(conn, c).HandshakeContext(ctx)
	return seen, err
}

// good are the suites with ECDHE and an AEAD, weak all others before TLS 1.3.
func good() []uint16 { return suites(func(id uint16) bool { return strong(id) }) }
func weak() []uint16 { return suites(func(id uint16) bool { return !strong(id) }) }

func suites(want func(uint16) bool) []uint16 {
	var ids []uint16
	for _, s := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		if !slices.Contains(s.SupportedVersions, tls.VersionTLS13) && want(s.ID) {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

func strong(id uint16) bool {
	name := tls.CipherSuiteName(id)
	return strings.HasPrefix(name, "TLS_ECDHE_") && (strings.Contains(name, "_GCM_") || strings.Contains(name, "POLY1305"))
}

// again tries a listener that refused what Slipway's clients offer with all that
// clients ever offered, to tell what it wants.
func (l *look) again(ctx context.Context, refusal error, first []byte) error {
	s, err := l.propose(ctx, offer{tls.VersionTLS10, tls.VersionTLS12, slices.Concat(good(), weak())})
	switch {
	case s != nil:
		l.chain = s.PeerCertificates
		l.Version, l.Suite = tls.VersionName(s.Version), tls.CipherSuiteName(s.CipherSuite)
		l.Client = ClientNotAsked
		l.findings.Add(diag.New(diag.InspectHandshake, "%s refuses what current clients offer: %s", l.address, plainly(refusal)).
			WithEvidence("it takes %s with %s", l.Version, l.Suite))
		return nil
	case len(first) == 0 && l.plainKafka(ctx):
		return l.plaintext()
	case alertOf(refusal) != "":
		return l.alert(alertOf(refusal))
	case strings.Contains(refusal.Error(), "certificate from server"):
		return unparsed(refusal)
	case errors.Is(refusal, io.EOF), wasReset(refusal):
		return diag.New(diag.InspectHandshake, "%s takes the connection and closes it without a word, with TLS and with Kafka's protocol", l.address).
			WithFix("look into the log of what listens there: it may take connections from certain addresses only (a proxy, a service mesh), or be at its limit of them")
	}
	return diag.New(diag.InspectHandshake, "%s and this program do not agree: %s", l.address, plainly(errors.Join(refusal, err)))
}

// plainly is an error of a handshake in the words of the one who made it.
func plainly(err error) string {
	if alert := alertOf(err); alert != "" {
		return "it says " + alert
	}
	return strings.ReplaceAll(err.Error(), "\n", "; ")
}
