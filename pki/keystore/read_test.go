package keystore_test

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	jks "github.com/pavlo-v-chernykh/keystore-go/v4"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/pki/keystore"
)

// jksWith is a JKS file that says what it likes of its lengths, without a digest:
// nobody gets that far.
func jksWith(numbers ...uint32) []byte {
	b := []byte{0xFE, 0xED, 0xFE, 0xED}
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return b
}

// twoKeys is a JKS file that keytool would make of two services.
func twoKeys(t *testing.T, e keystore.Entry) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(e.Key)
	if err != nil {
		t.Fatal(err)
	}
	ks := jks.New()
	for _, alias := range []string{"one", "two"} {
		entry := jks.PrivateKeyEntry{CreationTime: time.Now(), PrivateKey: der, CertificateChain: []jks.Certificate{{Type: "X.509", Content: e.Chain[0].Raw}}}
		if err := ks.SetPrivateKeyEntry(alias, entry, []byte(password)); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := ks.Store(&out, []byte(password)); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// laborious is a PKCS#12 file that asks for n rounds.
func laborious(t *testing.T, e keystore.Entry, n int) []byte {
	t.Helper()
	data, err := pkcs12.Modern2023.WithIterations(1).Encode(e.Key, e.Chain[0], nil, password)
	if err != nil {
		t.Fatal(err)
	}
	// The MAC's rounds come last, and 1 is left out, being the default.
	var outer asn1.RawValue
	if _, err := asn1.Unmarshal(data, &outer); err != nil {
		t.Fatal(err)
	}
	var parts []asn1.RawValue
	for rest := outer.Bytes; len(rest) > 0; {
		var part asn1.RawValue
		if rest, err = asn1.Unmarshal(rest, &part); err != nil {
			t.Fatal(err)
		}
		parts = append(parts, part)
	}
	rounds, err := asn1.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	mac := parts[2]
	mac.FullBytes, mac.Bytes = nil, append(slices.Clone(mac.Bytes), rounds...)
	der, err := asn1.Marshal([]asn1.RawValue{parts[0], parts[1], mac})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestHostileAndForeignFilesAreToldApart(t *testing.T) {
	t.Parallel()
	e, root := chain(t, "ecdsa-p256")
	store, trust := write(t, keystore.JKS, e, root)
	p12, _ := write(t, keystore.PKCS12, e, root)
	text, err := keystore.Keystore(keystore.PEM, e, secret.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	key := text[:bytes.Index(text, []byte("-----BEGIN CERT"))]
	rootPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw})
	unsealed, err := pkcs12.Passwordless.EncodeTrustStore([]*x509.Certificate{root}, "")
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		data []byte
		want diag.Code
	}{
		"nothing":                   {nil, diag.KeystoreFormat},
		"a picture":                 {[]byte("\x89PNG\r\n"), diag.KeystoreFormat},
		"a certificate in DER":      {root.Raw, diag.KeystoreFormat},
		"two megabytes":             {make([]byte, 2<<20), diag.KeystoreDamaged},
		"JCEKS":                     {[]byte{0xCE, 0xCE, 0xCE, 0xCE, 0, 0, 0, 2}, diag.KeystoreUnsupported},
		"BER":                       {[]byte{0x30, 0x80, 2, 1, 3, 0, 0}, diag.KeystoreUnsupported},
		"JKS of two keys":           {twoKeys(t, e), diag.KeystoreSeveral},
		"JKS of nothing":            {jksWith(), diag.KeystoreDamaged},
		"JKS of 4 billion entries":  {jksWith(2, 1<<32-1), diag.KeystoreDamaged},
		"JKS with a 4 GB key":       {append(jksWith(2, 1, 1), "\x00\x01a\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff"...), diag.KeystoreDamaged},
		"JKS cut off":               {store[:len(store)-1], diag.KeystoreDamaged},
		"JKS that goes on":          {append(slices.Clone(trust), 0), diag.KeystoreDamaged},
		"JKS changed":               {flip(trust, len(trust)/2), diag.KeystoreRefused},
		"PKCS#12 cut off":           {p12[:len(p12)-1], diag.KeystoreFormat},
		"PKCS#12 changed":           {flip(p12, 200), diag.KeystoreRefused},
		"PKCS#12 of 2^31-1 rounds":  {laborious(t, e, 1<<31-1), diag.KeystoreDamaged},
		"PKCS#12 of minus 1 rounds": {laborious(t, e, -1), diag.KeystoreDamaged},
		"PKCS#12 without a seal":    {unsealed, diag.KeystoreRefused},
		"PEM of a key alone":        {key, diag.KeystoreMismatch},
		"PEM of another's":          {slices.Concat(key, rootPEM), diag.KeystoreMismatch},
		"PEM of two keys":           {slices.Concat(key, text), diag.KeystoreSeveral},
		"PEM cut off":               {text[:len(text)-40], diag.KeystoreDamaged},
		"PEM of something else":     {[]byte("-----BEGIN MESSAGE-----\nAAAA\n-----END MESSAGE-----\n"), diag.KeystoreDamaged},
		"PEM of 1,001 certificates": {bytes.Repeat(rootPEM, 1001), diag.KeystoreDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := keystore.Read(tt.data, secret.New(password))
			if !errors.Is(err, tt.want) {
				t.Errorf("Read() = %v, %v, want %s", got, err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), password) {
				t.Errorf("the error holds the password: %v", err)
			}
		})
	}
	if got, err := keystore.Read(unsealed, secret.Secret{}); err != nil || len(got.Roots) != 1 {
		t.Errorf("without a password the unsealed truststore is %v, %v, want one root", got, err)
	}
}

func flip(data []byte, at int) []byte {
	out := slices.Clone(data)
	out[at] ^= 1
	return out
}

func TestTheMostWorkThatIsDoneIsBounded(t *testing.T) {
	t.Parallel()
	e, _ := chain(t, "ecdsa-p256")
	data := laborious(t, e, 1_999_990)
	if _, err := keystore.Read(data, secret.New(password)); !errors.Is(err, diag.KeystoreRefused) {
		t.Errorf("Read() = %v, want %s", err, diag.KeystoreRefused)
	}
}

func TestAFilesLengthsAreNotBelieved(t *testing.T) {
	huge := append(jksWith(2, 1, 1), "\x00\x01a\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff"...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 10 {
		if _, err := keystore.Read(huge, secret.New(password)); err == nil {
			t.Error("a file of 30 bytes has a key of 4 GB")
		}
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("30 bytes, read ten times, took %d bytes of memory", got)
	}
}

func FuzzRead(f *testing.F) {
	e, root := chain(f, "ecdsa-p256")
	for _, format := range keystore.Formats() {
		store, trust := write(f, format, e, root)
		f.Add(store)
		f.Add(trust)
	}
	// Files of few rounds, so that what lies behind the seal is reached often.
	quick, err := pkcs12.LegacyDES.WithIterations(1).Encode(e.Key, e.Chain[0], e.Chain[1:], password)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(quick)
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := keystore.Read(data, secret.New(password))
		if err != nil {
			if len(diag.Of(err)) == 0 {
				t.Errorf("an error without a code: %v", err)
			}
			return
		}
		if (got.Entry.Key == nil) == (len(got.Roots) == 0) {
			t.Errorf("%s with key %t and %d roots", got.Format, got.Entry.Key != nil, len(got.Roots))
		}
		if got.Entry.Key == nil {
			return
		}
		got.Entry.Alias = ""
		if _, err := keystore.Keystore(keystore.PEM, got.Entry, secret.Secret{}); err != nil {
			t.Errorf("what was read cannot be written: %v", err)
		}
	})
}
