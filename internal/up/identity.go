package up

import (
	"os"
	"path/filepath"
	"sync"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/pki"
)

// loopback is where everything in a run listens.
const loopback = "127.0.0.1"

// identities hands out who services are: passwords and certificates, as files
// below a directory that only this user can enter.
type identities struct {
	dir    string
	access access

	mu        sync.Mutex
	passwords map[string]secret.Secret
}

func newIdentities(dir string, a access) (*identities, error) {
	id := &identities{dir: dir, access: a, passwords: map[string]secret.Secret{}}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, stateFault(err)
	}
	return id, id.write("ca.crt", a.ca)
}

// password is the one a user is created with and logs in with: the same for
// as long as the run lasts, and for no longer.
func (id *identities) password(user string) (secret.Secret, error) {
	id.mu.Lock()
	defer id.mu.Unlock()
	if id.passwords[user].Empty() {
		id.passwords[user] = secret.Generate()
	}
	return id.passwords[user], nil
}

// variables are what somebody needs to reach the cluster as user. Their files
// are in a directory called name.
func (id *identities) variables(name, user string, how contract.Auth) (map[string]string, error) {
	if err := os.Mkdir(filepath.Join(id.dir, name), 0o700); err != nil {
		return nil, stateFault(err)
	}
	vars := map[string]string{
		"BOOTSTRAP_SERVERS":   id.access.bootstrap[how],
		"TLS_CA_PATH":         id.file("ca.crt"),
		"ACL_PRINCIPAL":       "User:" + user,
		"SCHEMA_REGISTRY_URL": id.access.url,
	}
	if !id.access.reader.Empty() {
		vars["SCHEMA_REGISTRY_AUTH_PATH"] = id.file(name, "registry")
		if err := id.write(filepath.Join(name, "registry"), []byte(id.access.reader.Reveal())); err != nil {
			return nil, err
		}
	}
	if how == contract.MTLS {
		return vars, id.certify(vars, user)
	}
	password, err := id.password(user)
	if err != nil {
		return nil, err
	}
	vars["SASL_PASSWORD_PATH"] = id.file(name, "password")
	return vars, id.write(filepath.Join(name, "password"), []byte(password.Reveal()))
}

// certify adds where a client certificate is.
func (id *identities) certify(vars map[string]string, user string) error {
	dir, err := id.access.certificate(user)
	if err != nil {
		return err
	}
	vars["TLS_CERT_PATH"] = filepath.Join(dir, pki.CertificateFile)
	vars["TLS_KEY_PATH"] = filepath.Join(dir, pki.KeyFile)
	return nil
}

func (id *identities) file(parts ...string) string {
	return filepath.Join(append([]string{id.dir}, parts...)...)
}

func (id *identities) write(name string, content []byte) error {
	if err := os.WriteFile(id.file(name), content, 0o600); err != nil {
		return stateFault(err)
	}
	return nil
}
