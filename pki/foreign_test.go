package pki_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"testing"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/pki"
)

func TestForeignAuthoritiesAreTakenOver(t *testing.T) {
	t.Parallel()
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, root := range map[string]foreign{
		"RSA 2048": foreignRoot(t, rsaKey(t, 2048), nil),
		"P-521":    foreignRoot(t, p521, nil),
		"PSS":      foreignRoot(t, rsaKey(t, 2048), func(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA256WithRSAPSS }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			issuer := foreign{key: newKey(t)}.under(t, root, nil)
			chain := append(issuer.pem(), root.pem()...)
			a, err := pki.ParseAuthority(chain, issuer.keyPEM(t))
			if err != nil {
				t.Fatal(err)
			}
			imported, err := pki.Import(map[string][]byte{"b.pem": root.pem(), "a.pem": issuer.pem(), "k": issuer.keyPEM(t)}, secret.Secret{})
			if err != nil || !imported.Chain()[0].Equal(a.Chain()[0]) || len(imported.Chain()) != 2 {
				t.Fatalf("Import() = %v, %v", imported, err)
			}
			c := issue(t, a, pki.Request{CommonName: "svc", Usage: pki.Client})
			if err := verify(c, root.cert, x509.ExtKeyUsageClientAuth, time.Now()); err != nil {
				t.Error(err)
			}
			if _, err := a.RevocationList(1, nil, time.Now(), time.Now().Add(time.Hour)); err != nil {
				t.Error(err)
			}
			if _, err := a.Intermediate("ours", time.Now()); err != nil {
				t.Error(err) // no path length forbids it
			}
		})
	}
}

func TestForeignAuthoritiesThatAreUnsafeAreRefused(t *testing.T) {
	t.Parallel()
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key := rsaKey(t, 2048)
	root := foreignRoot(t, key, nil)
	again := func(der []byte) foreign {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return foreign{cert, key}
	}
	other := foreignRoot(t, newKey(t), func(c *x509.Certificate) { c.Subject.CommonName = "Foreign Root" })
	narrow := foreignRoot(t, newKey(t), func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = 0, true })
	critical := func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}}
	}

	for name, tt := range map[string]struct {
		issuer foreign
		above  []foreign
		want   diag.Code
	}{
		"RSA 1024":              {foreignRoot(t, rsaKey(t, 1024), nil), nil, diag.PKIKey},
		"P-224":                 {foreignRoot(t, p224, nil), nil, diag.PKIKey},
		"Ed25519":               {foreignRoot(t, edwards, nil), nil, diag.PKIKey},
		"SHA-1":                 {again(resign(t, opened(t, root.cert.Raw), key, crypto.SHA1)), nil, diag.PKISignature},
		"MD5":                   {again(resign(t, opened(t, root.cert.Raw), key, crypto.MD5)), nil, diag.PKISignature},
		"version 1":             {again(version1(t, root.cert, key)), nil, diag.PKIVersion},
		"CA:FALSE":              {foreignRoot(t, newKey(t), func(c *x509.Certificate) { c.IsCA = false }), nil, diag.PKIIssuer},
		"no keyCertSign":        {foreignRoot(t, newKey(t), func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature }), nil, diag.PKIIssuer},
		"unknown and critical":  {foreignRoot(t, newKey(t), critical), nil, diag.PKIIssuer},
		"intermediate CA:FALSE": {foreign{key: newKey(t)}.under(t, root, func(c *x509.Certificate) { c.IsCA = false }), []foreign{root}, diag.PKIIssuer},
		"weak root above":       {foreign{key: newKey(t)}.under(t, foreignRoot(t, p224, nil), nil), []foreign{foreignRoot(t, p224, nil)}, diag.PKIKey},
		"another of that name":  {foreign{key: newKey(t)}.under(t, root, nil), []foreign{other}, diag.PKIChain},
		"path length kept not":  {foreign{key: newKey(t)}.under(t, narrow, nil), []foreign{narrow}, diag.PKIPathLength},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := map[string][]byte{"issuer.pem": tt.issuer.pem(), "issuer.key": tt.issuer.keyPEM(t)}
			chain := tt.issuer.pem()
			for _, f := range tt.above {
				chain = append(chain, f.pem()...)
				files["root.pem"] = f.pem()
			}
			if a, err := pki.ParseAuthority(chain, tt.issuer.keyPEM(t)); !errors.Is(err, tt.want) {
				t.Errorf("ParseAuthority() = %v, %v, want %s", a, err, tt.want)
			}
			a, err := pki.Import(files, secret.Secret{})
			if name == "intermediate CA:FALSE" { // Import looks for authorities, and the root has no key here
				tt.want = diag.PKIImportKey
			}
			if !errors.Is(err, tt.want) {
				t.Errorf("Import() = %v, %v, want %s", a, err, tt.want)
			}
		})
	}
}

func TestAnAuthoritysExtendedKeyUsageBoundsWhatItIssues(t *testing.T) {
	t.Parallel()
	root := foreignRoot(t, newKey(t), nil)
	for name, tt := range map[string]struct {
		own  []x509.ExtKeyUsage
		want map[pki.Usage]bool
	}{
		"any":     {[]x509.ExtKeyUsage{x509.ExtKeyUsageAny}, map[pki.Usage]bool{pki.Client: true, pki.Server: true, pki.Peer: true}},
		"servers": {[]x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, map[pki.Usage]bool{pki.Client: false, pki.Server: true, pki.Peer: false}},
		"code":    {[]x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}, map[pki.Usage]bool{pki.Client: false, pki.Server: false, pki.Peer: false}},
	} {
		issuer := foreign{key: newKey(t)}.under(t, root, func(c *x509.Certificate) { c.ExtKeyUsage = tt.own })
		a, err := pki.ParseAuthority(append(issuer.pem(), root.pem()...), issuer.keyPEM(t))
		if err != nil {
			t.Fatal(err)
		}
		for usage, ok := range tt.want {
			_, err := a.Issue(pki.Request{CommonName: "b", Usage: usage, DNSNames: []string{"a.example"}})
			if ok && err != nil || !ok && !errors.Is(err, diag.PKIIssuer) {
				t.Errorf("%s, usage %d: %v, want issued = %v", name, usage, err, ok)
			}
		}
	}
}
