package inspect

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secure"
)

// Look connects to a listener, HOST:PORT, and says how it speaks TLS, what it
// shows and what is wrong with it. The error tells why there is nothing to say:
// the name does not resolve, nothing listens, no answer, no TLS. It writes
// nothing but a question that every broker answers.
func Look(ctx context.Context, address string, cfg LookConfig) (Report, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return Report{}, diag.New(diag.InspectName, "%q is not HOST:PORT", address).WithFix("write it like kafka-0.example.com:9093, and an IPv6 address like [::1]:9093")
	}
	cfg.Host = cmp.Or(cfg.Host, host)
	cfg.Timeout = cmp.Or(cfg.Timeout, usualTimeout)
	cfg.listener = true
	l := &look{LookConfig: cfg, address: address}
	if err := l.greet(ctx); err != nil {
		return Report{}, err
	}
	l.tempt(ctx)
	report := Judge(l.chain, cfg.Config)
	report.Connection = &l.Connection
	report.Findings = append(l.findings, report.Findings...)
	report.Findings = graveFirst(append(report.Findings, l.peers(report.Leaf)...))
	if givenUp(ctx) {
		return Report{}, context.Cause(ctx)
	}
	return report, nil
}

// A look is one under way.
type look struct {
	LookConfig
	Connection
	address  string
	chain    []*x509.Certificate
	asked    bool     // for a client certificate
	issuers  [][]byte // of client certificates that are taken
	findings diag.List
}

// greet speaks as Slipway's clients do, but for trusting anybody.
func (l *look) greet(ctx context.Context) error {
	conn, err := l.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	l.Connection.Address = conn.RemoteAddr().String()
	heard := &recorder{Conn: conn}
	client := tls.Client(heard, l.config())
	err = client.HandshakeContext(ctx)
	if err == nil {
		// What was refused under TLS 1.3 is told only now. Who does not know the
		// question may wait for more of it.
		if err = conn.SetDeadline(earlier(l.deadline(ctx), time.Now().Add(patience))); err == nil {
			l.Kafka, err = askKafka(client)
		}
	}
	alert := alertOf(err)
	switch {
	case len(l.chain) > 0:
		l.settle(alert)
		return nil
	case givenUp(ctx):
		return context.Cause(ctx)
	case alert != "" || errors.Is(err, io.EOF) || wasReset(err) || oursToRefuse(err):
		return l.again(ctx, err, heard.first)
	}
	return l.unspoken(ctx, err, heard.first)
}

// config is that of Slipway's clients. The chain is read before it is verified
// by hand: otherwise the first fault would hide the others and the chain.
func (l *look) config() *tls.Config {
	c := secure.Client(nil)
	c.InsecureSkipVerify = true // Judge verifies, and tells each fault; nothing is trusted with data
	c.ServerName = l.Host
	c.ClientSessionCache = noted{l}
	c.GetClientCertificate = func(r *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		l.asked = true
		for _, raw := range r.AcceptableCAs {
			l.issuers, l.Authorities = append(l.issuers, raw), append(l.Authorities, distinguished(raw))
		}
		if l.Certificate == nil {
			return &tls.Certificate{}, nil
		}
		return l.Certificate, nil
	}
	c.VerifyConnection = func(s tls.ConnectionState) error {
		l.chain = s.PeerCertificates
		l.Version, l.Suite = tls.VersionName(s.Version), tls.CipherSuiteName(s.CipherSuite)
		return nil
	}
	return c
}

// noted is a cache that keeps no session, and notes that one was offered.
type noted struct{ l *look }

func (noted) Get(string) (*tls.ClientSessionState, bool) { return nil, false }

func (n noted) Put(_ string, s *tls.ClientSessionState) { n.l.Resumes = n.l.Resumes || s != nil }

func distinguished(raw []byte) string {
	var rdns pkix.RDNSequence
	if rest, err := asn1.Unmarshal(raw, &rdns); err != nil || len(rest) > 0 {
		return "a name that cannot be read"
	}
	return rdns.String()
}

// settle judges what became of the client's side once the chain was there.
func (l *look) settle(alert string) {
	switch {
	case !l.asked:
		l.Client = ClientNotAsked
	case alert == "":
		l.Client, l.Accepted = ClientAsked, l.Certificate != nil
	default:
		l.Client = ClientRequired
	}
	switch {
	case alert == "":
	case l.asked && l.Certificate == nil && aboutCertificates(alert):
	default:
		l.findings.Add(l.alert(alert))
	}
}

// aboutCertificates takes the alerts that servers send to a client that shows no
// certificate. Java's are bad certificate and handshake failure.
func aboutCertificates(alert string) bool {
	return strings.Contains(alert, "certificate") || strings.HasPrefix(alert, "handshake failure")
}

// alert tells an alert, with the fix for what it means where it means one thing.
func (l *look) alert(alert string) diag.Diagnostic {
	d := diag.New(diag.InspectHandshake, "%s ends the handshake: %s", l.address, alert)
	code := secure.Alert(alert)
	if entry, known := diag.Lookup(code); known && code != diag.TLSPeerRefused {
		d = d.WithFix("%s", entry.Fix).WithEvidence("%s: %s", code, entry.Title)
	}
	if !l.asked {
		return d
	}
	d = d.WithEvidence("it asks for a client certificate of %s", cmp.Or(strings.Join(l.Authorities, "; "), "any authority"))
	d.Evidence = append(d.Evidence, l.ownFaults()...)
	return d
}

// peers looks at what a broker's certificate needs that others do not. That its
// listener asks for certificates is a sign that brokers use it too.
func (l *look) peers(leaf *x509.Certificate) diag.List {
	if !l.Kafka || !l.asked || leaf == nil || l.Usage != 0 || len(leaf.ExtKeyUsage) == 0 {
		return nil
	}
	for _, u := range leaf.ExtKeyUsage {
		if u == x509.ExtKeyUsageClientAuth || u == x509.ExtKeyUsageAny {
			return nil
		}
	}
	return diag.List{diag.Warn(diag.CertUsage, "%s is a broker's and lacks clientAuth: if brokers connect to each other with it, they are refused", Title(leaf))}
}

// patience is how long an answer to a question may take that not every listener
// understands.
const patience = 2 * time.Second

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// deadline is when a connection has taken long enough.
func (l *look) deadline(ctx context.Context) time.Time {
	end := time.Now().Add(l.Timeout)
	if d, ok := ctx.Deadline(); ok {
		return earlier(d, end)
	}
	return end
}
