package pki_test

import (
	"bytes"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/pki"
)

var passphrase = secret.New("correct horse")

func TestAnEncryptedKeyOpensWithItsPassphraseAlone(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "locked")
	locked, err := a.KeyPEM().Encrypt(passphrase)
	if err != nil {
		t.Fatal(err)
	}
	if !locked.Encrypted() || a.KeyPEM().Encrypted() || bytes.Contains(locked, a.KeyPEM()[40:80]) {
		t.Errorf("the key is not encrypted: %s", []byte(locked))
	}
	open, err := locked.Decrypt(passphrase)
	if err != nil || !bytes.Equal(open, a.KeyPEM()) {
		t.Errorf("Decrypt() = %v, want the key", err)
	}
	again, err := a.KeyPEM().Encrypt(passphrase)
	if err != nil || bytes.Equal(again, locked) {
		t.Errorf("the same key twice is the same text: %v", err)
	}
	for name, tt := range map[string]struct {
		do   func() (pki.Key, error)
		want diag.Code
	}{
		"wrong passphrase":      {func() (pki.Key, error) { return locked.Decrypt(secret.New("correct horse ")) }, diag.PKIPassphrase},
		"no passphrase":         {func() (pki.Key, error) { return locked.Decrypt(secret.Secret{}) }, diag.PKIPassphraseAbsent},
		"encrypt with none":     {func() (pki.Key, error) { return a.KeyPEM().Encrypt(secret.New("")) }, diag.PKIPassphraseAbsent},
		"encrypt twice":         {func() (pki.Key, error) { return locked.Encrypt(passphrase) }, diag.PKIFile},
		"decrypt what is clear": {func() (pki.Key, error) { return a.KeyPEM().Decrypt(passphrase) }, diag.PKIFile},
		"used without":          {func() (pki.Key, error) { _, err := pki.ParseAuthority(a.PEM(), locked); return nil, err }, diag.PKIPassphraseAbsent},
		"cut short":             {func() (pki.Key, error) { return locked[:len(locked)/2].Decrypt(passphrase) }, diag.PKIFile},
		"junk behind":           {func() (pki.Key, error) { return append(bytes.Clone(locked), "x"...), nil }, ""},
	} {
		got, err := tt.do()
		if tt.want == "" {
			_, err = got.Decrypt(passphrase)
			tt.want = diag.PKIFile
		}
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
	}
}

func TestOpensslReadsOurEncryptedKeysAndWeReadIts(t *testing.T) {
	t.Parallel()
	needOpenssl(t)
	for _, kind := range []pki.KeyType{pki.ECDSAP256, pki.ECDSAP384, pki.RSA3072} {
		a, err := pki.NewAuthority("locked", time.Now(), pki.WithKey(kind))
		if err != nil {
			t.Fatal(err)
		}
		locked, err := a.KeyPEM().Encrypt(passphrase)
		if err != nil {
			t.Fatal(err)
		}
		out := pkcs8(t, locked, "-passin", "pass:correct horse")
		if !bytes.Equal(out, a.KeyPEM()) {
			t.Errorf("%s: openssl reads another key", kind)
		}
		if kind != pki.ECDSAP256 {
			continue
		}
		for _, args := range []string{
			"-topk8 -v2 aes-256-cbc", "-topk8 -v2 aes-128-cbc", "-topk8 -v2 aes-192-cbc -v2prf hmacWithSHA1",
			"-topk8 -v2 aes-256-cbc -v2prf hmacWithSHA512 -iter 100000", "-topk8 -v2 aes-256-cbc -v2prf hmacWithSHA384",
			"-topk8 -v2 des3", // that of openssl req -newkey and openssl genrsa -des3
		} {
			theirs := pkcs8(t, a.KeyPEM(), append(strings.Fields(args), "-passout", "pass:correct horse")...)
			got, err := theirs.Decrypt(passphrase)
			if err != nil || !bytes.Equal(got, a.KeyPEM()) {
				t.Errorf("%s, openssl pkcs8 %s: %v", kind, args, err)
			}
		}
		for _, args := range []string{"-topk8 -v1 PBE-SHA1-3DES", "-topk8 -scrypt", "-topk8 -v2 aes-256-cbc -iter 2000001"} {
			theirs := pkcs8(t, a.KeyPEM(), append(strings.Fields(args), "-passout", "pass:correct horse")...)
			if _, err := theirs.Decrypt(passphrase); !errors.Is(err, diag.PKIEncryption) {
				t.Errorf("%s, openssl pkcs8 %s: %v, want %s", kind, args, err, diag.PKIEncryption)
			}
		}
	}
}

