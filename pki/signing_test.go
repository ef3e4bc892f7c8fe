package pki_test

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki"
)

// csr makes a request the way somebody might who wants more than they get.
func csr(t testing.TB, key crypto.Signer, template x509.CertificateRequest) []byte {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &template, key)
	if err != nil {
		t.Fatal(err)
	}
	return block("CERTIFICATE REQUEST", der)
}

func extension(t testing.TB, oid asn1.ObjectIdentifier, value any) []pkix.Extension {
	t.Helper()
	der, err := asn1.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return []pkix.Extension{{Id: oid, Value: der}}
}

type basicConstraints struct {
	IsCA       bool `asn1:"optional"`
	MaxPathLen int  `asn1:"optional,default:-1"`
}

var (
	keyUsage         = asn1.ObjectIdentifier{2, 5, 29, 15}
	constraintsOID   = asn1.ObjectIdentifier{2, 5, 29, 19}
	extendedKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 37}
	serverAuth       = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 1}
	clientAuth       = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 2}
	codeSigning      = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 3}
	anyUsage         = asn1.ObjectIdentifier{2, 5, 29, 37, 0}
)

func TestOnlyTheKeyIsTakenFromASigningRequest(t *testing.T) {
	t.Parallel()
	a, key := intermediate(t, newAuthority(t, "root")), newKey(t)
	uri, _ := url.Parse("javascript:alert(1)")
	greedy := csr(t, key, x509.CertificateRequest{
		Subject:     pkix.Name{CommonName: "admin", Organization: []string{"x"}},
		DNSNames:    []string{"kafka-0.example", "*.example"},
		IPAddresses: []net.IP{net.IPv4(10, 0, 0, 1), net.IPv4zero},
		URIs:        []*url.URL{uri}, EmailAddresses: []string{"a@b.example"},
		ExtraExtensions: append(extension(t, keyUsage, asn1.BitString{Bytes: []byte{0xa0}, BitLength: 3}),
			append(extension(t, asn1.ObjectIdentifier{1, 2, 3}, 1), extension(t, extendedKeyUsage, []asn1.ObjectIdentifier{clientAuth})...)...),
	})
	req := pki.Request{CommonName: "svc-orders-dev", Usage: pki.Peer, DNSNames: []string{"KAFKA-0.example"}, IPs: addresses("10.0.0.1"), Lifetime: time.Hour}
	c, err := a.Sign(greedy, req)
	if err != nil {
		t.Fatal(err)
	}
	leaf := c.Chain()[0]
	want := issue(t, a, req).Chain()[0]
	if got := leaf.Subject.String(); got != "CN=svc-orders-dev" {
		t.Errorf("subject = %s, want the policy's", got)
	}
	ids := func(cert *x509.Certificate) (out []string) {
		for _, e := range cert.Extensions {
			out = append(out, e.Id.String())
			if e.Id.String() != "2.5.29.35" {
				out = append(out, string(e.Value))
			}
		}
		return out
	}
	if diff := cmp.Diff(ids(want), ids(leaf)); diff != "" {
		t.Errorf("the extensions are not those of an issued certificate (-want +got):\n%s", diff)
	}
	if !key.PublicKey.Equal(leaf.PublicKey) || c.Signer() != nil || c.KeyPEM() != nil || c.TLS().PrivateKey != nil {
		t.Error("the certificate is not the request's key alone")
	}
	if err := verify(c, a.Root(), x509.ExtKeyUsageClientAuth, time.Now()); err != nil {
		t.Error(err)
	}

	asked, err := pki.ParseSigningRequest(greedy)
	if err != nil {
		t.Fatal(err)
	}
	wantHeld := []string{
		`subject "CN=admin,O=x"`, `DNS name "*.example"`, "address 0.0.0.0", `e-mail address "a@b.example"`,
		`URI "javascript:alert(1)"`, "key usage bit 2", "extension 1.2.3",
	}
	if diff := cmp.Diff(wantHeld, asked.Withheld(req)); diff != "" {
		t.Errorf("Withheld() (-want +got):\n%s", diff)
	}
	if got := asked.CommonName(); got != "admin" {
		t.Errorf("CommonName() = %q", got)
	}
}

func TestAModestSigningRequestGetsAllItAsksFor(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "root")
	for _, kind := range []pki.KeyType{"", pki.ECDSAP384, pki.RSA3072} {
		request, key, err := pki.NewSigningRequest("svc-orders-dev", kind)
		if err != nil {
			t.Fatal(err)
		}
		req := pki.Request{CommonName: "svc-orders-dev", Usage: pki.Client}
		parsed, err := pki.ParseSigningRequest(request)
		if err != nil {
			t.Fatal(err)
		}
		if held := parsed.Withheld(req); len(held) > 0 || parsed.String() != `signing request "svc-orders-dev"` {
			t.Errorf("%s withholds %q", parsed, held)
		}
		c, err := a.Sign(request, req)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := pem.Decode(key)
		signer, err := x509.ParsePKCS8PrivateKey(b.Bytes)
		if err != nil || !signer.(crypto.Signer).Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(c.Chain()[0].PublicKey) {
			t.Errorf("the key is not the certificate's: %v", err)
		}
		if out, err := openssl(t, "req", "-verify", "-noout", "-in", file(t, "csr.pem", request)); err != nil {
			t.Errorf("openssl: %v\n%s", err, out)
		}
	}
	if _, _, err := pki.NewSigningRequest("a,O=b", ""); !errors.Is(err, diag.PKIName) {
		t.Errorf("NewSigningRequest() = %v, want %s", err, diag.PKIName)
	}
}
