package pki_test

import (
	"bytes"
	"crypto/x509"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/pki"
)

// sources are the directories with authorities of other programs: the one that
// is committed and, where openssl is installed, one that it made just now.
func sources(t *testing.T) []string {
	t.Helper()
	dirs := []string{filepath.Join("testdata", "import")}
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("openssl is not installed, and CI=true promises it")
		}
		t.Log("openssl is not installed: only the committed files are read")
		return dirs
	}
	fresh := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "sh", filepath.Join("testdata", "make.sh"), fresh).CombinedOutput(); err != nil {
		t.Fatalf("make.sh: %v\n%s", err, out)
	}
	return append(dirs, fresh)
}

func TestAuthoritiesOfOtherProgramsAreImported(t *testing.T) {
	t.Parallel()
	for _, dir := range sources(t) {
		for name, want := range map[string]struct {
			name   string
			length int
		}{
			"cfssl": {"cfssl CA", 1}, "cfssl-json": {"cfssl CA", 1},
			"step": {"step Intermediate CA", 2}, "step-pkcs8": {"step Intermediate CA", 2},
			"organisation": {"Example Issuing CA", 2},
		} {
			a, err := pki.Import(tree(t, filepath.Join(dir, name)), passphrase)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if a.Name() != want.name || len(a.Chain()) != want.length {
				t.Errorf("%s: %s with a chain of %d, want %s and %d", name, a, len(a.Chain()), want.name, want.length)
			}
			c := issue(t, a, pki.Request{CommonName: "svc", Usage: pki.Client})
			if err := verify(c, a.Root(), x509.ExtKeyUsageClientAuth, time.Now()); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			again, err := pki.ParseAuthority(chainPEM(a), a.KeyPEM())
			if err != nil || !again.Chain()[0].Equal(a.Chain()[0]) {
				t.Errorf("%s: what was imported is not read back: %v", name, err)
			}
		}
	}
}

// The common case: the root's key is somewhere safe.
func TestAnImportNeedsTheRootsCertificateAndNotItsKey(t *testing.T) {
	t.Parallel()
	files := tree(t, filepath.Join("testdata", "import", "step"))
	delete(files, "secrets/root_ca_key")
	if a, err := pki.Import(files, passphrase); err != nil || a.Name() != "step Intermediate CA" {
		t.Errorf("Import() = %v, %v", a, err)
	}
	delete(files, "certs/intermediate_ca.crt")
	delete(files, "secrets/intermediate_ca_key")
	if a, err := pki.Import(files, passphrase); !errors.Is(err, diag.PKIImportKey) {
		t.Errorf("Import() = %v, %v, want %s", a, err, diag.PKIImportKey)
	}
}

func TestARefusedImportSaysWhichFileAndWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		from   string
		spoil  func(map[string][]byte)
		pass   secret.Secret
		code   diag.Code
		file   string
		phrase string
	}{
		"nothing":            {"step", func(m map[string][]byte) { clear(m) }, passphrase, diag.PKIImport, "", "no certificate of an authority"},
		"configuration only": {"cfssl", keep("ca-config.json", "ca-csr.json"), passphrase, diag.PKIImport, "", "among the 0 found"},
		"wrong passphrase":   {"step-pkcs8", nil, secret.New("wrong"), diag.PKIPassphrase, "secrets/intermediate_ca_key", "does not open"},
		"wrong, older form":  {"step", nil, secret.New("wrong"), diag.PKIPassphrase, "secrets/root_ca_key", "does not open"},
		"no passphrase":      {"step", nil, secret.Secret{}, diag.PKIPassphraseAbsent, "secrets/intermediate_ca_key", "is encrypted"},
		"none for PKCS#8":    {"step-pkcs8", nil, secret.Secret{}, diag.PKIPassphraseAbsent, "secrets/intermediate_ca_key", "is encrypted"},
		"root missing":       {"step", drop("certs/root_ca.crt"), passphrase, diag.PKIChain, "certs/intermediate_ca.crt", `issued by "step Root CA"`},
		"keys missing":       {"step", drop("secrets/root_ca_key", "secrets/intermediate_ca_key"), passphrase, diag.PKIImportKey, "", `"step Intermediate CA" (certs/intermediate_ca.crt), "step Root CA" (certs/root_ca.crt)`},
		"another's key":      {"cfssl", swap("ca-key.pem", "organisation/server.key"), passphrase, diag.PKIPair, "", `no key in ca-key.pem belongs to the certificate of "cfssl CA" (ca.pem)`},
		"a leaf alone":       {"organisation", keep("server.pem", "server.key"), passphrase, diag.PKIVersion, "server.pem", "version 1"},
		"two that issue":     {"cfssl", add("step", "certs/root_ca.crt", "secrets/root_ca_key"), passphrase, diag.PKIImport, "", `2 authorities that could issue: "cfssl CA" (ca.pem), "step Root CA"`},
		"neither PEM":        {"cfssl", put("ca.srl", "0123"), passphrase, diag.PKIFile, "ca.srl", "neither PEM nor JSON"},
		"empty":              {"cfssl", put("ca.pem", ""), passphrase, diag.PKIFile, "ca.pem", "neither PEM nor JSON"},
		"cut short":          {"cfssl", cut("ca.pem"), passphrase, diag.PKIFile, "ca.pem", "1 of 1 PEM blocks are damaged"},
		"no certificate":     {"cfssl", put("ca.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), passphrase, diag.PKIFile, "ca.pem", "cannot be read"},
		"no key in it":       {"cfssl", put("ca-key.pem", "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n"), passphrase, diag.PKIFile, "ca-key.pem", "a EC PRIVATE KEY cannot be read"},
		"unknown DEK":        {"cfssl", put("ca-key.pem", "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: RC2-CBC,00\n\nAAAA\n-----END EC PRIVATE KEY-----\n"), passphrase, diag.PKIEncryption, "ca-key.pem", "DEK-Info"},
		"an SSH key":         {"cfssl", put("id", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"), passphrase, diag.PKIFile, "id", "OPENSSH PRIVATE KEY"},
		"huge":               {"cfssl", put("ca.pem", strings.Repeat("x", 65537)), passphrase, diag.PKIFile, "ca.pem", "65537 bytes"},
		"many blocks":        {"cfssl", put("ca.pem", strings.Repeat("-----BEGIN ", 65)), passphrase, diag.PKIFile, "ca.pem", "65 PEM blocks"},
		"twice in JSON":      {"cfssl-json", put("ca.json", `{"cert":"a","key":"b","cert":"c"}`), passphrase, diag.PKIFile, "ca.json", `"cert" is given twice`},
		"more in JSON":       {"cfssl-json", put("ca.json", `{"cert":"a","key":"b","ca":"c"}`), passphrase, diag.PKIFile, "ca.json", `"ca" is none of cfssl's`},
		"null in JSON":       {"cfssl-json", put("ca.json", `{"cert":null,"key":"b"}`), passphrase, diag.PKIFile, "ca.json", "cert is not a text"},
		"no PEM in JSON":     {"cfssl-json", put("ca.json", `{"cert":"a","key":"b"}`), passphrase, diag.PKIFile, "ca.json", "neither PEM"},
		"JSON cut short":     {"cfssl-json", put("ca.json", `{"cert":"a"`), passphrase, diag.PKIFile, "ca.json", "not a JSON object"},
		"JSON and more":      {"cfssl-json", put("ca.json", `{} {}`), passphrase, diag.PKIFile, "ca.json", "something follows"},
		"many files": {"cfssl", func(m map[string][]byte) {
			for i := range 101 {
				m[strings.Repeat("x", i+1)] = nil
			}
		}, passphrase, diag.PKIImport, "", "at most 100"},
		"many locked keys": {"step", func(m map[string][]byte) {
			m["more"] = bytes.Repeat(m["secrets/root_ca_key"], 8)
		}, passphrase, diag.PKIImport, "secrets/intermediate_ca_key", "more than 8 encrypted keys"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := tree(t, filepath.Join("testdata", "import", tt.from))
			if tt.spoil != nil {
				tt.spoil(files)
			}
			a, err := pki.Import(files, tt.pass)
			if err == nil {
				t.Fatalf("imported %s", a)
			}
			found := slices.ContainsFunc(diag.Of(err), func(d diag.Diagnostic) bool {
				return d.Code == tt.code && d.Position.File == tt.file && strings.Contains(d.Message, tt.phrase)
			})
			if !found {
				t.Errorf("Import() = %v, want %s in %q with %q", err, tt.code, tt.file, tt.phrase)
			}
		})
	}
}
