package inspect

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

const (
	maxFile = 1 << 20 // bytes of one
	maxSeen = 300     // things in one; all public authorities are half of that
	maxList = 20      // revocation lists in one

	// maxRSA is the longest key that is worked with, in bits. A signature of one
	// that fills a file would take minutes to verify.
	maxRSA = 16 << 10
)

// Contents is what a file holds, in its order.
type Contents struct {
	Certificates []*x509.Certificate
	Lists        []*x509.RevocationList

	// Keys are the public halves of private keys. Locked counts those keys that
	// are encrypted, of which nothing is known.
	Keys   []crypto.PublicKey
	Locked int
}

// Empty reports whether there is nothing to look at.
func (c Contents) Empty() bool { return len(c.Certificates)+len(c.Lists)+len(c.Keys)+c.Locked == 0 }

// Read reads PEM, whatever stands between its blocks, or DER: certificates,
// revocation lists and keys. Keystores of other formats are for pki/keystore.
func Read(data []byte) (Contents, error) {
	if len(data) > maxFile {
		return Contents{}, unreadable("it is %d bytes long, at most %d are read", len(data), maxFile)
	}
	if bytes.Contains(data, []byte("-----BEGIN ")) {
		return readPEM(data)
	}
	return readDER(data)
}

func unreadable(format string, args ...any) diag.Diagnostic {
	return diag.New(diag.InspectFile, format, args...)
}

func readPEM(data []byte) (Contents, error) {
	var c Contents
	for n := 1; ; n++ {
		block, rest := pem.Decode(data)
		if block == nil {
			break
		}
		if n > maxSeen {
			return Contents{}, unreadable("it holds more than %d things", maxSeen)
		}
		data = rest
		if d := c.block(block); d != nil {
			d.Message = fmt.Sprintf("block %d: %s", n, d.Message)
			return Contents{}, *d
		}
	}
	switch {
	case bytes.Contains(data, []byte("-----BEGIN ")):
		return Contents{}, unreadable("a block of it is damaged or cut short")
	case c.Empty():
		return Contents{}, unreadable("it holds no certificate, revocation list or key")
	}
	return c, nil
}

func (c *Contents) block(b *pem.Block) *diag.Diagnostic {
	switch {
	case b.Type == "CERTIFICATE", b.Type == "X509 CERTIFICATE":
		return c.certificate(b.Bytes)
	case b.Type == "TRUSTED CERTIFICATE":
		return new(unreadable("it is a TRUSTED CERTIFICATE, which only openssl reads").WithFix("openssl x509 -in FILE writes the plain certificate"))
	case b.Type == "X509 CRL":
		return c.list(b.Bytes)
	case strings.HasSuffix(b.Type, "PRIVATE KEY"):
		return c.key(b)
	}
	return nil // parameters, requests, public keys: nothing to judge
}

func (c *Contents) certificate(der []byte) *diag.Diagnostic {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return new(unparsed(err))
	}
	if key, ok := cert.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() > maxRSA {
		return new(unreadable("its key of %d bits is longer than anybody uses", key.N.BitLen()))
	}
	c.Certificates = append(c.Certificates, cert)
	return nil
}

// unparsed tells why Go does not read a certificate. A negative serial number is
// what it refuses and others do not.
func unparsed(err error) diag.Diagnostic {
	if strings.Contains(err.Error(), "negative serial number") {
		return diag.New(diag.CertSerial, "the serial number is negative, and Go does not read such certificates")
	}
	return unreadable("it is not a certificate that Go reads: %v", err)
}

func (c *Contents) list(der []byte) *diag.Diagnostic {
	if len(c.Lists) == maxList {
		return new(unreadable("it holds more than %d revocation lists", maxList))
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return new(unreadable("it is not a revocation list: %v", err))
	}
	c.Lists = append(c.Lists, list)
	return nil
}

func (c *Contents) key(b *pem.Block) *diag.Diagnostic {
	if b.Type == "ENCRYPTED PRIVATE KEY" || b.Headers["DEK-Info"] != "" {
		c.Locked++
		return nil
	}
	key := publicOf(b.Bytes)
	if key == nil {
		return new(unreadable("it is not a private key that Go reads")) // the cause could quote the key
	}
	c.Keys = append(c.Keys, key)
	return nil
}

// publicOf is the public half of a private key in any of its encodings, or nil.
func publicOf(der []byte) crypto.PublicKey {
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		if s, ok := key.(crypto.Signer); ok {
			return s.Public()
		}
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key.Public()
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key.Public()
	}
	return nil
}

func readDER(data []byte) (Contents, error) {
	var c Contents
	for rest := data; len(rest) > 0 && len(c.Certificates) < maxSeen; {
		var one asn1.RawValue
		var err error
		if rest, err = asn1.Unmarshal(rest, &one); err != nil {
			break
		}
		d := c.certificate(one.FullBytes)
		switch {
		case d == nil && len(rest) == 0:
			return c, nil
		case d != nil && (d.Code == diag.CertSerial || len(c.Certificates) > 0):
			return Contents{}, *d
		case d != nil:
			rest = nil
		}
	}
	c.Certificates = nil
	if c.list(data) == nil {
		return c, nil
	}
	if key := publicOf(data); key != nil {
		c.Keys = append(c.Keys, key)
		return c, nil
	}
	if len(data) == 0 {
		return Contents{}, unreadable("it is empty")
	}
	return Contents{}, unreadable("it is neither PEM nor DER of a certificate, a revocation list or a key")
}
