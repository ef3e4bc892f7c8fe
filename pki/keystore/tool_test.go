package keystore_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/pki/keystore"
)

// A bench is a directory with the password in a file, where a program works.
type bench struct {
	*testing.T
	program, dir string
}

// newBench skips the test where the program is missing, and fails it under CI=true:
// a suite that asked nobody must not be green there.
func newBench(t *testing.T, program string) bench {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed, and it is the judge of this test", program)
		}
		t.Skipf("%s is not installed: nobody but this package has read what it writes", program)
	}
	b := bench{t, path, t.TempDir()}
	b.put("password", []byte(password))
	return b
}

func (b bench) path(name string) string { return filepath.Join(b.dir, name) }

func (b bench) put(name string, data []byte) {
	b.Helper()
	if err := os.WriteFile(b.path(name), data, 0o600); err != nil {
		b.Fatal(err)
	}
}

func (b bench) get(name string) []byte {
	b.Helper()
	data, err := os.ReadFile(b.path(name))
	if err != nil {
		b.Fatal(err)
	}
	return data
}

func (b bench) run(args ...string) string {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), b.program, args...)
	cmd.Dir = b.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.Fatalf("%s %q: %v\n%s", b.program, args, err, out)
	}
	return string(out)
}

// move has keytool write the store anew in another type.
func (b bench) move(from, fromType, to, toType string) keystore.Contents {
	b.Helper()
	b.run("-importkeystore", "-noprompt", "-srckeystore", from, "-srcstoretype", fromType, "-srcstorepass:file", "password",
		"-destkeystore", to, "-deststoretype", toType, "-deststorepass:file", "password")
	c, err := keystore.Read(b.get(to), secret.New(password))
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// judged are the kinds of keys that keytool is asked about: it takes a second each
// time, so one has to do where time is short.
func judged() map[string]bool {
	if testing.Short() {
		return map[string]bool{"ecdsa-p256": true}
	}
	return map[string]bool{"ecdsa-p256": true, "ecdsa-p384": true, "rsa-3072": true}
}

// fingerprint is as keytool prints it.
func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	parts := make([]string, len(sum))
	for i, b := range sum {
		parts[i] = strings.ToUpper(hex.EncodeToString([]byte{b}))
	}
	return strings.Join(parts, ":")
}

func TestKeytoolListsTheSameChain(t *testing.T) {
	t.Parallel()
	for kind := range judged() {
		e, root := chain(t, kind)
		for f, alias := range map[keystore.Format]string{keystore.PKCS12: "1", keystore.JKS: "svc-orders-prod"} {
			t.Run(kind+"/"+string(f), func(t *testing.T) {
				t.Parallel()
				b := newBench(t, "keytool")
				store, trust := write(t, f, e, root)
				b.put("store", store)
				b.put("trust", trust)
				list := b.run("-list", "-v", "-keystore", "store", "-storetype", f.Type(), "-storepass:file", "password")
				for _, want := range []string{
					"Your keystore contains 1 entry", "Alias name: " + alias, "Entry type: PrivateKeyEntry",
					"Certificate chain length: 2", fingerprint(e.Chain[0]), fingerprint(e.Chain[1]),
				} {
					if !strings.Contains(list, want) {
						t.Errorf("keytool does not tell %q of the keystore:\n%.3000s", want, list)
					}
				}
				list = b.run("-list", "-v", "-keystore", "trust", "-storetype", f.Type(), "-storepass:file", "password")
				for _, want := range []string{
					"Your keystore contains 1 entry", "Alias name: shop-root-ca-", "Entry type: trustedCertEntry", fingerprint(root),
				} {
					if !strings.Contains(list, want) {
						t.Errorf("keytool does not tell %q of the truststore:\n%.3000s", want, list)
					}
				}
			})
		}
	}
}

// What keytool has taken in and written anew comes back the same, key and all.
func TestKeytoolCarriesKeysThereAndBack(t *testing.T) {
	t.Parallel()
	for kind := range judged() {
		e, root := chain(t, kind)
		for f, other := range map[keystore.Format]keystore.Format{keystore.PKCS12: keystore.JKS, keystore.JKS: keystore.PKCS12} {
			t.Run(kind+"/"+string(f), func(t *testing.T) {
				t.Parallel()
				b := newBench(t, "keytool")
				store, trust := write(t, f, e, root)
				b.put("store", store)
				b.put("trust", trust)
				for _, got := range []keystore.Contents{
					b.move("store", f.Type(), "other", other.Type()),
					b.move("other", other.Type(), "back", f.Type()),
				} {
					sameKey(t, got.Entry.Key, e.Key)
					sameChain(t, got.Entry.Chain, e.Chain)
				}
				sameChain(t, b.move("trust", f.Type(), "otherTrust", other.Type()).Roots, []*x509.Certificate{root})
				sameChain(t, b.move("otherTrust", other.Type(), "backTrust", f.Type()).Roots, []*x509.Certificate{root})
			})
		}
	}
}

