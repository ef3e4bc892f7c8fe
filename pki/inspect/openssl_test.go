package inspect_test

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/pki"
	"github.com/slipway-go/slipway/pki/inspect"
)

// What openssl s_client is shown is what is seen here, and both trust it or
// neither does.
func TestOpenSSLSeesTheSameChain(t *testing.T) {
	t.Parallel()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("openssl is missing")
		}
		t.Skip("openssl is missing, which is asked about the same listener")
	}
	root, err := pki.NewAuthority("root", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	middle, err := root.Intermediate("issuing", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := middle.Issue(pki.Request{CommonName: "kafka-0", Usage: pki.Peer, DNSNames: []string{"localhost"}})
	if err != nil {
		t.Fatal(err)
	}
	other, err := pki.NewAuthority("other", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	shown := tls.Certificate{PrivateKey: leaf.Signer()}
	for _, c := range leaf.Chain() {
		shown.Certificate = append(shown.Certificate, c.Raw)
	}
	for name, trusted := range map[string]*pki.Authority{"its root": root, "another root": other, "the issuer alone is sent": root} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shown := shown
			if strings.HasPrefix(name, "the issuer") {
				shown.Certificate = shown.Certificate[:1]
			}
			address := listen(t, secured(&tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{shown}}))
			ca := filepath.Join(t.TempDir(), "ca.crt")
			if err := os.WriteFile(ca, trusted.PEM(), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), openssl, "s_client", "-connect", address, "-CAfile", ca, "-showcerts", "-verify_hostname", "localhost")
			out, err := cmd.Output() // without input it ends by itself
			if err != nil {
				t.Fatalf("openssl s_client: %v\n%s", err, out)
			}
			theirs, err := inspect.Read(out)
			if err != nil {
				t.Fatal(err)
			}
			report, err := inspect.Look(t.Context(), address, inspect.LookConfig{Config: inspect.Config{Roots: []*x509.Certificate{trusted.Root()}, Host: "localhost"}})
			if err != nil {
				t.Fatal(err)
			}
			ours := append(report.Path, report.Others...)
			for _, c := range theirs.Certificates {
				found := false
				for _, o := range ours {
					found = found || o.Equal(c)
				}
				if !found {
					t.Errorf("openssl sees %s, which is not in the report", inspect.Title(c))
				}
			}
			if len(theirs.Certificates) != len(shown.Certificate) {
				t.Errorf("openssl sees %d certificates, %d are sent", len(theirs.Certificates), len(shown.Certificate))
			}
			if ok := strings.Contains(string(out), "Verify return code: 0 (ok)"); ok != report.Trusted {
				t.Errorf("openssl trusts it: %t, and here: %t (%v)", ok, report.Trusted, report.Findings)
			}
		})
	}
}
