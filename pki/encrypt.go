package pki

import (
	"bytes"
	"encoding/pem"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secret"
)

// Encrypted reports whether the key needs a passphrase to be used.
func (k Key) Encrypted() bool {
	return bytes.HasPrefix(bytes.TrimSpace(k), []byte("-----BEGIN "+blockEncryptedKey+"-----"))
}

// Encrypt returns the key under a passphrase: PKCS#8 with PBES2 (PBKDF2 of
// 600,000 iterations of HMAC-SHA-256, AES-256-CBC), which openssl and Java
// read. PBES2 hides the key and does not authenticate it: whoever can write
// the file can still damage it, and that shows only as a wrong passphrase or a
// key that does not fit its certificate.
func (k Key) Encrypt(passphrase secret.Secret) (Key, error) {
	if passphrase.Empty() {
		return nil, diag.New(diag.PKIPassphraseAbsent, "encrypt key: the passphrase is empty")
	}
	blocks, err := decode(k, 1, blockKey)
	if err != nil {
		return nil, err
	}
	if _, err := parsePKCS8(blocks[0].Bytes); err != nil {
		return nil, err
	}
	der, err := seal(blocks[0].Bytes, passphrase)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: blockEncryptedKey, Bytes: der}), nil
}

// Decrypt returns a key that [Key.Encrypt] or another program put under a
// passphrase. The iterations a file asks for are bounded, so a hostile one
// costs seconds at most.
func (k Key) Decrypt(passphrase secret.Secret) (Key, error) {
	blocks, err := decode(k, 1, blockEncryptedKey)
	if err != nil {
		return nil, err
	}
	der, err := open(blocks[0].Bytes, passphrase)
	if err != nil {
		return nil, err
	}
	key, err := parsePKCS8(der)
	if err != nil {
		return nil, err
	}
	return encodeKey(key), nil
}
