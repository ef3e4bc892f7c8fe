package pki

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"

	"github.com/slipway-go/slipway/diag"
)

const (
	hidden = "***"

	blockKey          = "PRIVATE KEY"
	blockEncryptedKey = "ENCRYPTED PRIVATE KEY"
)

// A Key is a private key as PKCS#8 PEM, in the clear or encrypted. It shows
// itself as *** wherever it is printed, logged or encoded; its bytes are had
// by converting it, as os.WriteFile and tls.X509KeyPair do without being
// asked.
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

func encodeKey(key crypto.Signer) Key {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic("pki: encode a key that was checked: " + err.Error())
	}
	return pem.EncodeToMemory(&pem.Block{Type: blockKey, Bytes: der})
}

// parseKey reads a key in the clear.
func parseKey(data Key) (crypto.Signer, error) {
	if data.Encrypted() {
		return nil, diag.New(diag.PKIPassphraseAbsent, "the key is encrypted")
	}
	blocks, err := decode(data, 1, blockKey)
	if err != nil {
		return nil, err
	}
	return parsePKCS8(blocks[0].Bytes)
}

// parsePKCS8 reads a key that is strong enough. Causes are not passed on: they
// could quote the key.
func parsePKCS8(der []byte) (crypto.Signer, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, diag.New(diag.PKIFile, "not a PKCS#8 key")
	}
	return checkSigner(parsed)
}

func checkSigner(parsed any) (crypto.Signer, error) {
	key, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, diag.New(diag.PKIKey, "the key is %s, which does not sign", kindOf(parsed))
	}
	if err := checkPublic(key.Public()); err != nil {
		return nil, err
	}
	return key, nil
}
