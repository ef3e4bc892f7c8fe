package secure

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"
)

// authorities are the roots that are trusted.
type authorities struct {
	pool  *x509.CertPool
	certs []*x509.Certificate
}

// parseAuthorities takes a bundle in which everything is in order: half a bundle
// would refuse half of the servers.
func parseAuthorities(ca content) (authorities, error) {
	if ca.err != nil {
		return authorities{}, ca.err
	}
	certs, err := certificates(ca.data)
	if err != nil {
		return authorities{}, fmt.Errorf("%s: %w", ca.file, err)
	}
	a := authorities{pool: x509.NewCertPool(), certs: certs}
	for _, cert := range certs {
		a.pool.AddCert(cert)
	}
	return a, nil
}

// certificates reads PEM blocks "CERTIFICATE"; other blocks and text are passed
// over.
func certificates(data []byte) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			break
		}
		if begins(data[:len(data)-len(rest)]) > 1 {
			return nil, fmt.Errorf("there is a damaged block before certificate %d", len(all)+1)
		}
		data = rest
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w", len(all)+1, err)
		}
		all = append(all, cert)
	}
	switch {
	case begins(data) > 0:
		return nil, errors.New("the last block is cut off or damaged")
	case len(all) == 0:
		return nil, errors.New("there is no certificate in it")
	}
	return all, nil
}

// begins counts the PEM blocks that begin in a text: the decoder passes over those
// that are not whole.
func begins(text []byte) int { return bytes.Count(text, []byte("-----BEGIN ")) }

// A pair is the own certificate with its key.
type pair struct {
	cert  *tls.Certificate
	chain []*x509.Certificate // leaf first
	from  time.Time           // when its life began, as far as we know
}

func parsePair(cert, key content) (pair, error) {
	if err := errors.Join(cert.err, key.err); err != nil {
		return pair{}, err
	}
	chain, err := certificates(cert.data)
	if err != nil {
		return pair{}, fmt.Errorf("%s: %w", cert.file, err)
	}
	made, err := tls.X509KeyPair(cert.data, key.data)
	switch {
	case err == nil:
	case bytes.Contains(key.data, []byte("ENCRYPTED")):
		return pair{}, fmt.Errorf("%s is encrypted, and nobody is there to be asked for its passphrase", key.file)
	case strings.Contains(err.Error(), "does not match"):
		return pair{}, fmt.Errorf("%s is the key of another certificate than %s", key.file, cert.file)
	default:
		return pair{}, fmt.Errorf("%s and %s: %w", cert.file, key.file, err)
	}
	made.Leaf = chain[0]
	return pair{cert: &made, chain: chain, from: chain[0].NotBefore}, nil
}

// usable fails outside of the certificate's life.
func (p pair) usable(now time.Time) error {
	leaf := p.chain[0]
	switch {
	case now.Before(leaf.NotBefore):
		return fmt.Errorf("the certificate of %s is not valid before %s", leaf.Subject, instant(leaf.NotBefore))
	case now.After(leaf.NotAfter):
		return fmt.Errorf("the certificate of %s has expired at %s", leaf.Subject, instant(leaf.NotAfter))
	}
	return nil
}
