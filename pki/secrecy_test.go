package pki_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/pki"
)

// shown renders a value in every way that Go has of turning one into text.
func shown(t *testing.T, v any) string {
	t.Helper()
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "% x", "%o", "%b", "%c", "%U", "%T"} {
		fmt.Fprintf(&out, verb+"\n", v)
		fmt.Fprintf(&out, verb+"\n", []any{v, map[string]any{"v": v}, struct{ V any }{v}})
	}
	fmt.Fprintln(&out, v, errors.New("x"), fmt.Errorf("wrapped: %v", v))
	for _, encode := range []func(any) ([]byte, error){json.Marshal, yaml.Marshal, xml.Marshal} {
		if data, err := encode(v); err == nil {
			out.Write(data)
		}
		if data, err := encode(struct{ V any }{v}); err == nil {
			out.Write(data)
		}
	}
	for _, h := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
		slog.New(h).Info("shown", "v", v, "group", slog.GroupValue(slog.Any("v", v)))
	}
	return out.String()
}

// fingerprints are the ways in which the private part of a key could appear.
func fingerprints(t *testing.T, key pki.Key) []string {
	t.Helper()
	b, _ := pem.Decode(key)
	parsed, err := x509.ParsePKCS8PrivateKey(b.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	var d *big.Int
	switch key := parsed.(type) {
	case *ecdsa.PrivateKey:
		scalar, err := key.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		d = new(big.Int).SetBytes(scalar)
	case *rsa.PrivateKey:
		d = key.D
	}
	return []string{
		"PRIVATE", d.String(), hex.EncodeToString(d.Bytes())[4:40], strings.ToUpper(hex.EncodeToString(d.Bytes())[4:40]),
		fmt.Sprintf("% x", d.Bytes()[2:16]), strings.Trim(fmt.Sprintf("%v", d.Bytes()[2:16]), "[]"),
		strings.TrimRight(base64.StdEncoding.EncodeToString(d.Bytes()[3:30]), "="), string(key[40:80]),
	}
}

func TestNoExportedTypeShowsAKey(t *testing.T) {
	t.Parallel()
	for _, kind := range []pki.KeyType{pki.ECDSAP256, pki.RSA3072} {
		root, err := pki.NewAuthority("shy", time.Now(), pki.WithKey(kind))
		if err != nil {
			t.Fatal(err)
		}
		c := issue(t, root, pki.Request{CommonName: "svc", Usage: pki.Client, Key: kind})
		request, key, err := pki.NewSigningRequest("svc", kind)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := pki.ParseSigningRequest(request)
		if err != nil {
			t.Fatal(err)
		}
		secrets := fingerprints(t, root.KeyPEM())
		secrets = append(secrets, fingerprints(t, c.KeyPEM())...)
		secrets = append(secrets, fingerprints(t, key)...)
		for name, v := range map[string]any{
			"Authority": root, "Authority by value": *root, "Certificate": c, "Certificate by value": *c,
			"Key": key, "*Key": &key, "keys": []pki.Key{root.KeyPEM(), c.KeyPEM()}, "by name": map[string]pki.Key{"k": key},
			"SigningRequest": parsed, "SigningRequest by value": *parsed, "Request": pki.Request{CommonName: "svc"},
			"KeyType": kind, "Constraints": pki.Constraints{DNSDomains: []string{"a.example"}},
			"Revoked": pki.Revoked{Serial: big.NewInt(1)}, "Usage": pki.Peer, "Option": pki.WithKey(kind),
		} {
			text := shown(t, v)
			for i, secret := range secrets {
				if strings.Contains(text, secret) {
					t.Errorf("%s, %s: the output holds fingerprint %d", kind, name, i)
				}
			}
			if strings.Contains(name, "Key") && name != "KeyType" && !strings.Contains(text, "***") {
				t.Errorf("%s: a key is not shown as ***", name)
			}
		}
	}
}

// The list above walks every exported type; this keeps it complete.
func TestEveryExportedTypeIsWalked(t *testing.T) {
	t.Parallel()
	test, err := os.ReadFile("secrecy_test.go")
	if err != nil {
		t.Fatal(err)
	}
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, name := range sources {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			rest, ok := strings.CutPrefix(line, "type ")
			if !ok || strings.HasSuffix(name, "_test.go") || rest[0] < 'A' || rest[0] > 'Z' {
				continue
			}
			n++
			if typ := strings.Fields(rest)[0]; !bytes.Contains(test, []byte(`"`+typ+`"`)) {
				t.Errorf("%s of %s is not walked", typ, name)
			}
		}
	}
	if n < 9 {
		t.Errorf("%d exported types were found", n)
	}
}

func TestNoRefusalQuotesAKeyOrAPassphrase(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "shy")
	locked, err := pki.Key(quick).Decrypt(passphrase)
	if err != nil {
		t.Fatal(err)
	}
	key := a.KeyPEM()
	pass := secret.New("Tr0ub4dor&3")
	half := key[:len(key)-40]
	var all []string
	note := func(_ any, err error) {
		if err == nil {
			t.Error("nothing was refused")
			return
		}
		all = append(all, err.Error())
	}
	note(pki.ParseAuthority(a.PEM(), half))
	note(pki.ParseAuthority(a.PEM(), locked))
	note(pki.ParseAuthority(key, a.PEM()))
	note(half.Encrypt(pass))
	note(pki.Key(quick).Decrypt(pass))
	note(pki.ParseSigningRequest(key))
	note(pki.Import(map[string][]byte{"ca.pem": a.PEM(), "ca-key.pem": half}, pass))
	note(pki.Import(map[string][]byte{"ca.pem": a.PEM(), "ca-key.pem": []byte(quick)}, pass))
	note(pki.Import(map[string][]byte{"ca.json": fmt.Appendf(nil, `{"cert":"x","key":%q}`, string(half))}, pass))
	text := strings.Join(all, "\n")
	for i, secret := range append(fingerprints(t, key)[1:], append(fingerprints(t, locked)[1:], pass.Reveal(), "correct horse")...) {
		if strings.Contains(text, secret) {
			t.Errorf("a refusal holds fingerprint %d:\n%s", i, text)
		}
	}
}
