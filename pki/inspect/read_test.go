package inspect_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki"
	"github.com/slipway-go/slipway/pki/inspect"
)

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func TestFilesAreReadInAnyForm(t *testing.T) {
	t.Parallel()
	o := newOrder(t, nil)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(o.leaf.key)
	if err != nil {
		t.Fatal(err)
	}
	revoked := crl(t, o.middle, now.Add(day), o.leaf)
	all := bytes.Join([][]byte{
		[]byte("Bag Attributes\n    friendlyName: kafka\n"), encode(o.leaf.Certificate), []byte("issuer=/CN=x\n"), encode(o.middle.Certificate),
		block("PRIVATE KEY", pkcs8), block("ENCRYPTED PRIVATE KEY", []byte("x")), block("X509 CRL", revoked.Raw), block("EC PARAMETERS", []byte("x")),
	}, nil)
	for name, tt := range map[string]struct {
		data []byte
		want string
	}{
		"PEM with text around it":     {all, "2 1 1 1"},
		"PEM with Windows' line ends": {bytes.ReplaceAll(all, []byte("\n"), []byte("\r\n")), "2 1 1 1"},
		"a certificate in DER":        {o.leaf.Raw, "1 0 0 0"},
		"several in DER":              {append(bytes.Clone(o.leaf.Raw), o.middle.Raw...), "2 0 0 0"},
		"a list in DER":               {revoked.Raw, "0 1 0 0"},
		"a key in DER":                {pkcs8, "0 0 1 0"},
	} {
		c, err := inspect.Read(tt.data)
		if got := fmt.Sprint(len(c.Certificates), len(c.Lists), len(c.Keys), c.Locked); err != nil || got != tt.want {
			t.Errorf("%s: Read() = %s, %v, want %s", name, got, err, tt.want)
		}
	}
	c, _ := inspect.Read(all)
	if got := inspect.Judge(c.Certificates, inspect.Config{Keys: c.Keys, Lists: c.Lists, Roots: list(o.root), Now: now}); strings.Join(codes(got.Findings), " ") != "SLP-PKI-097" || got.Trusted {
		t.Errorf("findings %v, trusted %t", got.Findings, got.Trusted)
	}
}

func TestFilesThatAreNoneAreRefusedWithTheirCode(t *testing.T) {
	t.Parallel()
	o := newOrder(t, nil)
	negative := bytes.Clone(o.leaf.Raw)
	serial := o.leaf.SerialNumber.Bytes()
	negative[bytes.Index(negative, serial)] |= 0x80
	if _, err := x509.ParseCertificate(negative); err == nil {
		t.Fatal("Go reads a negative serial number")
	}
	whole := encode(o.leaf.Certificate)
	for name, tt := range map[string]struct {
		data []byte
		want diag.Code
	}{
		"nothing":               {nil, diag.InspectFile},
		"text":                  {[]byte("hello"), diag.InspectFile},
		"too much":              {make([]byte, 2<<20), diag.InspectFile},
		"too many":              {bytes.Repeat(block("EC PARAMETERS", []byte("x")), 1001), diag.InspectFile},
		"too many lists":        {bytes.Repeat(block("X509 CRL", crl(t, o.root, now.Add(day)).Raw), 21), diag.InspectFile},
		"a key that is too big": {block("CERTIFICATE", tooBig(t, o.root)), diag.InspectFile},
		"DER and more":          {append(bytes.Clone(o.leaf.Raw), 1, 2, 3), diag.InspectFile},
		"cut short":             {whole[:len(whole)-30], diag.InspectFile},
		"DER cut short":         {o.leaf.Raw[:100], diag.InspectFile},
		"damaged":               {block("CERTIFICATE", o.leaf.Raw[:100]), diag.InspectFile},
		"a damaged key":         {block("EC PRIVATE KEY", []byte("x")), diag.InspectFile},
		"a damaged list":        {block("X509 CRL", []byte("x")), diag.InspectFile},
		"a request":             {block("CERTIFICATE REQUEST", []byte("x")), diag.InspectFile},
		"openssl's own":         {block("TRUSTED CERTIFICATE", o.leaf.Raw), diag.InspectFile},
		"negative serial, PEM":  {block("CERTIFICATE", negative), diag.CertSerial},
		"negative serial, DER":  {negative, diag.CertSerial},
	} {
		if _, err := inspect.Read(tt.data); !errors.Is(err, tt.want) {
			t.Errorf("%s: Read() = %v, want %s", name, err, tt.want)
		}
	}
}

