package slipway

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/internal/auth"
	"github.com/slipway-go/slipway/internal/secure"
	"github.com/slipway-go/slipway/schema"
)

// A CredentialStatus says which of the mounted passwords a service uses. To
// rotate a password, mount the new one beside the current one, in a file of the
// same name with .next; wait until every instance tells that it has it; alter
// the credential on the cluster; wait until every instance uses it; then make
// it the current one.
type CredentialStatus struct {
	// User is who logs in.
	User string `json:"user"`

	// Using is where the password is that the cluster accepted last: current,
	// next, or former if no file holds it any more. It is empty before the
	// first login, and for a service with a client certificate. Connections
	// that are open stay so when the password is altered on the cluster, until
	// it asks them to log in again.
	Using string `json:"using"`

	// Mounted are the files that can be used now: current, next.
	Mounted []string `json:"mounted"`

	// Refused counts logins that the cluster did not accept, and Unread how
	// often a file was found unusable, in which case the service goes on with
	// what it held before.
	Refused int64 `json:"refused"`
	Unread  int64 `json:"unread"`

	// Certificate is what the service shows in TLS; nil if it has none.
	Certificate *CertificateStatus `json:"certificate,omitempty"`

	// Trust is what it knows others by; nil before the first connection.
	Trust *TrustStatus `json:"trust,omitempty"`

	// Clusters is how it logs in to clusters other than the default one, by
	// their aliases in the contract.
	Clusters map[string]CredentialStatus `json:"clusters,omitempty"`
}

// Credential returns how the service logs in, and what it trusts. It reads the
// mounted files.
func (a *App) Credential() CredentialStatus {
	s := CredentialStatus{User: a.contract.User(), Mounted: []string{}}
	for _, l := range a.links {
		if l.has("") {
			s = l.credential()
		}
	}
	for _, l := range a.links {
		if l.has("") {
			continue
		}
		if s.Clusters == nil {
			s.Clusters = make(map[string]CredentialStatus)
		}
		s.Clusters[l.alias] = l.credential()
	}
	return s
}

// credential is how the service logs in to the cluster.
func (l *link) credential() CredentialStatus {
	s := CredentialStatus{User: l.contract.User(), Mounted: []string{}}
	if files := l.login.trusted(); files != nil {
		now, known := time.Now(), files.Status()
		s.Certificate, s.Trust = l.certificate(known, now), trustStatus(known, now)
	}
	ring := l.login.known()
	if ring == nil {
		return s
	}
	known := ring.Status()
	s.Using, s.Refused, s.Unread = known.Using, known.Refused, known.Unread
	s.Mounted = append(s.Mounted, known.Mounted...)
	return s
}

// login is how the app proves who it is to a cluster, and whom it trusts. All
// clients of that cluster share it.
type login struct {
	mu    sync.Mutex
	ring  *auth.Keyring
	files *secure.Files

	registry atomic.Pointer[schema.Client] // whose connections show the certificate, too
}

// known is nil before the first client is made, and for a service without
// passwords.
func (l *login) known() *auth.Keyring {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ring
}

// loginHealth is what health calls a login that is refused.
const loginHealth = "login to the cluster"

// keyring returns the app's passwords.
func (l *link) keyring() (*auth.Keyring, error) {
	l.login.mu.Lock()
	defer l.login.mu.Unlock()
	if l.login.ring != nil {
		return l.login.ring, nil
	}
	ring, err := auth.NewKeyring(auth.KeyringConfig{
		File: l.env.PasswordFile, Kind: l.saslKind(), User: l.contract.User(), Logger: l.log,
		Trouble: func(problem string) { l.tell(private, loginHealth, problem) },
	})
	if err != nil {
		return nil, fileFault("SASL_PASSWORD_PATH", err)
	}
	l.login.ring = ring
	return ring, nil
}

// passwordOptions have a client log in by password over a dialer.
func (l *link) passwordOptions(dial secure.DialFunc) ([]kgo.Opt, error) {
	ring, err := l.keyring()
	if err != nil {
		return nil, err
	}
	mechanism, err := auth.Mechanism(l.saslKind(), l.contract.User(), ring.Password)
	if err != nil {
		return nil, fmt.Errorf("log in: %w", err)
	}
	return []kgo.Opt{kgo.SASL(mechanism), kgo.Dialer(ring.Dialer(dial)), kgo.WithHooks(ring)}, nil
}

// dial opens a connection without TLS.
func (a *App) dial() secure.DialFunc {
	if a.cfg.Dial != nil {
		return a.cfg.Dial
	}
	return new(net.Dialer).DialContext
}
