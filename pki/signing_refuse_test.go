package pki_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki"
)

func TestBadSigningRequestsAreRefused(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	subject := x509.CertificateRequest{Subject: pkix.Name{CommonName: "svc"}}
	good := csr(t, key, subject)
	with := func(ext []pkix.Extension) []byte {
		r := subject
		r.ExtraExtensions = ext
		return csr(t, key, r)
	}
	b, _ := pem.Decode(good)
	forged := bytes.Clone(b.Bytes)
	forged[len(forged)-1] ^= 1
	renamed := bytes.Replace(b.Bytes, []byte("svc"), []byte("adm"), 1)
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsa1024, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	rsa2048, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}

	for name, tt := range map[string]struct {
		csr  []byte
		want diag.Code
	}{
		"signature changed":      {block("CERTIFICATE REQUEST", forged), diag.PKIRequestSignature},
		"name changed":           {block("CERTIFICATE REQUEST", renamed), diag.PKIRequestSignature},
		"P-224":                  {csr(t, p224, subject), diag.PKIKey},
		"RSA 1024":               {csr(t, rsa1024, subject), diag.PKIKey},
		"SHA-1":                  {sha1Request(t, rsa2048), diag.PKISignature},
		"CA:TRUE":                {with(extension(t, constraintsOID, basicConstraints{IsCA: true, MaxPathLen: -1})), diag.PKIRequestAuthority},
		"damaged CA":             {with([]pkix.Extension{{Id: constraintsOID, Value: []byte{0x30, 0x05, 1, 1}}}), diag.PKIRequestAuthority},
		"keyCertSign":            {with(extension(t, keyUsage, asn1.BitString{Bytes: []byte{0x04}, BitLength: 6})), diag.PKIRequestAuthority},
		"cRLSign":                {with(extension(t, keyUsage, asn1.BitString{Bytes: []byte{0x02}, BitLength: 7})), diag.PKIRequestAuthority},
		"serverAuth of a client": {with(extension(t, extendedKeyUsage, []asn1.ObjectIdentifier{clientAuth, serverAuth})), diag.PKIRequestUsage},
		"codeSigning":            {with(extension(t, extendedKeyUsage, []asn1.ObjectIdentifier{codeSigning})), diag.PKIRequestUsage},
		"any usage":              {with(extension(t, extendedKeyUsage, []asn1.ObjectIdentifier{anyUsage})), diag.PKIRequestUsage},
		"damaged usage":          {with([]pkix.Extension{{Id: extendedKeyUsage, Value: []byte{0x30, 0x09}}}), diag.PKIRequest},
		"10 MB":                  {append(bytes.Clone(good), bytes.Repeat([]byte("\n"), 10<<20)...), diag.PKIRequest},
		"junk behind":            {append(bytes.Clone(good), "rm -rf"...), diag.PKIRequest},
		"junk before":            {append([]byte("Subject: svc\n"), good...), diag.PKIRequest},
		"two blocks":             {append(bytes.Clone(good), good...), diag.PKIRequest},
		"bytes behind the DER":   {block("CERTIFICATE REQUEST", append(bytes.Clone(b.Bytes), 0)), diag.PKIRequest},
		"a certificate":          {newAuthority(t, "CA").PEM(), diag.PKIRequest},
		"a key":                  {newAuthority(t, "CA").KeyPEM(), diag.PKIRequest},
		"empty":                  {nil, diag.PKIRequest},
		"cut short":              {good[:len(good)/2], diag.PKIRequest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := newAuthority(t, "root").Sign(tt.csr, pki.Request{CommonName: "svc", Usage: pki.Client})
			if !errors.Is(err, tt.want) || len(diag.Of(err)) != 1 {
				t.Errorf("Sign() = %v, %v, want %s alone", c, err, tt.want)
			}
		})
	}
}

func TestKeytoolsHeaderIsTakenForARequest(t *testing.T) {
	t.Parallel()
	b, _ := pem.Decode(csr(t, newKey(t), x509.CertificateRequest{Subject: pkix.Name{CommonName: "svc"}}))
	if _, err := pki.ParseSigningRequest(block("NEW CERTIFICATE REQUEST", b.Bytes)); err != nil {
		t.Error(err)
	}
}

func FuzzParseSigningRequest(f *testing.F) {
	key := newKey(f)
	for _, r := range []x509.CertificateRequest{
		{Subject: pkix.Name{CommonName: "svc"}},
		{DNSNames: []string{"a.example"}, IPAddresses: []net.IP{net.IPv4zero}},
		{ExtraExtensions: extension(f, constraintsOID, basicConstraints{IsCA: true})},
		{ExtraExtensions: extension(f, extendedKeyUsage, []asn1.ObjectIdentifier{codeSigning})},
		{ExtraExtensions: extension(f, keyUsage, asn1.BitString{Bytes: []byte{0x80}, BitLength: 1})},
	} {
		f.Add(csr(f, key, r))
	}
	f.Add([]byte("-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----"))
	a := newAuthority(f, "root")
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := pki.ParseSigningRequest(data)
		if err != nil {
			if len(diag.Of(err)) == 0 {
				t.Errorf("refused without a code: %v", err)
			}
			return
		}
		req := pki.Request{CommonName: "svc", Usage: pki.Client}
		for _, held := range r.Withheld(req) {
			if strings.ContainsAny(held, "\n\r\x00") {
				t.Errorf("Withheld() breaks the line: %q", held)
			}
		}
		c, err := a.Sign(data, req)
		if err != nil {
			return
		}
		if leaf := c.Chain()[0]; leaf.IsCA || leaf.Subject.String() != "CN=svc" || len(leaf.DNSNames)+len(leaf.IPAddresses) > 0 {
			t.Errorf("the request decided something: %s", leaf.Subject)
		}
	})
}