// tooBig is a certificate for an RSA key that nobody could verify with in time.
func tooBig(t *testing.T, issuer *holder) []byte {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now, NotAfter: now.Add(day)}
	key := &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 17<<10, 1), E: 65537}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer.Certificate, key, issuer.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestWithinIsATimeOrAPartOfTheLife(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"30d": 30 * day, "12h": 12 * time.Hour, "20%": 20 * day, "0.5%": 12 * time.Hour} {
		w, err := inspect.ParseWithin(text)
		if err != nil || w.Reserve(100*day) != want || w.String() != text {
			t.Errorf("ParseWithin(%s) = %v, %v: %v of 100 days, want %v", text, w, err, w.Reserve(100*day), want)
		}
	}
	for _, text := range []string{"", "0%", "100%", "-5%", "x%", "30", "0s", "1w", "NaN%"} {
		if w, err := inspect.ParseWithin(text); err == nil {
			t.Errorf("ParseWithin(%q) = %v", text, w)
		}
	}
	var usual inspect.Within
	if got := []time.Duration{usual.Reserve(100 * day), usual.Reserve(3650 * day)}; got[0] != 20*day || got[1] != 30*day {
		t.Errorf("the usual reserve of 100 days and of ten years is %v", got)
	}
	root := sign(t, "root", nil, authority)
	soon := crl(t, root, now.Add(day))
	if !within("30d").NearList(soon, now.Add(12*time.Hour)) || within("30d").NearList(soon, now) {
		t.Error("a list of three days is near its end half a day before it, and not a day")
	}
}

// What pki issues is good, whatever it is for.
func TestWhatIsIssuedHereHasNoFindings(t *testing.T) {
	t.Parallel()
	root, err := pki.NewAuthority("Kafka prod root", now)
	if err != nil {
		t.Fatal(err)
	}
	middle, err := root.Intermediate("Kafka prod issuing 1", now)
	if err != nil {
		t.Fatal(err)
	}
	roots := []*x509.Certificate{middle.Root()}
	for _, req := range []pki.Request{
		{CommonName: "kafka-0", Usage: pki.Peer, DNSNames: []string{"kafka-0.example.com"}},
		{CommonName: "registry", Usage: pki.Server, DNSNames: []string{"registry.example.com"}},
		{CommonName: "svc-orders-prod", Usage: pki.Client},
	} {
		req.Now = now
		cert, err := middle.Issue(req)
		if err != nil {
			t.Fatal(err)
		}
		report := inspect.Judge(cert.Chain(), inspect.Config{Roots: roots, Usage: req.Usage, Keys: nil, Now: now})
		if len(report.Findings) > 0 || !report.Trusted || len(report.Path) != 3 {
			t.Errorf("%s: %v, trusted %t, %d on the path", req.CommonName, report.Findings, report.Trusted, len(report.Path))
		}
	}
	if report := inspect.Judge(middle.Chain(), inspect.Config{Now: now}); len(report.Findings) > 0 || report.Leaf != nil {
		t.Errorf("the authorities: %v", report.Findings)
	}
}

func FuzzRead(f *testing.F) {
	o := newOrder(f, nil)
	f.Add(encode(o.leaf.Certificate, o.middle.Certificate))
	f.Add(o.leaf.Raw)
	f.Add(crl(f, o.root, now, o.middle).Raw)
	f.Add([]byte("-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n"))
	f.Add(big.NewInt(1 << 40).Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := inspect.Read(data)
		if err != nil {
			if len(diag.Of(err)) != 1 {
				t.Errorf("Read() = %v, without a code", err)
			}
			return
		}
		if c.Empty() {
			t.Error("Read() found nothing and said nothing")
		}
		report := inspect.Judge(c.Certificates, inspect.Config{Roots: list(o.root), Lists: c.Lists, Keys: c.Keys, Host: "a", Now: now})
		if seen := len(report.Path) + len(report.Others); len(c.Certificates) > 0 && seen == 0 {
			t.Errorf("%d certificates, and none in the report", len(c.Certificates))
		}
	})
}
