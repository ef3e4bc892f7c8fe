//go:build kafka

package inspect_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/dev/devtest"
	"github.com/slipway-go/slipway/pki"
	"github.com/slipway-go/slipway/pki/inspect"
)

func TestMain(m *testing.M) { devtest.Main(m) }

// Java speaks TLS in words of its own: what is said of Go's listeners must hold
// for a broker's.
func TestABrokersListenersAreSeenAsTheyAre(t *testing.T) {
	t.Parallel()
	c := devtest.Cluster(t)
	first := func(bootstrap string) string {
		address, _, _ := strings.Cut(bootstrap, ",")
		return address
	}
	issue := func(a *pki.Authority, now time.Time) *tls.Certificate {
		t.Helper()
		cert, err := a.Issue(pki.Request{CommonName: "svc-inspect-test", Usage: pki.Client, Lifetime: time.Hour, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		shown := tls.Certificate{PrivateKey: cert.Signer()}
		for _, x := range cert.Chain() {
			shown.Certificate = append(shown.Certificate, x.Raw)
		}
		return &shown
	}
	stranger, err := pki.NewAuthority("stranger", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		address string
		shown   *tls.Certificate
		client  string
		kafka   bool
		code    diag.Code // besides warnings
	}{
		"SSL, without a certificate":       {first(c.MTLS()), nil, inspect.ClientRequired, false, ""},
		"SSL, with a certificate":          {first(c.MTLS()), issue(c.Authority(), time.Now()), inspect.ClientAsked, true, ""},
		"SSL, with one of another CA":      {first(c.MTLS()), issue(stranger, time.Now()), inspect.ClientRequired, false, diag.InspectHandshake},
		"SASL_SSL, before anybody logs in": {first(c.SCRAM()), nil, inspect.ClientNotAsked, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report, err := inspect.Look(t.Context(), tt.address, inspect.LookConfig{
				Config: inspect.Config{Roots: []*x509.Certificate{c.Authority().Root()}}, Certificate: tt.shown, Timeout: time.Minute,
			})
			if err != nil {
				t.Fatal(err)
			}
			got := report.Connection
			t.Logf("%+v\n%s", *got, text(report.Findings))
			if got.Client != tt.client || got.Kafka != tt.kafka || got.Version != "TLS 1.3" || !report.Trusted || len(got.Old) > 0 {
				t.Errorf("connection %+v, trusted %t", *got, report.Trusted)
			}
			if tt.client == inspect.ClientRequired && len(got.Authorities) == 0 {
				t.Error("the authorities of client certificates are not told")
			}
			var failed diag.List
			for _, d := range report.Findings {
				if d.Severity == diag.Error {
					failed.Add(d)
				}
			}
			if tt.code == "" && len(failed) > 0 || tt.code != "" && !errors.Is(failed, tt.code) {
				t.Errorf("findings %v, want %q", failed, tt.code)
			}
		})
	}
	registry := strings.TrimPrefix(c.Registry(), "http://")
	registry, _, _ = strings.Cut(registry, "/")
	if _, err := inspect.Look(t.Context(), registry, inspect.LookConfig{}); !errors.Is(err, diag.InspectPlain) {
		t.Errorf("the registry, which speaks HTTP: %v", err)
	}
}
