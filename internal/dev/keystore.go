package dev

import (
	"crypto/x509"
	"path/filepath"
	"strings"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/pki"
	"github.com/slipway-go/slipway/pki/keystore"
)

// format returns the format of a node's keystore: that of the configuration in
// turn, the last one for all that are left.
func (c Config) format(node int) keystore.Format {
	if len(c.Keystores) == 0 {
		return keystore.PEM
	}
	return c.Keystores[min(node, len(c.Keystores))-1]
}

// writeStores writes a certificate as a keystore, and what to trust as a
// truststore, and returns the settings by which Kafka finds them. The password,
// where the format wants one, is new every time.
func writeStores(dir string, f keystore.Format, cert *pki.Certificate, root *x509.Certificate) ([]string, error) {
	var password secret.Secret
	if f.Sealed() {
		password = secret.Generate()
	}
	store, err := keystore.Keystore(f, keystore.Entry{Key: cert.Signer(), Chain: cert.Chain()}, password)
	if err != nil {
		return nil, err
	}
	trust, err := keystore.Truststore(f, []*x509.Certificate{root}, password)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{f.File("keystore"): store, f.File("truststore"): trust}
	if !password.Empty() {
		files[keystore.PasswordFile] = []byte(password.Reveal())
	}
	for name, data := range files {
		if err := writeFile(filepath.Join(dir, name), data); err != nil {
			return nil, err
		}
	}
	return keystore.Files{Format: f, Dir: dir}.Properties()
}

// Export writes the identity's certificate in a format, and returns the path of
// the properties by which a Java client uses it: client.p12.properties beside
// what else the identity has. Formats share one password file, so only the one
// that was exported last can be used.
func (l Login) Export(f keystore.Format) (string, error) {
	if l.cert == nil {
		return "", diag.New(diag.DevConfig, "identity %s has a password and no certificate", l.Name)
	}
	lines, err := writeStores(l.Dir, f, l.cert, l.root)
	if err != nil {
		return "", err
	}
	lines = append([]string{"bootstrap.servers=" + l.Bootstrap, "security.protocol=SSL"}, lines...)
	name := "client." + string(f) + ".properties"
	return l.file(name), writeFile(l.file(name), []byte(strings.Join(lines, "\n")+"\n"))
}
