package keystore

import (
	"crypto/x509"
	"fmt"
	"slices"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secret"
)

const (
	minPassword = 6
	maxPassword = 128
	maxRoots    = 500
)

// Keystore returns a key and its chain as a file of the format. The password is 6
// to 128 visible characters of ASCII. PEM has none: the key lies open in the file,
// whose mode has to guard it.
func Keystore(f Format, e Entry, password secret.Secret) ([]byte, error) {
	if err := check(f, password); err != nil {
		return nil, err
	}
	e, err := e.complete()
	if err != nil {
		return nil, err
	}
	switch f {
	case PKCS12:
		return e.pkcs12(password.Reveal())
	case JKS:
		return e.jks(password.Reveal())
	default:
		return e.pem()
	}
}

// Truststore returns the certificates to trust as a file of the format, each
// once. The password seals PKCS#12 and JKS against being changed; PEM has none.
func Truststore(f Format, roots []*x509.Certificate, password secret.Secret) ([]byte, error) {
	if err := check(f, password); err != nil {
		return nil, err
	}
	if roots = distinct(roots); len(roots) == 0 || len(roots) > maxRoots {
		return nil, diag.New(diag.KeystoreMismatch, "a truststore of %d certificates, want 1 to %d", len(roots), maxRoots)
	}
	switch f {
	case PKCS12:
		return trustPKCS12(roots, password.Reveal())
	case JKS:
		return trustJKS(roots, password.Reveal())
	default:
		return encodeCertificates(roots), nil
	}
}

func check(f Format, password secret.Secret) error {
	if err := f.check(); err != nil {
		return err
	}
	return checkPassword(f, password.Reveal())
}

// checkPassword never repeats what it was given.
func checkPassword(f Format, password string) error {
	if f == PEM {
		if password != "" {
			return diag.New(diag.KeystorePassword, "a PEM keystore cannot have a password: Kafka on Java 17 does not read encrypted keys in PEM").
				WithFix("leave the password out and keep the file at mode 0600, or use p12")
		}
		return nil
	}
	if n := len(password); n < minPassword || n > maxPassword {
		return diag.New(diag.KeystorePassword, "the password has %d characters, want %d to %d", n, minPassword, maxPassword)
	}
	for i := range len(password) {
		if c := password[i]; c <= ' ' || c > '~' {
			return diag.New(diag.KeystorePassword, "the password has a blank, a control character or one outside of ASCII")
		}
	}
	return nil
}

// distinct drops the second of two that are the same.
func distinct(certs []*x509.Certificate) []*x509.Certificate {
	var out []*x509.Certificate
	for _, c := range certs {
		if !slices.ContainsFunc(out, c.Equal) {
			out = append(out, c)
		}
	}
	return out
}

func damaged(format string, args ...any) error {
	return diag.New(diag.KeystoreDamaged, "read keystore: %s", fmt.Sprintf(format, args...))
}

func refused() error {
	return diag.New(diag.KeystoreRefused, "read keystore: wrong password, or the file was changed")
}
