package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"

	"github.com/slipway-go/slipway/diag"
)

// A KeyType is a kind of key that can be made. Its text is what clusters.yaml
// says.
type KeyType string

// The kinds of key. ECDSA on P-256 is the default everywhere: small, quick,
// and read by every JVM that Kafka runs on. RSA is for what cannot do ECDSA.
const (
	ECDSAP256 KeyType = "ecdsa-p256"
	ECDSAP384 KeyType = "ecdsa-p384"
	RSA3072   KeyType = "rsa-3072"
	RSA4096   KeyType = "rsa-4096"
)

// The sizes of an RSA key that is read. A longer one is a way to burn the
// reader's time.
const (
	minRSA = 2048
	maxRSA = 8192
)

// generate makes a key. The zero kind is the default one.
func (t KeyType) generate() (crypto.Signer, error) {
	switch t {
	case "", ECDSAP256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case ECDSAP384:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case RSA3072:
		return rsa.GenerateKey(rand.Reader, 3072)
	case RSA4096:
		return rsa.GenerateKey(rand.Reader, 4096)
	}
	return nil, t.validate()
}

func (t KeyType) validate() error {
	switch t {
	case "", ECDSAP256, ECDSAP384, RSA3072, RSA4096:
		return nil
	}
	return diag.New(diag.PKIKey, "key type %q is not one of %s, %s, %s, %s", string(t), ECDSAP256, ECDSAP384, RSA3072, RSA4096)
}

// checkPublic refuses keys that are too weak to be trusted or that the JVMs
// of a Kafka estate do not all take. What others made may be stronger than
// what is made here.
func checkPublic(key any) error {
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		switch key.Curve {
		case elliptic.P256(), elliptic.P384(), elliptic.P521():
			return nil
		}
		return diag.New(diag.PKIKey, "the key is ECDSA on %s, want P-256, P-384 or P-521", key.Curve.Params().Name)
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < minRSA || bits > maxRSA {
			return diag.New(diag.PKIKey, "the key is RSA of %d bits, want %d to %d", bits, minRSA, maxRSA)
		}
		return nil
	}
	return diag.New(diag.PKIKey, "the key is %s, want ECDSA or RSA", kindOf(key))
}

func kindOf(key any) string { return fmt.Sprintf("of the kind %T", key) }

// belongs reports whether a private key is the one of a public key.
func belongs(key crypto.Signer, public any) bool {
	own, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && own.Equal(public)
}
