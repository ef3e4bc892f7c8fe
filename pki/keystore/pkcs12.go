package keystore

import (
	"crypto/x509"
	"errors"
	"strings"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secret"
)

// rounds are Java 17's for what it writes; OpenSSL's are 2,048.
const rounds = 10_000

func (e Entry) pkcs12(password string) ([]byte, error) {
	return pkcs12.Modern2023.WithIterations(rounds).Encode(e.Key, e.Chain[0], e.Chain[1:], password)
}

func trustPKCS12(roots []*x509.Certificate, password string) ([]byte, error) {
	entries := make([]pkcs12.TrustStoreEntry, len(roots))
	for i, c := range roots {
		entries[i] = pkcs12.TrustStoreEntry{Cert: c, FriendlyName: rootAlias(c)}
	}
	return pkcs12.Modern2023.WithIterations(rounds).EncodeTrustStoreEntries(entries, password)
}

// readPKCS12 reads a truststore where no key is to be seen.
func readPKCS12(data []byte, password secret.Secret) (*store, error) {
	keys, err := inspectPKCS12(data)
	if err != nil {
		return nil, err
	}
	switch keys {
	case 0:
		roots, err := pkcs12.DecodeTrustStore(data, password.Reveal())
		if err != nil {
			return nil, judge(err)
		}
		return (&store{}).bounded(roots)
	case 1:
		key, leaf, above, err := pkcs12.DecodeChain(data, password.Reveal())
		if err != nil {
			return nil, judge(err)
		}
		return (&store{key: key}).bounded(append([]*x509.Certificate{leaf}, above...))
	}
	return nil, several("%d of them", keys)
}

// judge gives the library's errors their codes. None of them quotes what is
// secret, and most say less than what follows from where they come from.
func judge(err error) error {
	_, unknown := errors.AsType[pkcs12.NotImplementedError](err)
	switch {
	case errors.Is(err, pkcs12.ErrIncorrectPassword), errors.Is(err, pkcs12.ErrDecryption):
		return refused()
	case strings.Contains(err.Error(), "no MAC in data"):
		return diag.New(diag.KeystoreRefused, "read keystore: nothing seals the file, so no password can vouch for it").
			WithFix("give no password, if where the file came from is enough to trust it")
	case strings.Contains(err.Error(), "not marked as trusted"):
		return diag.New(diag.KeystoreUntrusted, "read keystore: a certificate in it is not marked as trusted")
	case unknown, strings.Contains(err.Error(), "expected only certificate bags"):
		return diag.New(diag.KeystoreUnsupported, "read keystore: %v", err)
	}
	return damaged("%v", err)
}