func pkcs8(t *testing.T, key pki.Key, args ...string) pki.Key {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "openssl", append([]string{"pkcs8"}, args...)...)
	cmd.Stdin = bytes.NewReader(key)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("openssl pkcs8 %q: %v", args, err)
	}
	return out
}

// A file that asks for 2,147,483,647 iterations is refused before the first.
func TestAHostileKeyDoesNotBurnMinutes(t *testing.T) {
	t.Parallel()
	locked, err := newAuthority(t, "locked").KeyPEM().Encrypt(passphrase)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := pem.Decode(locked)
	written, hostile := encode(t, 600_000), encode(t, 1<<31-1)
	if n := bytes.Count(b.Bytes, written); n != 1 {
		t.Fatalf("the iterations are written %d times", n)
	}
	i := bytes.Index(b.Bytes, written)
	der := bytes.Clone(b.Bytes[:i])
	der = append(append(der, hostile...), b.Bytes[i+len(written):]...)
	// One byte longer, so each length around it is too.
	for _, at := range lengths(t, b.Bytes, i) {
		der[at] += byte(len(hostile) - len(written))
	}
	_, err = pki.Key(block("ENCRYPTED PRIVATE KEY", der)).Decrypt(passphrase)
	if !errors.Is(err, diag.PKIEncryption) || !strings.Contains(err.Error(), "2147483647 iterations") {
		t.Errorf("Decrypt() = %v, want %s", err, diag.PKIEncryption)
	}
}

// lengths returns where the lengths of the ASN.1 values around an offset
// stand.
func lengths(t *testing.T, der []byte, offset int) (out []int) {
	t.Helper()
	for at := 0; at < offset; {
		var v asn1.RawValue
		rest, err := asn1.Unmarshal(der[at:], &v)
		if err != nil {
			t.Fatal(err)
		}
		end := len(der) - len(rest)
		header := len(v.FullBytes) - len(v.Bytes)
		if offset < end {
			out = append(out, at+header-1)
			at += header
			continue
		}
		at = end
	}
	return out
}

// quick is a key of this test alone, under one iteration.
const quick = `-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHrMFYGCSqGSIb3DQEFDTBJMCgGCSqGSIb3DQEFDDAbBAgApo7qMuzv8wIBATAM
BggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQbSxki+dY7jNdsaIg9WFtJQSBkImY
v8I7WsP7omCoVunjxnVafp354CQ3D2y4Fqq4gJXRV7nIBSegHqOb4OPp0xrvo2Wd
PELRkVktabaa62DLTvnqf9KBFAm1NPTDLLFkhckO/GoUGrQjdP+kqfUXMwIqgdM7
PgC5qzVGPqkNToERf2rYp90mV0Io4rPDnm6oJWfO1SzIwBHVk6bildqqpbyaaA==
-----END ENCRYPTED PRIVATE KEY-----
`

func FuzzDecrypt(f *testing.F) {
	a := newAuthority(f, "fuzzed")
	// One iteration, so that the fuzzer spends its time on the parser.
	f.Add([]byte(a.KeyPEM()), "p")
	f.Add([]byte(quick), "correct horse")
	f.Add([]byte(quick), "wrong")
	f.Fuzz(func(t *testing.T, data []byte, pass string) {
		key, err := pki.Key(data).Decrypt(secret.New(pass))
		if err != nil {
			if len(diag.Of(err)) == 0 {
				t.Errorf("refused without a code: %v", err)
			}
			return
		}
		if key.Encrypted() || !bytes.HasPrefix(key, []byte("-----BEGIN PRIVATE KEY-----")) {
			t.Error("what was decrypted is no key in the clear")
		}
	})
}