func TestTwoRootsOfOneNameAreBothTrusted(t *testing.T) {
	t.Parallel()
	old, fresh := issue(t, "Shop Root CA", "ecdsa-p256", nil), issue(t, "Shop Root CA", "ecdsa-p256", nil)
	e, _ := chain(t, "ecdsa-p256")
	for _, f := range []keystore.Format{keystore.PKCS12, keystore.JKS} {
		t.Run(string(f), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, "keytool")
			_, trust := write(t, f, e, old.cert, fresh.cert)
			b.put("trust", trust)
			list := b.run("-list", "-v", "-keystore", "trust", "-storetype", f.Type(), "-storepass:file", "password")
			if !strings.Contains(list, fingerprint(old.cert)) || !strings.Contains(list, fingerprint(fresh.cert)) {
				t.Errorf("keytool does not list both:\n%s", list)
			}
		})
	}
}

func TestOpenSSLReadsPKCS12AndPEM(t *testing.T) {
	t.Parallel()
	for kind := range keys {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, "openssl")
			e, root := chain(t, kind)
			for f, args := range map[keystore.Format][]string{
				keystore.PKCS12: {"pkcs12", "-in", "store", "-passin", "file:password", "-nodes"},
				keystore.PEM:    {"pkey", "-in", "store"},
			} {
				store, trust := write(t, f, e, root)
				b.put("store", store)
				b.put("trust", trust)
				text := []byte(b.run(args...))
				if f == keystore.PEM { // pkey prints the key alone
					text = append(text, store[bytes.Index(store, []byte("-----BEGIN CERTIFICATE")):]...)
				}
				got, err := keystore.Read(text, secret.Secret{})
				if err != nil {
					t.Fatal(err)
				}
				sameKey(t, got.Entry.Key, e.Key)
				sameChain(t, got.Entry.Chain, e.Chain)
				if f == keystore.PKCS12 {
					text = []byte(b.run("pkcs12", "-in", "trust", "-passin", "file:password", "-nokeys"))
				} else {
					text = []byte(b.run("x509", "-in", "trust"))
				}
				if got, err = keystore.Read(text, secret.Secret{}); err != nil {
					t.Fatal(err)
				}
				sameChain(t, got.Roots, []*x509.Certificate{root})
			}
		})
	}
}

func TestWhatOpenSSLWritesIsReadOrToldApart(t *testing.T) {
	t.Parallel()
	b := newBench(t, "openssl")
	e, root := chain(t, "ecdsa-p256")
	plain, err := keystore.Keystore(keystore.PEM, e, secret.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	_, trust := write(t, keystore.PEM, e, root)
	b.put("in.pem", plain)
	b.put("root.pem", trust)
	export := []string{"pkcs12", "-export", "-in", "in.pem", "-passout", "file:password"}
	for name, more := range map[string][]string{
		"as usual":     {"-name", "Grüße"},
		"3DES":         {"-descert", "-keypbe", "PBE-SHA1-3DES", "-macalg", "sha1"},
		"with root":    {"-certfile", "root.pem"},
		"no encrypted": {"-certpbe", "NONE", "-keypbe", "NONE"},
	} {
		b.run(append(append(export, more...), "-out", "out.p12")...)
		got, err := keystore.Read(b.get("out.p12"), secret.New(password))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		sameKey(t, got.Entry.Key, e.Key)
		sameChain(t, got.Entry.Chain[:2], e.Chain)
	}
	b.run("pkcs12", "-export", "-nokeys", "-in", "root.pem", "-passout", "file:password", "-out", "bare.p12")
	if _, err := keystore.Read(b.get("bare.p12"), secret.New(password)); !errors.Is(err, diag.KeystoreUntrusted) {
		t.Errorf("certificates that Java would not trust: %v, want %s", err, diag.KeystoreUntrusted)
	}
	b.run("pkcs8", "-topk8", "-in", "in.pem", "-passout", "file:password", "-out", "sealed.pem")
	sealed := append(b.get("sealed.pem"), plain[bytes.Index(plain, []byte("-----BEGIN CERTIFICATE")):]...)
	got, err := keystore.Read(sealed, secret.New(password))
	if err != nil {
		t.Fatal(err)
	}
	sameKey(t, got.Entry.Key, e.Key)
	if _, err := keystore.Read(sealed, secret.New("another-1")); !errors.Is(err, diag.KeystoreRefused) {
		t.Errorf("a wrong password of a key in PEM: %v, want %s", err, diag.KeystoreRefused)
	}
	b.run("ec", "-in", "in.pem", "-aes256", "-passout", "file:password", "-out", "old.pem")
	if _, err := keystore.Read(b.get("old.pem"), secret.New(password)); !errors.Is(err, diag.KeystoreUnsupported) {
		t.Errorf("a key encrypted as OpenSSL once did: %v, want %s", err, diag.KeystoreUnsupported)
	}
}
