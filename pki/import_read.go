package pki

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secret"
)

// A haul is what was found in the files of an import.
type haul struct {
	certs      []foundCertificate
	keys       []foundKey
	encrypted  int // keys opened so far
	passphrase secret.Secret
}

type foundCertificate struct {
	*x509.Certificate
	file string
}

type foundKey struct {
	crypto.Signer
	file string
}

func (h *haul) read(file string, data []byte) error {
	switch {
	case len(data) > maxPEM:
		return diag.New(diag.PKIFile, "the file is %d bytes, at most %d", len(data), maxPEM)
	case bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")):
		return h.readJSON(file, data)
	}
	return h.readPEM(file, data)
}

// readPEM reads every block. Text around them is what openssl writes to
// explain a certificate; a block that is damaged is not skipped over.
func (h *haul) readPEM(file string, data []byte) error {
	begun := bytes.Count(data, []byte("-----BEGIN "))
	if begun == 0 {
		return diag.New(diag.PKIFile, "neither PEM nor JSON of cfssl")
	}
	if begun > maxBlocks {
		return diag.New(diag.PKIFile, "%d PEM blocks, at most %d", begun, maxBlocks)
	}
	read := 0
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		read++
		if err := h.readBlock(file, block); err != nil {
			return err
		}
	}
	if read != begun {
		return diag.New(diag.PKIFile, "%d of %d PEM blocks are damaged", begun-read, begun)
	}
	return nil
}

func (h *haul) readBlock(file string, block *pem.Block) error {
	switch block.Type {
	case "CERTIFICATE":
		return h.readCertificate(file, block.Bytes)
	case blockKey, blockEncryptedKey, "EC PRIVATE KEY", "RSA PRIVATE KEY":
		key, err := h.readKey(block)
		if err != nil {
			return err
		}
		h.keys = append(h.keys, foundKey{key, file})
		return nil
	case "EC PARAMETERS", "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST", "PUBLIC KEY", "X509 CRL":
		return nil
	}
	return diag.New(diag.PKIFile, "a PEM block %q is nothing of an authority's", block.Type)
}

func (h *haul) readCertificate(file string, der []byte) error {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return diag.New(diag.PKIFile, "a certificate cannot be read: %v", err)
	}
	for _, c := range h.certs {
		if c.Equal(cert) {
			return nil
		}
	}
	h.certs = append(h.certs, foundCertificate{cert, file})
	return nil
}
