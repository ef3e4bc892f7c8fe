package pki

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

const (
	maxPEM   = 64 << 10 // bytes of a PEM file
	maxChain = 4        // certificates in one
)

// ParseAuthority reads an authority from its certificate chain (its own
// certificate first, the root last) and its PKCS#8 key. It takes only what
// [NewAuthority] could have made: P-256, CA certificates, each signed by the
// next and the last by itself, and nothing besides.
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
	if !key.PublicKey.Equal(chain[0].PublicKey) {
		return nil, errors.New("read authority: the key does not belong to the certificate")
	}
	return &Authority{chain: chain, key: key}, nil
}

func parseCertificates(data []byte) ([]*x509.Certificate, error) {
	blocks, err := decode(data, "CERTIFICATE", maxChain)
	if err != nil {
		return nil, err
	}
	chain := make([]*x509.Certificate, len(blocks))
	for i, der := range blocks {
		if chain[i], err = x509.ParseCertificate(der); err != nil {
			return nil, fmt.Errorf("certificate %d: %w", i+1, err)
		}
	}
	return chain, nil
}

func checkChain(chain []*x509.Certificate) error {
	for i, cert := range chain {
		if !cert.BasicConstraintsValid || !cert.IsCA || cert.KeyUsage&x509.KeyUsageCertSign == 0 {
			return fmt.Errorf("certificate %d is not an authority's", i+1)
		}
		if key, ok := cert.PublicKey.(*ecdsa.PublicKey); !ok || key.Curve != elliptic.P256() {
			return fmt.Errorf("certificate %d has a key that is not ECDSA P-256", i+1)
		}
		issuer := chain[min(i+1, len(chain)-1)]
		if err := cert.CheckSignatureFrom(issuer); err != nil {
			return fmt.Errorf("certificate %d is not signed by the one that follows it: %w", i+1, err)
		}
	}
	return nil
}

func parseKey(data Key) (*ecdsa.PrivateKey, error) {
	blocks, err := decode(data, "PRIVATE KEY", 1)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(blocks[0])
	if err != nil {
		return nil, errors.New("not a PKCS#8 key") // the cause could quote the key
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("key is not ECDSA P-256")
	}
	return key, nil
}

// decode returns the contents of 1 to limit PEM blocks of one kind. Anything
// else in the file, even a comment, is refused: what is not read cannot be
// mistaken for something that was.
func decode(data []byte, kind string, limit int) ([][]byte, error) {
	if len(data) > maxPEM {
		return nil, fmt.Errorf("PEM is %d bytes, at most %d", len(data), maxPEM)
	}
	var blocks [][]byte
	for rest := bytes.TrimSpace(data); len(rest) > 0; rest = bytes.TrimSpace(rest) {
		if !bytes.HasPrefix(rest, []byte("-----BEGIN "+kind+"-----")) {
			return nil, fmt.Errorf("PEM block %d is not a %s", len(blocks)+1, kind)
		}
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil || block.Type != kind {
			return nil, fmt.Errorf("PEM block %d is damaged", len(blocks)+1)
		}
		if blocks = append(blocks, block.Bytes); len(blocks) > limit {
			return nil, fmt.Errorf("more than %d PEM blocks", limit)
		}
	}
	if len(blocks) == 0 {
		return nil, fmt.Errorf("no PEM block %s", kind)
	}
	return blocks, nil
}
