package auth_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/auth"
	"github.com/slipway-go/slipway/pki"
)

func authority(t *testing.T, name string) *pki.Authority {
	t.Helper()
	a, err := pki.NewAuthority(name, time.Now().Add(-10*24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func own(t *testing.T, a *pki.Authority, usage pki.Usage, from time.Time) []*x509.Certificate {
	t.Helper()
	c, err := a.Issue(pki.Request{CommonName: "svc-orders-prod", Usage: usage, Now: from, Lifetime: 24 * time.Hour, IPs: []netip.Addr{netip.MustParseAddr("127.0.0.1")}})
	if err != nil {
		t.Fatal(err)
	}
	return auth.Leaves([]tls.Certificate{c.TLS()})
}

func alerted(text string) error {
	return fmt.Errorf("read: %w", &net.OpError{Op: "remote error", Err: errors.New("tls: " + text)})
}

func TestACertificateThatABrokerRefusesIsLookedAtWhereItLies(t *testing.T) {
	t.Parallel()
	ours, theirs := authority(t, "cluster-ca"), authority(t, "another-ca")
	now := time.Now()
	good := own(t, ours, pki.Client, now)
	for name, tt := range map[string]struct {
		own     []*x509.Certificate
		alert   string
		want    diag.Code
		message string
	}{
		"expired, says nobody":        {own(t, ours, pki.Client, now.Add(-50*time.Hour)), "unknown certificate", diag.TLSExpired, "expired 26 hours ago"},
		"expired, says the broker":    {own(t, ours, pki.Client, now.Add(-50*time.Hour)), "expired certificate", diag.TLSExpired, "expired 26 hours ago"},
		"not yet valid":               {own(t, ours, pki.Client, now.Add(3*time.Hour)), "bad certificate", diag.TLSNotYetValid, "from now"},
		"a server's":                  {own(t, ours, pki.Server, now), "unknown certificate", diag.TLSWrongUsage, "not for clients"},
		"a server's, TLS 1.2":         {own(t, ours, pki.Server, now), "handshake failure", diag.TLSWrongUsage, "not for clients"},
		"an authority's":              {ours.Chain(), "bad certificate", diag.TLSSelfSigned, "signed by itself"},
		"of another authority":        {own(t, theirs, pki.Client, now), "unknown certificate authority", diag.KafkaCertificate, "no chain leads from it"},
		"of one the broker lacks":     {good, "unknown certificate authority", diag.KafkaCertificate, "does not trust CN=cluster-ca"},
		"of one the broker does name": {good, "certificate required", diag.KafkaCertificate, "none of them"},
		"good by our clock":           {good, "expired certificate", diag.KafkaCertificate, "by the clock of this machine"},
		"revoked":                     {good, "revoked certificate", diag.KafkaCertificate, "is revoked"},
		"of another key":              {good, "error decrypting message", diag.KafkaCertificate, "not the certificate's"},
		"good, and refused":           {good, "unknown certificate", diag.KafkaCertificate, "most likely the broker does not trust CN=cluster-ca"},
		"no suite in common":          {good, "handshake failure", diag.KafkaTLSMismatch, "cannot agree on TLS"},
		"none, TLS 1.2":               {nil, "handshake failure", diag.KafkaCertificate, "demands a client certificate"},
		"none":                        {nil, "unknown certificate", diag.KafkaCertificate, "unknown certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := auth.Attempt{Bootstrap: "kafka.example:9093", Auth: contract.MTLS, TLS: true, Own: tt.own, Roots: ours.Pool()}
			got := auth.Diagnose(alerted(tt.alert), a)
			if got.Code != tt.want || !strings.Contains(got.Message, tt.message) || !strings.Contains(got.Message, a.Bootstrap) || got.Remedy() == "" {
				t.Errorf("%s with %q = %v, want %s with %q and a fix", name, tt.alert, got, tt.want, tt.message)
			}
			if len(got.Evidence) == 0 || !strings.Contains(got.Evidence[0], tt.alert) {
				t.Errorf("evidence is %q, want the alert", got.Evidence)
			}
		})
	}
}

func TestABrokersCertificateThatIsRefusedIsNamed(t *testing.T) {
	t.Parallel()
	ours, theirs := authority(t, "cluster-ca"), authority(t, "another-ca")
	for name, tt := range map[string]struct {
		shown []*x509.Certificate
		err   error
		want  string
	}{
		"of another authority": {own(t, theirs, pki.Server, time.Now()), x509.UnknownAuthorityError{}, "CN=another-ca"},
		"expired":              {own(t, ours, pki.Server, time.Now().Add(-50*time.Hour)), x509.CertificateInvalidError{Cert: new(x509.Certificate), Reason: x509.Expired}, "expired 26 hours ago"},
		"a client's":           {own(t, ours, pki.Client, time.Now()), x509.CertificateInvalidError{Cert: new(x509.Certificate), Reason: x509.IncompatibleUsage}, "not for servers"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := &tls.CertificateVerificationError{UnverifiedCertificates: tt.shown, Err: tt.err}
			got := auth.Diagnose(err, auth.Attempt{Bootstrap: "kafka.example:9093", TLS: true, Roots: ours.Pool()})
			if got.Code != diag.KafkaUntrusted || !strings.Contains(strings.Join(got.Evidence, "\n"), tt.want) {
				t.Errorf("Diagnose = %v %q, want evidence of %q", got, got.Evidence, tt.want)
			}
		})
	}
}
