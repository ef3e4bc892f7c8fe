package image

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"runtime/debug"

	"golang.org/x/crypto/x509roots/fallback/bundle"

	"github.com/slipway-go/slipway/diag"
)

// rootsModule is where the certificate authorities come from.
const rootsModule = "golang.org/x/crypto/x509roots/fallback"

// Roots are the certificate authorities that an image trusts.
type Roots struct {
	PEM     []byte
	Version string // of the module they are from; empty if they are the user's
}

// MozillaRoots are the authorities of Mozilla's store that are trusted without
// conditions, as Slipway's go.mod pins them.
func MozillaRoots() Roots {
	var b bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // a buffer takes everything
		}
	}
	return Roots{b.Bytes(), rootsVersion()}
}

// rootsVersion is the version that this program was linked with.
func rootsVersion() string {
	info, _ := debug.ReadBuildInfo()
	if info == nil {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == rootsModule {
			return m.Version
		}
	}
	return ""
}

// ParseRoots reads authorities of the user's own, which stand instead of
// Mozilla's. The error says why the text is not one or more certificates.
func ParseRoots(name string, text []byte) (Roots, error) {
	var b bytes.Buffer
	for rest := text; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return Roots{}, diag.New(diag.ImageRoots, "%s holds a block %.40q", name, block.Type)
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return Roots{}, diag.New(diag.ImageRoots, "%s holds a certificate that cannot be read: %v", name, err)
		}
		_ = pem.Encode(&b, &pem.Block{Type: block.Type, Bytes: block.Bytes})
	}
	if b.Len() == 0 {
		return Roots{}, diag.New(diag.ImageRoots, "%s holds no certificate", name)
	}
	return Roots{PEM: b.Bytes()}, nil
}
