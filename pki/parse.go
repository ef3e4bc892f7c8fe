package pki

import (
	"crypto/x509"
	"fmt"

	"github.com/slipway-go/slipway/diag"
)

// ParseAuthority reads an authority from its certificate chain (its own
// certificate first, the root last) and its PKCS#8 key in the clear. Another
// program may have made it: the keys are ECDSA on P-256, P-384 or P-521 or RSA
// from 2048 bits, each certificate is an authority's and signed by the next,
// the last by itself, path lengths are kept, and there is nothing besides.
// Whether the authority is valid now is asked when it issues.
func ParseAuthority(certPEM []byte, keyPEM Key) (*Authority, error) {
	chain, err := parseCertificates(certPEM)
	if err != nil {
		return nil, fmt.Errorf("read authority's certificate: %w", err)
	}
	if err := checkChain(chain); err != nil {
		return nil, fmt.Errorf("read authority's certificate: %w", err)
	}
	key, err := parseKey(keyPEM)
	if err != nil {
		return nil, fmt.Errorf("read authority's key: %w", err)
	}
	if !belongs(key, chain[0].PublicKey) {
		return nil, fmt.Errorf("read authority: %w", diag.New(diag.PKIPair, "the key does not belong to the certificate"))
	}
	return &Authority{chain: chain, key: key}, nil
}

func parseCertificates(data []byte) ([]*x509.Certificate, error) {
	blocks, err := decode(data, maxChain, "CERTIFICATE")
	if err != nil {
		return nil, err
	}
	chain := make([]*x509.Certificate, len(blocks))
	for i, block := range blocks {
		if chain[i], err = x509.ParseCertificate(block.Bytes); err != nil {
			return nil, diag.New(diag.PKIFile, "certificate %d: %v", i+1, err)
		}
	}
	return chain, nil
}

// checkChain judges an authority's chain, its own certificate first.
func checkChain(chain []*x509.Certificate) error {
	for i := range chain {
		if err := checkLink(chain, i); err != nil {
			return err
		}
	}
	return checkPath(chain, 0)
}

// checkLink judges one certificate of a chain and that the next one signed it.
func checkLink(chain []*x509.Certificate, i int) error {
	if err := checkAuthority(chain[i]); err != nil {
		return err
	}
	issuer := chain[min(i+1, len(chain)-1)]
	// An issuer that is none is told where it stands itself.
	if err := chain[i].CheckSignatureFrom(issuer); err != nil && checkAuthority(issuer) == nil {
		return diag.New(diag.PKIChain, "certificate %d, %q, is not signed by the one that follows it, or the last by itself: %v",
			i+1, chain[i].Subject.CommonName, err)
	}
	return nil
}

// checkAuthority judges one certificate of an authority. One without a key
// usage, as openssl's own configuration makes it, may be used for anything.
func checkAuthority(cert *x509.Certificate) error {
	name := cert.Subject.CommonName
	switch {
	case cert.Version != 3:
		return diag.New(diag.PKIVersion, "certificate %q is of X.509 version %d, want 3", name, cert.Version)
	case !cert.BasicConstraintsValid || !cert.IsCA || cert.KeyUsage != 0 && cert.KeyUsage&x509.KeyUsageCertSign == 0:
		return diag.New(diag.PKIIssuer, "certificate %q is not an authority's", name)
	case len(cert.UnhandledCriticalExtensions) > 0:
		return diag.New(diag.PKIIssuer, "certificate %q has the critical extension %s, which cannot be judged", name, cert.UnhandledCriticalExtensions[0])
	}
	if err := checkPublic(cert.PublicKey); err != nil {
		return err
	}
	return checkSignature(cert.SignatureAlgorithm, fmt.Sprintf("certificate %q", name))
}

// checkSignature refuses signatures that can be forged, and those of kinds
// whose keys are refused too.
func checkSignature(alg x509.SignatureAlgorithm, of string) error {
	switch alg {
	case x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA,
		x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS,
		x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512:
		return nil
	}
	return diag.New(diag.PKISignature, "%s is signed with %s, want SHA-256 or better", of, alg)
}
