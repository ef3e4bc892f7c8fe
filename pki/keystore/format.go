package keystore

import (
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// A Format is a way of keeping keys and certificates in a file.
type Format string

// The formats, the one to prefer first.
const (
	PEM    Format = "pem" // text, without a password
	PKCS12 Format = "p12"
	JKS    Format = "jks" // legacy: its encryption keeps nobody out
)

// Formats returns all formats, the one to prefer first. The caller owns the
// slice.
func Formats() []Format { return []Format{PEM, PKCS12, JKS} }

// ParseFormat returns the format that a file's ending, Kafka or people call so:
// pem, p12, pfx, pkcs12, jks, in either case.
func ParseFormat(name string) (Format, error) {
	switch strings.ToLower(name) {
	case "pem":
		return PEM, nil
	case "p12", "pfx", "pkcs12":
		return PKCS12, nil
	case "jks":
		return JKS, nil
	}
	return "", diag.New(diag.KeystoreFormat, "%q is no format", name).WithFix("use pem, p12 or jks")
}

// Type is what Kafka's ssl.keystore.type, and keytool's -storetype, call the
// format.
func (f Format) Type() string {
	switch f {
	case PKCS12:
		return "PKCS12"
	case JKS:
		return "JKS"
	default:
		return "PEM"
	}
}

// Sealed reports whether files of the format have a password.
func (f Format) Sealed() bool { return f != PEM }

// Legacy reports whether the format is kept for old programs only.
func (f Format) Legacy() bool { return f == JKS }

// File returns the usual name of a file of the format: name.p12.
func (f Format) File(name string) string { return name + "." + string(f) }

func (f Format) check() error {
	if !slices.Contains(Formats(), f) {
		return diag.New(diag.KeystoreFormat, "%q is no format", string(f)).WithFix("use pem, p12 or jks")
	}
	return nil
}
