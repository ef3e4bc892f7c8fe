package pki

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des" //nolint:gosec // triple DES is what openssl req encrypts a new key with; it is only read
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // HMAC-SHA-1 is PBKDF2's default in older files; they are only read
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"hash"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secret"
)

// PBES2 of RFC 8018, as EncryptedPrivateKeyInfo of RFC 5958.
const (
	iterations    = 600_000 // of HMAC-SHA-256, where keys are written
	maxIterations = 2_000_000
	maxSalt       = 1024
)

var (
	oidPBES2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	oidSHA256 = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}
	oidAES256 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}

	// prfs are the functions a key is derived with, by the text of their OID.
	prfs = map[string]func() hash.Hash{
		"":                    sha1.New,
		"1.2.840.113549.2.7":  sha1.New,
		oidSHA256.String():    sha256.New,
		"1.2.840.113549.2.10": sha512.New384,
		"1.2.840.113549.2.11": sha512.New,
	}

	// ciphers are those of CBC mode, by the text of their OID.
	ciphers = map[string]blockCipher{
		"1.2.840.113549.3.7":      {24, des.BlockSize, des.NewTripleDESCipher},
		"2.16.840.1.101.3.4.1.2":  {16, aes.BlockSize, aes.NewCipher},
		"2.16.840.1.101.3.4.1.22": {24, aes.BlockSize, aes.NewCipher},
		oidAES256.String():        aes256,
	}
	aes256 = blockCipher{32, aes.BlockSize, aes.NewCipher}
)

// A blockCipher is a cipher that a key can be encrypted with.
type blockCipher struct {
	key, block int // sizes in bytes
	make       func(key []byte) (cipher.Block, error)
}

type encryptedKey struct {
	Algorithm pkix.AlgorithmIdentifier
	Data      []byte
}

type pbes2Params struct {
	KDF    pkix.AlgorithmIdentifier
	Cipher pkix.AlgorithmIdentifier
}

type pbkdf2Params struct {
	Salt       []byte
	Iterations int
	KeyLength  int                      `asn1:"optional"`
	PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
}

// seal encrypts a PKCS#8 key.
func seal(plain []byte, passphrase secret.Secret) ([]byte, error) {
	salt, iv := make([]byte, 16), make([]byte, aes.BlockSize)
	rand.Read(salt) // never fails: the runtime ends the program instead
	rand.Read(iv)
	block, err := derive(sha256.New, passphrase, salt, iterations, aes256)
	if err != nil {
		return nil, err
	}
	pad := aes.BlockSize - len(plain)%aes.BlockSize
	data := append(make([]byte, 0, len(plain)+pad), plain...)
	for range pad {
		data = append(data, byte(pad))
	}
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(data, data)

	kdf, err := algorithm(oidPBKDF2, pbkdf2Params{Salt: salt, Iterations: iterations, PRF: pkix.AlgorithmIdentifier{Algorithm: oidSHA256, Parameters: asn1.NullRawValue}})
	if err != nil {
		return nil, err
	}
	encryption, err := algorithm(oidAES256, iv)
	if err != nil {
		return nil, err
	}
	pbes2, err := algorithm(oidPBES2, pbes2Params{KDF: kdf, Cipher: encryption})
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(encryptedKey{Algorithm: pbes2, Data: data})
}

func algorithm(oid asn1.ObjectIdentifier, params any) (pkix.AlgorithmIdentifier, error) {
	der, err := asn1.Marshal(params)
	return pkix.AlgorithmIdentifier{Algorithm: oid, Parameters: asn1.RawValue{FullBytes: der}}, err
}

