package pki_test

import (
	"crypto"
	_ "crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1"
	_ "crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"slices"
	"testing"
)

// What crypto/x509 rightly does not make any more is made here by hand: a
// structure is signed again, with RSA over whatever hash.

type signed struct {
	Body      asn1.RawValue
	Algorithm pkix.AlgorithmIdentifier
	Signature asn1.BitString
}

var withRSA = map[crypto.Hash]asn1.ObjectIdentifier{
	crypto.MD5:    {1, 2, 840, 113549, 1, 1, 4},
	crypto.SHA1:   {1, 2, 840, 113549, 1, 1, 5},
	crypto.SHA256: {1, 2, 840, 113549, 1, 1, 11},
}

func opened(t testing.TB, der []byte) []asn1.RawValue {
	t.Helper()
	var s signed
	if _, err := asn1.Unmarshal(der, &s); err != nil {
		t.Fatal(err)
	}
	var fields []asn1.RawValue
	if _, err := asn1.Unmarshal(s.Body.FullBytes, &fields); err != nil {
		t.Fatal(err)
	}
	return fields
}

func resign(t testing.TB, body []asn1.RawValue, key *rsa.PrivateKey, hash crypto.Hash) []byte {
	t.Helper()
	alg := pkix.AlgorithmIdentifier{Algorithm: withRSA[hash], Parameters: asn1.NullRawValue}
	for i, field := range body { // the algorithm stands inside of a certificate too
		var inner pkix.AlgorithmIdentifier
		if _, err := asn1.Unmarshal(field.FullBytes, &inner); err == nil && len(inner.Algorithm) > 6 {
			body[i] = asn1.RawValue{FullBytes: encode(t, alg)}
			break
		}
	}
	tbs := encode(t, body)
	h := hash.New()
	h.Write(tbs)
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, hash, h.Sum(nil))
	if err != nil {
		t.Fatal(err)
	}
	return encode(t, signed{asn1.RawValue{FullBytes: tbs}, alg, asn1.BitString{Bytes: sig, BitLength: len(sig) * 8}})
}

func encode(t testing.TB, value any) []byte {
	t.Helper()
	der, err := asn1.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func sha1Request(t testing.TB, key *rsa.PrivateKey) []byte {
	t.Helper()
	b, _ := pem.Decode(csr(t, key, x509.CertificateRequest{Subject: pkix.Name{CommonName: "svc"}}))
	return block("CERTIFICATE REQUEST", resign(t, opened(t, b.Bytes), key, crypto.SHA1))
}

// version1 drops a certificate's version and extensions.
func version1(t testing.TB, cert *x509.Certificate, key *rsa.PrivateKey) []byte {
	t.Helper()
	fields := opened(t, cert.Raw)
	return resign(t, fields[1:len(fields)-1], key, crypto.SHA256)
}

// without drops an extension.
func without(t testing.TB, cert *x509.Certificate, key *rsa.PrivateKey, oid asn1.ObjectIdentifier) []byte {
	t.Helper()
	fields := opened(t, cert.Raw)
	last := &fields[len(fields)-1]
	var extensions []pkix.Extension
	if _, err := asn1.Unmarshal(last.Bytes, &extensions); err != nil {
		t.Fatal(err)
	}
	extensions = slices.DeleteFunc(extensions, func(e pkix.Extension) bool { return e.Id.Equal(oid) })
	*last = asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 3, IsCompound: true, Bytes: encode(t, extensions)}
	return resign(t, fields, key, crypto.SHA256)
}
