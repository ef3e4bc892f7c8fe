package inspect

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

const (
	minSerialBits = 40 // of 64 drawn bits, so few are set once in 16 million
	maxSerialBits = 20*8 - 1

	// maxLifetime is the longest that public authorities may give to a server.
	maxLifetime = 398 * 24 * time.Hour
)

// each judges every certificate for itself.
func (j *judgement) each(all []*x509.Certificate) {
	for _, c := range all {
		j.dates(c)
		if weak := weakness(c.PublicKey); weak != "" {
			j.add(diag.New(diag.CertWeakKey, "%s has a key of %s", Title(c), weak))
		}
		j.signature(c)
		j.serial(c)
	}
}

func (j *judgement) dates(c *x509.Certificate) {
	switch {
	case j.Now.After(c.NotAfter):
		j.add(diag.New(diag.CertExpired, "%s has ended on %s, %s ago", Title(c), day(c.NotAfter), Span(j.Now.Sub(c.NotAfter))))
	case j.Now.Before(c.NotBefore):
		j.add(diag.New(diag.CertNotYet, "%s is not valid before %s, in %s", Title(c), day(c.NotBefore), Span(c.NotBefore.Sub(j.Now))).
			WithEvidence("the clock here says %s", day(j.Now)))
	case j.Within.Near(c, j.Now):
		j.add(diag.Warn(diag.CertEnding, "%s ends on %s, in %s", Title(c), day(c.NotAfter), Span(c.NotAfter.Sub(j.Now))))
	}
}

func day(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Span writes a time as people say it: in days where it is several, and never
// finer than a second.
func Span(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	case d >= time.Hour:
		d = d.Truncate(time.Minute)
	}
	return contract.FormatDuration(d.Truncate(time.Second))
}

// weakness says what is weak about a key, if anything is.
func weakness(key any) string {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits < 2048 {
			return fmt.Sprintf("RSA with %d bits", bits)
		}
	case *ecdsa.PublicKey:
		if k.Curve.Params().BitSize < 256 {
			return "ECDSA on " + k.Curve.Params().Name
		}
	case ed25519.PublicKey:
	default:
		return "a kind that nobody uses any more, or that is not known"
	}
	return ""
}

// signature looks at how a certificate is signed. That of a root is asked by
// nobody.
func (j *judgement) signature(c *x509.Certificate) {
	switch c.SignatureAlgorithm {
	case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1:
		if !selfIssued(c) {
			j.add(diag.New(diag.CertWeakSign, "%s is signed with %s", Title(c), c.SignatureAlgorithm))
		}
	}
}

func (j *judgement) serial(c *x509.Certificate) {
	bits := c.SerialNumber.BitLen()
	switch {
	case bits > maxSerialBits:
		j.add(diag.Warn(diag.CertSerial, "the serial number of %s is longer than 20 bytes", Title(c)))
	case bits == 0, bits < minSerialBits && !selfIssued(c):
		j.add(diag.Warn(diag.CertSerial, "the serial number of %s is %s, which is too short to have been drawn", Title(c), c.SerialNumber))
	}
}

// Title names a certificate in a sentence: its common name, else its first name
// or address, else its serial number.
func Title(c *x509.Certificate) string {
	switch {
	case c.Subject.CommonName != "":
		return c.Subject.CommonName
	case c.Subject.String() != "":
		return c.Subject.String()
	case len(c.DNSNames) > 0:
		return c.DNSNames[0]
	case len(c.IPAddresses) > 0:
		return c.IPAddresses[0].String()
	}
	return fmt.Sprintf("certificate %x", c.SerialNumber)
}

// Names are all names and addresses of a certificate, as they would be dialled.
func Names(c *x509.Certificate) []string {
	names := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	names = append(names, c.EmailAddresses...)
	for _, uri := range c.URIs {
		names = append(names, uri.String())
	}
	return names
}

// Key describes the key of a certificate.
func Key(c *x509.Certificate) string {
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA " + k.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	}
	return strings.TrimSpace("other " + c.PublicKeyAlgorithm.String())
}
