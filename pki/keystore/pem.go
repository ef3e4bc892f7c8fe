package keystore

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"slices"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/pki"
)

// The PEM blocks that are known.
const (
	certificateBlock = "CERTIFICATE"
	keyBlock         = "PRIVATE KEY"
	encryptedBlock   = "ENCRYPTED PRIVATE KEY"
	ecBlock          = "EC PRIVATE KEY"
	rsaBlock         = "RSA PRIVATE KEY"
	parametersBlock  = "EC PARAMETERS" // openssl ecparam -genkey writes it, and the key says it again
)

func (e Entry) pem() ([]byte, error) {
	der, err := encodeKey(e.Key)
	if err != nil {
		return nil, err
	}
	return slices.Concat(pem.EncodeToMemory(&pem.Block{Type: keyBlock, Bytes: der}), encodeCertificates(e.Chain)), nil
}

func encodeCertificates(certs []*x509.Certificate) []byte {
	var out bytes.Buffer
	for _, c := range certs {
		out.Write(pem.EncodeToMemory(&pem.Block{Type: certificateBlock, Bytes: c.Raw}))
	}
	return out.Bytes()
}

// encodeKey is PKCS#8, which all formats hold in the end.
func encodeKey(key crypto.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil { // the cause could quote the key
		return nil, diag.New(diag.KeystoreMismatch, "a key of type %T cannot be written as PKCS#8", key)
	}
	return der, nil
}

func decodeKey(der []byte) (crypto.PrivateKey, error) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, damaged("the private key is not PKCS#8")
	}
	return key, nil
}

// readPEM takes the blocks of a file, whatever text stands between them.
func readPEM(data []byte, password secret.Secret) (*store, error) {
	s := &store{}
	for n := 1; ; n++ {
		block, rest := pem.Decode(data)
		if block == nil {
			break
		}
		data = rest
		if n > maxItems {
			return nil, damaged("more than %d PEM blocks", maxItems)
		}
		if err := s.addBlock(n, block, password); err != nil {
			return nil, err
		}
	}
	if bytes.Contains(data, []byte("-----BEGIN ")) {
		return nil, damaged("a PEM block is cut off or not base64")
	}
	return s, nil
}

// addBlock takes no second key, so no file has more than one to be decrypted.
func (s *store) addBlock(n int, block *pem.Block, password secret.Secret) error {
	switch block.Type {
	case certificateBlock:
		return s.addCertificate(block.Bytes)
	case parametersBlock:
		return nil
	}
	if s.key != nil {
		return several("a second one in PEM block %d", n)
	}
	var err error
	s.key, err = blockKey(n, block, password)
	return err
}

func blockKey(n int, block *pem.Block, password secret.Secret) (crypto.PrivateKey, error) {
	if block.Headers["DEK-Info"] != "" {
		return nil, diag.New(diag.KeystoreUnsupported, "read keystore: PEM block %d is encrypted as OpenSSL did it before PKCS#8", n).
			WithFix("openssl pkcs8 -topk8 -in FILE -out NEW")
	}
	var key crypto.PrivateKey
	var err error
	switch block.Type {
	case keyBlock:
		return decodeKey(block.Bytes)
	case encryptedBlock:
		return openKey(block, password)
	case ecBlock:
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case rsaBlock:
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	default:
		return nil, damaged("PEM block %d is a %.40q, neither key nor certificate", n, block.Type)
	}
	if err != nil {
		return nil, damaged("PEM block %d is no %s", n, block.Type)
	}
	return key, nil
}

func openKey(block *pem.Block, password secret.Secret) (crypto.PrivateKey, error) {
	plain, err := pki.Key(pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes})).Decrypt(password)
	if errors.Is(err, diag.PKIPassphrase) || errors.Is(err, diag.PKIPassphraseAbsent) {
		return nil, refused()
	}
	if err != nil {
		return nil, err
	}
	block, _ = pem.Decode(plain)
	return decodeKey(block.Bytes)
}
