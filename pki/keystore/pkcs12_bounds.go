package keystore

import (
	"bytes"
	"crypto/x509/pkix"
	"encoding/asn1"

	"github.com/slipway-go/slipway/diag"
)

const (
	maxRounds  = 2_000_000 // of all key derivation that a file shows
	maxKeySize = 64        // bytes of a derived key
)

var (
	oidData          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidEncryptedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 6}
	oidKeyBag        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 1}
	oidSealedKeyBag  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 2}
	oidPBES2         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBMAC1        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 14}
)

// RFC 7292's types, as far as they lie open. What is tagged explicitly is a
// RawValue, whose bytes are the value inside of the tag.
type (
	pfx struct {
		Version int
		Content contentInfo
		MAC     struct {
			Digest struct {
				Algorithm pkix.AlgorithmIdentifier
				Sum       []byte
			}
			Salt   []byte
			Rounds int `asn1:"optional,default:1"`
		} `asn1:"optional"`
	}
	contentInfo struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue `asn1:"optional"`
	}
	encryptedData struct {
		Version int
		Content struct {
			Type      asn1.ObjectIdentifier
			Algorithm pkix.AlgorithmIdentifier
			Data      []byte `asn1:"tag:0,optional"`
		}
	}
	safeBag struct {
		Type       asn1.ObjectIdentifier
		Value      asn1.RawValue
		Attributes asn1.RawValue `asn1:"optional"`
	}
	sealedKey struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}
	twoSchemes struct{ KDF, Scheme pkix.AlgorithmIdentifier } // of PBES2 and PBMAC1
	kdfParams  struct {
		Salt   asn1.RawValue
		Rounds int
		Size   int                      `asn1:"optional"`
		PRF    pkix.AlgorithmIdentifier `asn1:"optional"`
	}
	pbeParams struct {
		Salt   []byte
		Rounds int
	}
)

// A walk goes over a PKCS#12 file before anything is derived from a password: it
// counts keys and rounds. What is encrypted it cannot see; only who knows the
// password can have hidden a key with other rounds there.
type walk struct{ keys, rounds int }

func inspectPKCS12(data []byte) (keys int, err error) {
	if bytes.HasPrefix(data, []byte{0x30, 0x80}) {
		return 0, diag.New(diag.KeystoreUnsupported, "read keystore: a PKCS#12 file in BER, of indefinite length")
	}
	var p pfx
	if !decode(data, &p) || p.Version != 3 || !p.Content.Type.Equal(oidData) {
		return 0, diag.New(diag.KeystoreFormat, "read keystore: it is DER, and no PKCS#12 file sealed by a password")
	}
	var w walk
	mac := p.MAC.Digest.Algorithm
	if mac.Algorithm.Equal(oidPBMAC1) {
		err = w.derivation(mac)
	} else if mac.Algorithm != nil {
		err = w.spend(p.MAC.Rounds)
	}
	if err != nil {
		return 0, err
	}
	var content []byte
	var parts []contentInfo
	if !decode(p.Content.Content.Bytes, &content) || !decode(content, &parts) || len(parts) > maxItems {
		return 0, damaged("the parts of the PKCS#12 file")
	}
	for _, part := range parts {
		if err := w.part(part); err != nil {
			return 0, err
		}
	}
	return w.keys, nil
}

func (w *walk) part(part contentInfo) error {
	if part.Type.Equal(oidEncryptedData) {
		var sealed encryptedData
		if !decode(part.Content.Bytes, &sealed) {
			return damaged("an encrypted part of the PKCS#12 file")
		}
		return w.derivation(sealed.Content.Algorithm)
	}
	var der []byte
	var bags []safeBag
	if !part.Type.Equal(oidData) || !decode(part.Content.Bytes, &der) || !decode(der, &bags) || len(bags) > maxItems {
		return damaged("a part of the PKCS#12 file")
	}
	for _, b := range bags {
		if err := w.bag(b); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) bag(b safeBag) error {
	switch {
	case b.Type.Equal(oidKeyBag):
		w.keys++
	case b.Type.Equal(oidSealedKeyBag):
		w.keys++
		var sealed sealedKey
		if !decode(b.Value.Bytes, &sealed) {
			return damaged("the encrypted key of the PKCS#12 file")
		}
		return w.derivation(sealed.Algorithm)
	}
	return nil
}

// derivation counts the rounds of PBES2 and PBMAC1, and of the older schemes.
func (w *walk) derivation(a pkix.AlgorithmIdentifier) error {
	var old pbeParams
	var schemes twoSchemes
	var kdf kdfParams
	switch {
	case !a.Algorithm.Equal(oidPBES2) && !a.Algorithm.Equal(oidPBMAC1):
		if !decode(a.Parameters.FullBytes, &old) {
			return damaged("the parameters of encryption %s", a.Algorithm)
		}
		return w.spend(old.Rounds)
	case !decode(a.Parameters.FullBytes, &schemes), !decode(schemes.KDF.Parameters.FullBytes, &kdf), kdf.Size < 0, kdf.Size > maxKeySize:
		return damaged("the parameters of its key derivation")
	}
	return w.spend(kdf.Rounds)
}

func (w *walk) spend(rounds int) error {
	if rounds < 1 || rounds > maxRounds-w.rounds {
		return damaged("it asks for more than %d rounds of key derivation", maxRounds)
	}
	w.rounds += rounds
	return nil
}

// decode reads DER that is one value and nothing besides.
func decode(der []byte, into any) bool {
	rest, err := asn1.Unmarshal(der, into)
	return err == nil && len(rest) == 0
}
