package pki_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki"
)

func files(tb testing.TB, name string) (cert, key []byte) {
	tb.Helper()
	a, err := pki.NewAuthority(name, time.Now())
	if err != nil {
		tb.Fatal(err)
	}
	dir := filepath.Join(tb.TempDir(), "pki")
	if err := a.Save(dir); err != nil {
		tb.Fatal(err)
	}
	cert, err = os.ReadFile(filepath.Join(dir, pki.AuthorityFile))
	if err != nil {
		tb.Fatal(err)
	}
	key, err = os.ReadFile(filepath.Join(dir, pki.AuthorityKeyFile))
	if err != nil {
		tb.Fatal(err)
	}
	return cert, key
}

func TestParseAuthorityTakesNothingElse(t *testing.T) {
	t.Parallel()
	cert, key := files(t, "one")
	otherCert, otherKey := files(t, "two")
	a, err := pki.ParseAuthority(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf := issue(t, a, pki.Request{CommonName: "svc", Usage: pki.Client})

	for name, tt := range map[string]struct {
		cert, key []byte
		want      string
	}{
		"another's key":         {cert, otherKey, "the key does not belong to the certificate"},
		"a leaf":                {leaf.PEM(), leaf.KeyPEM(), `"svc" is not an authority's`},
		"a foreign chain":       {append(bytes.Clone(cert), otherCert...), key, "is not signed by the one that follows it"},
		"empty":                 {nil, key, "no PEM block CERTIFICATE"},
		"no key":                {cert, nil, "no PEM block PRIVATE KEY"},
		"swapped":               {key, cert, "PEM block 1 is not a CERTIFICATE"},
		"two keys":              {cert, append(bytes.Clone(key), key...), "more than 1 PEM blocks"},
		"junk before":           {append([]byte("# mine\n"), cert...), key, "PEM block 1 is not a CERTIFICATE"},
		"junk behind":           {append(bytes.Clone(cert), "junk"...), key, "PEM block 2 is not a CERTIFICATE"},
		"long chain":            {bytes.Repeat(cert, 5), key, "more than 4 PEM blocks"},
		"huge":                  {bytes.Repeat(cert, 200), key, "at most 65536"},
		"cut short":             {cert[:len(cert)/2], key, "PEM block 1 is damaged"},
		"a key of another kind": {cert, []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), "not a PKCS#8 key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := pki.ParseAuthority(tt.cert, tt.key); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("ParseAuthority() = %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func FuzzParseAuthority(f *testing.F) {
	cert, key := files(f, "fuzzed")
	f.Add(cert, key)
	f.Add(append(bytes.Clone(cert), cert...), key)
	f.Add(cert[:len(cert)-30], key[:40])
	f.Add([]byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----"), []byte{})
	f.Fuzz(func(t *testing.T, cert, key []byte) {
		a, err := pki.ParseAuthority(cert, key)
		if err != nil {
			if len(diag.Of(err)) == 0 {
				t.Errorf("refused without a code: %v", err)
			}
			if len(key) > 100 && strings.Contains(err.Error(), string(key[30:60])) {
				t.Errorf("the error quotes the key: %v", err)
			}
			return
		}
		c, err := a.Issue(pki.Request{CommonName: "svc", Usage: pki.Client, Now: a.NotAfter().Add(-time.Hour)})
		if err == nil && !bytes.Contains(c.PEM(), []byte("CERTIFICATE")) {
			t.Error("issued nothing")
		}
	})
}
