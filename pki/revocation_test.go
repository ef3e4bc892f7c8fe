package pki_test

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki"
)

func TestARevocationListSaysWhatOthersRead(t *testing.T) {
	t.Parallel()
	now := time.Now().Truncate(time.Second)
	root := newAuthority(t, "root")
	for name, a := range map[string]*pki.Authority{"root": root, "intermediate": intermediate(t, root)} {
		bad := issue(t, a, pki.Request{CommonName: "bad", Usage: pki.Client})
		good := issue(t, a, pki.Request{CommonName: "good", Usage: pki.Client})
		list, err := a.RevocationList(7, []pki.Revoked{
			{Serial: new(big.Int).Lsh(big.NewInt(1), 130), At: now.Add(-time.Hour)},
			{Serial: bad.Chain()[0].SerialNumber, At: now, Reason: 1},
		}, now, now.Add(7*24*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		b, rest := pem.Decode(list)
		if b == nil || b.Type != "X509 CRL" || len(rest) > 0 {
			t.Fatalf("%s: not one PEM block: %s", name, list)
		}
		crl, err := x509.ParseRevocationList(b.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		if err := crl.CheckSignatureFrom(a.Chain()[0]); err != nil {
			t.Error(err)
		}
		entries := crl.RevokedCertificateEntries
		if crl.Number.Int64() != 7 || !crl.NextUpdate.Equal(now.Add(7*24*time.Hour)) || len(entries) != 2 ||
			entries[0].SerialNumber.Cmp(bad.Chain()[0].SerialNumber) != 0 || entries[0].ReasonCode != 1 || !entries[0].RevocationTime.Equal(now) {
			t.Errorf("%s: the list reads %+v", name, crl.RevokedCertificateEntries)
		}
		opensslHonours(t, a, list, good, bad)
	}
}

func opensslHonours(t *testing.T, a *pki.Authority, list []byte, good, bad *pki.Certificate) {
	t.Helper()
	crl := file(t, "ca.crl", list)
	trust := file(t, "ca.pem", chainPEM(a))
	out, err := openssl(t, "crl", "-in", crl, "-noout", "-text", "-CAfile", trust)
	if err != nil {
		t.Fatalf("openssl crl: %v\n%s", err, out)
	}
	serial := strings.ToUpper(bad.Serial())
	for _, want := range []string{"verify OK", "Version 2", "X509v3 CRL Number: \n                7", "Serial Number: " + serial, "Key Compromise"} {
		if !strings.Contains(out, want) {
			t.Errorf("openssl does not say %q:\n%s", want, out)
		}
	}
	for c, want := range map[*pki.Certificate]bool{good: true, bad: false} {
		out, err := openssl(t, "verify", "-crl_check", "-CRLfile", crl, "-CAfile", trust, file(t, "leaf.pem", c.PEM()))
		if (err == nil) != want || !want && !strings.Contains(out, "certificate revoked") {
			t.Errorf("openssl on %s: %v\n%s\nwant accepted = %v", c, err, out, want)
		}
	}
}

func TestAnEmptyRevocationListIsOne(t *testing.T) {
	t.Parallel()
	now := time.Now()
	list, err := newAuthority(t, "root").RevocationList(1, nil, now, now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if out, err := openssl(t, "crl", "-noout", "-text", "-in", file(t, "ca.crl", list)); err != nil || !strings.Contains(out, "No Revoked Certificates") {
		t.Errorf("openssl: %v\n%s", err, out)
	}
}

func TestListsThatCannotBeRightAreNotSigned(t *testing.T) {
	t.Parallel()
	now := time.Now()
	one := big.NewInt(1)
	for name, tt := range map[string]struct {
		number int64
		list   []pki.Revoked
		next   time.Duration
		want   string
	}{
		"number 0":      {0, nil, time.Hour, "number is 0, want 1 and more"},
		"number below":  {-1, nil, time.Hour, "number is -1"},
		"next is past":  {1, nil, 0, "is not after this one"},
		"no serial":     {1, []pki.Revoked{{At: now}}, time.Hour, "entry 1 has no serial number"},
		"serial zero":   {1, []pki.Revoked{{Serial: new(big.Int), At: now}}, time.Hour, "entry 1 has no serial number"},
		"twice":         {1, []pki.Revoked{{Serial: one, At: now}, {Serial: big.NewInt(1), At: now}}, time.Hour, "serial number 1 is listed twice"},
		"reason 7":      {1, []pki.Revoked{{Serial: one, At: now, Reason: 7}}, time.Hour, "has reason 7"},
		"reason 8":      {1, []pki.Revoked{{Serial: one, At: now, Reason: 8}}, time.Hour, "has reason 8"},
		"reason 11":     {1, []pki.Revoked{{Serial: one, At: now, Reason: 11}}, time.Hour, "has reason 11"},
		"reason -1":     {1, []pki.Revoked{{Serial: one, At: now, Reason: -1}}, time.Hour, "has reason -1"},
		"to be revoked": {1, []pki.Revoked{{Serial: one, At: now.Add(time.Minute)}}, time.Hour, "which is not in the past"},
		"no time":       {1, []pki.Revoked{{Serial: one}}, time.Hour, "which is not in the past"},
	} {
		_, err := newAuthority(t, "root").RevocationList(tt.number, tt.list, now, now.Add(tt.next))
		if !errors.Is(err, diag.PKIRevocation) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s with %q", name, err, diag.PKIRevocation, tt.want)
		}
	}
}

func TestAnAuthorityThatMayNotRevokeSaysSo(t *testing.T) {
	t.Parallel()
	now := time.Now()
	key := rsaKey(t, 2048)
	root := foreignRoot(t, key, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign })
	bare, err := x509.ParseCertificate(without(t, foreignRoot(t, key, nil).cert, key, asn1.ObjectIdentifier{2, 5, 29, 14}))
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]foreign{"no cRLSign": root, "no subject key identifier": {bare, key}} {
		a, err := pki.ParseAuthority(f.pem(), f.keyPEM(t))
		if err != nil {
			t.Fatal(err)
		}
		_, err = a.RevocationList(1, nil, now, now.Add(time.Hour))
		if !errors.Is(err, diag.PKIIssuer) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, want %s", name, err, diag.PKIIssuer)
		}
	}
}
