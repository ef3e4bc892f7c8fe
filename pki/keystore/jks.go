package keystore

import (
	"bytes"
	"crypto/x509"

	jks "github.com/pavlo-v-chernykh/keystore-go/v4"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secret"
)

func (e Entry) jks(password string) ([]byte, error) {
	der, err := encodeKey(e.Key)
	if err != nil {
		return nil, err
	}
	entry := jks.PrivateKeyEntry{CreationTime: e.Chain[0].NotBefore, PrivateKey: der}
	for _, c := range e.Chain {
		entry.CertificateChain = append(entry.CertificateChain, jksCertificate(c))
	}
	ks := jks.New(jks.WithOrderedAliases())
	if err := ks.SetPrivateKeyEntry(e.Alias, entry, []byte(password)); err != nil {
		return nil, err
	}
	return storeJKS(ks, password)
}

func trustJKS(roots []*x509.Certificate, password string) ([]byte, error) {
	ks := jks.New(jks.WithOrderedAliases())
	for _, c := range roots {
		entry := jks.TrustedCertificateEntry{CreationTime: c.NotBefore, Certificate: jksCertificate(c)}
		if err := ks.SetTrustedCertificateEntry(rootAlias(c), entry); err != nil {
			return nil, err
		}
	}
	return storeJKS(ks, password)
}

func jksCertificate(c *x509.Certificate) jks.Certificate {
	return jks.Certificate{Type: "X.509", Content: c.Raw}
}

func storeJKS(ks jks.KeyStore, password string) ([]byte, error) {
	var out bytes.Buffer
	err := ks.Store(&out, []byte(password))
	return out.Bytes(), err
}

func readJKS(data []byte, password secret.Secret) (*store, error) {
	keys, err := inspectJKS(data)
	if err != nil {
		return nil, err
	}
	if keys > 1 {
		return nil, several("%d of them", keys)
	}
	ks := jks.New(jks.WithOrderedAliases(), jks.WithCaseExactAliases())
	if err := ks.Load(bytes.NewReader(data), []byte(password.Reveal())); err != nil {
		return nil, refused() // all else was looked at
	}
	s := &store{}
	for _, alias := range ks.Aliases() {
		if ks.IsPrivateKeyEntry(alias) {
			return s, s.addJKSKey(ks, alias, password)
		}
	}
	for _, alias := range ks.Aliases() {
		entry, err := ks.GetTrustedCertificateEntry(alias)
		if err != nil {
			return nil, damaged("entry %.40q: %v", alias, err)
		}
		if err := s.addCertificate(entry.Certificate.Content); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *store) addJKSKey(ks jks.KeyStore, alias string, password secret.Secret) error {
	entry, err := ks.GetPrivateKeyEntry(alias, []byte(password.Reveal()))
	if err != nil {
		// The store opened, so the password is right, and the key has another.
		return diag.New(diag.KeystoreRefused, "read keystore: the key has a password of its own").
			WithFix("give it the store's: keytool -keypasswd -keystore FILE -alias ALIAS")
	}
	for _, c := range entry.CertificateChain {
		if err := s.addCertificate(c.Content); err != nil {
			return err
		}
	}
	s.alias = alias
	s.key, err = decodeKey(entry.PrivateKey)
	return err
}
