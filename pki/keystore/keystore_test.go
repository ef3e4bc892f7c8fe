package keystore_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/pki/keystore"
)

const password = "correct-horse-9"

// keys are the kinds of keys that leaves have.
var keys = map[string]func() (crypto.Signer, error){
	"ecdsa-p256": func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) },
	"ecdsa-p384": func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P384(), rand.Reader) },
	"rsa-3072":   sync.OnceValues(func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 3072) }), // slow
}

// A holder is a certificate with its key.
type holder struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// issue makes a certificate of the parent, or a root if there is none.
func issue(tb testing.TB, name, kind string, parent *holder) *holder {
	tb.Helper()
	key, err := keys[kind]()
	if err != nil {
		tb.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	if parent == nil || strings.HasSuffix(name, "CA") {
		template.IsCA, template.KeyUsage = true, x509.KeyUsageCertSign
	}
	if parent == nil {
		parent = &holder{template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent.cert, key.Public(), parent.key)
	if err != nil {
		tb.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return &holder{cert, key}
}

// chain makes root, intermediate and leaf.
func chain(tb testing.TB, kind string) (keystore.Entry, *x509.Certificate) {
	tb.Helper()
	root := issue(tb, "Shop Root CA", "ecdsa-p256", nil)
	middle := issue(tb, "Shop Issuing CA", "ecdsa-p256", root)
	leaf := issue(tb, "svc-Orders-prod", kind, middle)
	return keystore.Entry{Key: leaf.key, Chain: []*x509.Certificate{leaf.cert, middle.cert}}, root.cert
}

func write(tb testing.TB, f keystore.Format, e keystore.Entry, roots ...*x509.Certificate) (store, trust []byte) {
	tb.Helper()
	var sealed secret.Secret
	if f.Sealed() {
		sealed = secret.New(password)
	}
	store, err := keystore.Keystore(f, e, sealed)
	if err != nil {
		tb.Fatal(err)
	}
	if trust, err = keystore.Truststore(f, roots, sealed); err != nil {
		tb.Fatal(err)
	}
	return store, trust
}

func sameChain(t *testing.T, got, want []*x509.Certificate) {
	t.Helper()
	if !slices.EqualFunc(got, want, (*x509.Certificate).Equal) {
		t.Errorf("got %d certificates, want the %d that were written, in their order", len(got), len(want))
	}
}

func sameKey(t *testing.T, got crypto.PrivateKey, want crypto.PrivateKey) {
	t.Helper()
	key, ok := got.(interface{ Equal(crypto.PrivateKey) bool })
	if !ok || !key.Equal(want) {
		t.Errorf("got another key, a %T", got)
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	for kind := range keys {
		e, root := chain(t, kind)
		for _, f := range keystore.Formats() {
			t.Run(kind+"/"+string(f), func(t *testing.T) {
				t.Parallel()
				store, trust := write(t, f, e, root, root)
				got, err := keystore.Read(store, secret.New(password))
				if err != nil {
					t.Fatal(err)
				}
				sameChain(t, got.Entry.Chain, e.Chain)
				sameKey(t, got.Entry.Key, e.Key)
				if got.Format != f || len(got.Roots) > 0 {
					t.Errorf("read format %s with %d roots, want %s without", got.Format, len(got.Roots), f)
				}
				if want := "svc-orders-prod"; f == keystore.JKS && got.Entry.Alias != want {
					t.Errorf("alias = %q, want %q", got.Entry.Alias, want)
				}
				got, err = keystore.Read(trust, secret.New(password))
				if err != nil {
					t.Fatal(err)
				}
				sameChain(t, got.Roots, []*x509.Certificate{root})
				if got.Entry.Key != nil {
					t.Error("a truststore has a key")
				}
			})
		}
	}
}

func TestPEMLiesOpenAndTakesNoPassword(t *testing.T) {
	t.Parallel()
	e, root := chain(t, "ecdsa-p256")
	store, trust := write(t, keystore.PEM, e, root)
	for _, data := range [][]byte{store, trust} {
		if _, err := keystore.Read(data, secret.Secret{}); err != nil {
			t.Error(err)
		}
	}
	if !bytes.HasPrefix(store, []byte("-----BEGIN PRIVATE KEY-----")) {
		t.Errorf("the file begins with %.40q, want the key in the clear", store)
	}
	if _, err := keystore.Keystore(keystore.PEM, e, secret.New(password)); !errors.Is(err, diag.KeystorePassword) {
		t.Errorf("PEM with a password: %v, want %s", err, diag.KeystorePassword)
	}
}

func TestAWrongPasswordIsToldAsOne(t *testing.T) {
	t.Parallel()
	e, root := chain(t, "ecdsa-p256")
	for _, f := range []keystore.Format{keystore.PKCS12, keystore.JKS} {
		store, trust := write(t, f, e, root)
		for name, data := range map[string][]byte{"keystore": store, "truststore": trust} {
			_, err := keystore.Read(data, secret.New("another-1"))
			if !errors.Is(err, diag.KeystoreRefused) {
				t.Errorf("%s of %s: %v, want %s", name, f, err, diag.KeystoreRefused)
			}
		}
	}
}

func TestUnfitPasswordsAreRefusedAndNotRepeated(t *testing.T) {
	t.Parallel()
	e, root := chain(t, "ecdsa-p256")
	for name, bad := range map[string]string{
		"five":    "zq7xk",
		"blank":   "zq7xk zq7xk",
		"newline": "zq7xkzq7xk\n",
		"umlaut":  "zq7xkzq7xkü",
		"long":    strings.Repeat("zq7xk", 30),
	} {
		for _, f := range keystore.Formats() {
			_, err := keystore.Keystore(f, e, secret.New(bad))
			_, err2 := keystore.Truststore(f, []*x509.Certificate{root}, secret.New(bad))
			for _, err := range []error{err, err2} {
				if !errors.Is(err, diag.KeystorePassword) || strings.Contains(err.Error(), "zq7xk") {
					t.Errorf("%s as a password of %s: %v, want %s without it", name, f, err, diag.KeystorePassword)
				}
			}
		}
	}
	if _, err := keystore.Keystore(keystore.PKCS12, e, secret.Secret{}); !errors.Is(err, diag.KeystorePassword) {
		t.Errorf("PKCS#12 without a password: %v, want %s", err, diag.KeystorePassword)
	}
}

func TestWhatDoesNotFitTogetherIsNotWritten(t *testing.T) {
	t.Parallel()
	good, root := chain(t, "ecdsa-p256")
	other := issue(t, "other", "ecdsa-p256", nil)
	_, edward, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*keystore.Entry){
		"another's key":   func(e *keystore.Entry) { e.Key = other.key },
		"no key":          func(e *keystore.Entry) { e.Key = nil },
		"no pointer":      func(e *keystore.Entry) { e.Key = (*ecdsa.PrivateKey)(nil) },
		"ed25519":         func(e *keystore.Entry) { e.Key = edward },
		"no certificate":  func(e *keystore.Entry) { e.Chain = nil },
		"wrong order":     func(e *keystore.Entry) { e.Chain = []*x509.Certificate{e.Chain[0], root} },
		"stranger above":  func(e *keystore.Entry) { e.Chain = append(slices.Clone(e.Chain), other.cert) },
		"alias of spaces": func(e *keystore.Entry) { e.Alias = "two words" },
		"long alias":      func(e *keystore.Entry) { e.Alias = strings.Repeat("a", 129) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := good
			change(&e)
			if _, err := keystore.Keystore(keystore.PKCS12, e, secret.New(password)); !errors.Is(err, diag.KeystoreMismatch) {
				t.Errorf("Keystore() = %v, want %s", err, diag.KeystoreMismatch)
			}
		})
	}
	if _, err := keystore.Truststore(keystore.JKS, nil, secret.New(password)); !errors.Is(err, diag.KeystoreMismatch) {
		t.Errorf("an empty truststore: %v, want %s", err, diag.KeystoreMismatch)
	}
	if _, err := keystore.Keystore("pfx", good, secret.New(password)); !errors.Is(err, diag.KeystoreFormat) {
		t.Errorf("format pfx: %v, want %s", err, diag.KeystoreFormat)
	}
}

func TestAnEntryShowsNoKey(t *testing.T) {
	t.Parallel()
	e, _ := chain(t, "rsa-3072")
	e.Alias = "shy"
	d := e.Key.(*rsa.PrivateKey).D
	c := keystore.Contents{Entry: e}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+verb+verb+"\n", e, &e, c)
	}
	if err := json.NewEncoder(&out).Encode(e); err != nil {
		t.Fatal(err)
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("shown", "entry", e)
	slog.New(slog.NewTextHandler(&out, nil)).Info("shown", "entry", e)
	for _, leak := range []string{d.String()[:40], fmt.Sprintf("%x", d)[:40]} {
		if strings.Contains(out.String(), leak) {
			t.Errorf("the output holds the key")
		}
	}
	if got := strings.Count(out.String(), "entry shy"); got < 17 {
		t.Errorf("the alias is shown %d times:\n%.500s", got, out.String())
	}
}

func TestFormatsAreNamedAsPeopleNameThem(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]keystore.Format{
		"pem": keystore.PEM, "PEM": keystore.PEM, "p12": keystore.PKCS12, "pfx": keystore.PKCS12, "PKCS12": keystore.PKCS12, "JKS": keystore.JKS,
	} {
		if got, err := keystore.ParseFormat(name); got != want || err != nil {
			t.Errorf("ParseFormat(%q) = %v, %v, want %v", name, got, err, want)
		}
	}
	if _, err := keystore.ParseFormat("bks"); !errors.Is(err, diag.KeystoreFormat) {
		t.Errorf("ParseFormat(bks) = %v, want %s", err, diag.KeystoreFormat)
	}
}

func TestPropertiesNeverHoldThePassword(t *testing.T) {
	t.Parallel()
	for _, f := range keystore.Formats() {
		lines, err := keystore.Files{Format: f, Dir: "/etc/kafka/tls"}.Properties()
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines {
			if name, value, _ := strings.Cut(line, "="); strings.HasSuffix(name, "password") && value != "${directory:/etc/kafka/tls:keystore.password}" {
				t.Errorf("%s: %s", f, line)
			}
		}
		if want := "ssl.keystore.location=/etc/kafka/tls/keystore." + string(f); !slices.Contains(lines, want) {
			t.Errorf("%s: no %s in %q", f, want, lines)
		}
	}
	for _, dir := range []string{"/a:b", "/a}b", `/a\b`, "/a\nb"} {
		if _, err := (keystore.Files{Format: keystore.PKCS12, Dir: dir}).Properties(); !errors.Is(err, diag.KeystoreSource) {
			t.Errorf("directory %q: %v, want %s", dir, err, diag.KeystoreSource)
		}
	}
}
