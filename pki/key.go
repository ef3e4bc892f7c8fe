package pki

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
)

const hidden = "***"

// A Key is a private key as PKCS#8 PEM. It shows itself as *** wherever it is
// printed, logged or encoded; its bytes are had by converting it, as
// os.WriteFile and tls.X509KeyPair do without being asked.
type Key []byte

var (
	_ fmt.Formatter  = Key(nil)
	_ slog.LogValuer = Key(nil)
)

// String returns ***.
func (Key) String() string { return hidden }

// Format writes *** for every verb.
func (Key) Format(f fmt.State, _ rune) { io.WriteString(f, hidden) }

// LogValue returns ***.
func (Key) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText returns ***, for JSON and YAML.
func (Key) MarshalText() ([]byte, error) { return []byte(hidden), nil }

func encodeKey(key *ecdsa.PrivateKey) Key {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic("pki: encode a key we generated: " + err.Error())
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}
