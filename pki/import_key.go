package pki

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"

	"github.com/slipway-go/slipway/diag"
)

// readKey reads a key in any form that openssl, cfssl and step leave behind.
// A weak key is not refused here but where its certificate is looked at: it
// may belong to something that is not imported.
func (h *haul) readKey(block *pem.Block) (crypto.Signer, error) {
	der := block.Bytes
	old := x509.IsEncryptedPEMBlock(block) //nolint:staticcheck // step and openssl -traditional write it; it is only read
	if old || block.Type == blockEncryptedKey {
		var err error
		if der, err = h.openKey(block, old); err != nil {
			return nil, err
		}
	}
	key, err := parseAnyKey(der, block.Type)
	if err != nil && old {
		return nil, wrongPassphrase() // its padding fits by chance once in 256 times
	}
	return key, err
}

func (h *haul) openKey(block *pem.Block, old bool) ([]byte, error) {
	if h.encrypted++; h.encrypted > maxEncrypted {
		return nil, diag.New(diag.PKIImport, "more than %d encrypted keys", maxEncrypted)
	}
	switch {
	case !old:
		return open(block.Bytes, h.passphrase)
	case h.passphrase.Empty():
		return nil, diag.New(diag.PKIPassphraseAbsent, "the key is encrypted")
	}
	der, err := x509.DecryptPEMBlock(block, []byte(h.passphrase.Reveal())) //nolint:staticcheck // as above
	switch {
	case errors.Is(err, x509.IncorrectPasswordError):
		return nil, wrongPassphrase()
	case err != nil:
		return nil, diag.New(diag.PKIEncryption, "the key's DEK-Info is damaged or names a cipher that is not read")
	}
	return der, nil
}

// parseAnyKey does not pass causes on: they could quote the key.
func parseAnyKey(der []byte, kind string) (crypto.Signer, error) {
	var parsed any
	var err error
	switch kind {
	case "EC PRIVATE KEY":
		parsed, err = x509.ParseECPrivateKey(der)
	case "RSA PRIVATE KEY":
		parsed, err = x509.ParsePKCS1PrivateKey(der)
	default:
		parsed, err = x509.ParsePKCS8PrivateKey(der)
	}
	if err != nil {
		return nil, diag.New(diag.PKIFile, "a %s cannot be read", kind)
	}
	key, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, diag.New(diag.PKIKey, "the key is %s, which does not sign", kindOf(parsed))
	}
	return key, nil
}
