package pki_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki"
)

func FuzzImport(f *testing.F) {
	for _, dir := range []string{"cfssl", "cfssl-json", "step", "organisation"} {
		var all, one []byte
		for _, data := range tree(f, filepath.Join("testdata", "import", dir)) {
			all, one = append(all, data...), data
		}
		f.Add(all, one)
	}
	f.Add([]byte(`{"cert":"-----BEGIN CERTIFICATE-----","key":"x"}`), []byte(`{"a":[[[]]]}`))
	f.Add([]byte(quick), []byte("-----BEGIN EC PARAMETERS-----\n-----END EC PARAMETERS-----"))
	f.Fuzz(func(t *testing.T, one, two []byte) {
		a, err := pki.Import(map[string][]byte{"one": one, "two": two}, passphrase)
		if err == nil {
			if _, err := pki.ParseAuthority(chainPEM(a), a.KeyPEM()); err != nil {
				t.Errorf("imported what cannot be read back: %v", err)
			}
			return
		}
		if len(diag.Of(err)) == 0 {
			t.Errorf("refused without a code: %v", err)
		}
		for _, data := range [][]byte{one, two} {
			if i := strings.Index(string(data), "PRIVATE KEY-----\n"); i > 0 && len(data) > i+80 && strings.Contains(err.Error(), string(data[i+20:i+60])) {
				t.Errorf("the error quotes the key: %v", err)
			}
		}
	})
}
