package keystore

import (
	"crypto/sha1" //nolint:gosec // JKS has nothing else
	"encoding/asn1"
	"encoding/binary"

	"github.com/slipway-go/slipway/diag"
)

const (
	jksMagic   = 0xFEEDFEED
	jceksMagic = 0xCECECECE // its cousin, which is told apart and not read
	jksVersion = 2

	jksKey   = 1 // tags of entries
	jksTrust = 2
)

var oidJKSKey = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 42, 2, 17, 1, 1}

// inspectJKS goes over the file before it is loaded, which believes what the file
// says of its lengths. It returns the number of keys.
func inspectJKS(data []byte) (keys int, err error) {
	r := &jksReader{rest: data}
	r.number() // the magic, which brought us here
	version, entries := r.number(), r.number()
	if version != 1 && version != jksVersion || entries > maxItems {
		return 0, damaged("JKS of version %d with %d entries", version, entries)
	}
	for range entries {
		tag := r.number()
		r.text() // alias
		r.take(8)
		switch tag {
		case jksKey:
			keys++
			if err := checkJKSKey(r.block()); err != nil {
				return 0, err
			}
			for range min(r.number(), maxItems+1) {
				r.certificate(version)
			}
		case jksTrust:
			r.certificate(version)
		default:
			return 0, damaged("an entry that is neither key nor certificate")
		}
	}
	if r.take(sha1.Size); r.short || len(r.rest) > 0 {
		return 0, damaged("the file is cut off, or goes on after its end")
	}
	return keys, nil
}

// checkJKSKey makes sure that there is room for a salt and a digest around a key.
func checkJKSKey(der []byte) error {
	var sealed sealedKey
	if !decode(der, &sealed) || len(sealed.Data) <= 2*sha1.Size {
		return damaged("the encrypted key")
	}
	if !sealed.Algorithm.Algorithm.Equal(oidJKSKey) {
		return diag.New(diag.KeystoreUnsupported, "read keystore: a key encrypted by %s is not read", sealed.Algorithm.Algorithm)
	}
	return nil
}

// A jksReader takes what is there and no more; once something was missing, all it
// returns is nothing.
type jksReader struct {
	rest  []byte
	short bool
}

func (r *jksReader) take(n int) []byte {
	if r.short || n > len(r.rest) {
		r.short = true
		return nil
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *jksReader) number() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// text passes over a name.
func (r *jksReader) text() {
	if b := r.take(2); b != nil {
		r.take(int(binary.BigEndian.Uint16(b)))
	}
}

func (r *jksReader) block() []byte { return r.take(int(r.number())) }

// certificate has its kind before it since version 2.
func (r *jksReader) certificate(version uint32) {
	if version == jksVersion {
		r.text()
	}
	r.block()
}