// open decrypts a PKCS#8 key. A wrong passphrase shows in the padding, or in
// what is under it not being a key.
func open(der []byte, passphrase secret.Secret) ([]byte, error) {
	var box encryptedKey
	if !unmarshal(der, &box) {
		return nil, diag.New(diag.PKIFile, "not an encrypted PKCS#8 key")
	}
	block, iv, err := openCipher(box.Algorithm, passphrase)
	if err != nil {
		return nil, err
	}
	if len(box.Data) == 0 || len(box.Data)%len(iv) != 0 {
		return nil, diag.New(diag.PKIFile, "the encrypted key is cut short")
	}
	plain := make([]byte, len(box.Data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, box.Data)
	plain, ok := unpad(plain, len(iv))
	if !ok {
		return nil, wrongPassphrase()
	}
	if _, err := x509.ParsePKCS8PrivateKey(plain); err != nil {
		return nil, wrongPassphrase()
	}
	return plain, nil
}

func wrongPassphrase() error {
	return diag.New(diag.PKIPassphrase, "the passphrase does not open the key")
}

func openCipher(alg pkix.AlgorithmIdentifier, passphrase secret.Secret) (cipher.Block, []byte, error) {
	if !alg.Algorithm.Equal(oidPBES2) {
		return nil, nil, diag.New(diag.PKIEncryption, "the key is encrypted by scheme %s, want PBES2", alg.Algorithm)
	}
	var scheme pbes2Params
	if !unmarshal(alg.Parameters.FullBytes, &scheme) {
		return nil, nil, diag.New(diag.PKIFile, "the encryption's parameters are damaged")
	}
	by, ok := ciphers[scheme.Cipher.Algorithm.String()]
	if !ok {
		return nil, nil, diag.New(diag.PKIEncryption, "the key is encrypted by cipher %s, want AES or triple DES in CBC mode", scheme.Cipher.Algorithm)
	}
	var iv []byte
	if !unmarshal(scheme.Cipher.Parameters.FullBytes, &iv) || len(iv) != by.block {
		return nil, nil, diag.New(diag.PKIFile, "the encryption's initial vector is damaged")
	}
	if !scheme.KDF.Algorithm.Equal(oidPBKDF2) {
		return nil, nil, diag.New(diag.PKIEncryption, "the encryption's key is derived by %s, want PBKDF2", scheme.KDF.Algorithm)
	}
	var kdf pbkdf2Params
	if !unmarshal(scheme.KDF.Parameters.FullBytes, &kdf) || len(kdf.Salt) == 0 || len(kdf.Salt) > maxSalt || kdf.Iterations < 1 {
		return nil, nil, diag.New(diag.PKIFile, "the encryption's key derivation is damaged")
	}
	prf, ok := prfs[kdf.PRF.Algorithm.String()]
	if !ok || kdf.Iterations > maxIterations || kdf.KeyLength != 0 && kdf.KeyLength != by.key {
		return nil, nil, diag.New(diag.PKIEncryption, "the encryption's key is derived by %d iterations of %s, want at most %d of HMAC-SHA-1, -256, -384 or -512",
			kdf.Iterations, kdf.PRF.Algorithm, maxIterations)
	}
	if passphrase.Empty() {
		return nil, nil, diag.New(diag.PKIPassphraseAbsent, "the key is encrypted")
	}
	block, err := derive(prf, passphrase, kdf.Salt, kdf.Iterations, by)
	return block, iv, err
}

func derive(prf func() hash.Hash, passphrase secret.Secret, salt []byte, iter int, by blockCipher) (cipher.Block, error) {
	key, err := pbkdf2.Key(prf, passphrase.Reveal(), salt, iter, by.key)
	if err != nil {
		return nil, err
	}
	return by.make(key)
}

func unpad(data []byte, block int) ([]byte, bool) {
	n := int(data[len(data)-1])
	if n == 0 || n > block {
		return nil, false
	}
	body, pad := data[:len(data)-n], data[len(data)-n:]
	ok := 1
	for _, b := range pad {
		ok &= subtle.ConstantTimeByteEq(b, byte(n))
	}
	return body, ok == 1
}

// unmarshal reads one ASN.1 value and nothing behind it.
func unmarshal(der []byte, into any) bool {
	rest, err := asn1.Unmarshal(der, into)
	return err == nil && len(rest) == 0
}
