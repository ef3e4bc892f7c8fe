package auth

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secret"
)

// Where a password is that a login used.
const (
	Current = "current" // in the file that is configured
	Next    = "next"    // in the one beside it that ends in .next
	Former  = "former"  // in none of them any more: it was read earlier, and worked
)

const (
	dialTimeout = 10 * time.Second

	// restFirst is how long nobody logs in after a refusal, doubled with each
	// further one up to restLongest.
	restFirst   = time.Second
	restLongest = 10 * time.Second
)

// A KeyringConfig says who logs in, and with what.
type KeyringConfig struct {
	File    string        // the current password; the next one is beside it
	Kind    contract.Auth // the mechanism
	User    string
	Logger  *slog.Logger
	Trouble func(problem string) // told that no login is accepted, and with "" that one was; it must not block
}

// A Keyring is the passwords that a service may log in with, and what is known
// of them. Brokers keep one password for a user, and clients get theirs from a
// file at another time, so there are two files: while both hold something, or
// a file holds something else than what worked last, a connection first finds
// out, by a login of its own, which one the cluster accepts. So no request of
// the service is the first to learn of a rotation.
//
// The order is: what worked last, the current file, the next one. A password
// that works is not given up for one that may not, such as one that was half
// written.
//
// When none is accepted, nobody logs in for a while, whatever the number of
// connections that want to: one attempt for each rest, until one is accepted or
// the files change. Existing connections are not touched.
type Keyring struct {
	cfg KeyringConfig

	mu      sync.Mutex
	mount   mount
	proven  secret.Secret // worked last
	chosen  secret.Secret // is to be used for the next login
	using   string        // where proven is; "" before the first login
	refused []secret.Secret
	fails   int
	rest    time.Time // nobody logs in before
	stats   KeyringStats
	dialled map[net.Conn]secret.Secret // connections whose login is not over
}

// KeyringStats counts what happened to logins and files.
type KeyringStats struct {
	Refused int64 // logins that the cluster did not accept
	Unread  int64 // times that a file was found unusable
}

// NewKeyring returns a keyring. It reads the files, and fails if there is no
// password to begin with.
func NewKeyring(cfg KeyringConfig) (*Keyring, error) {
	k := &Keyring{cfg: cfg, dialled: make(map[net.Conn]secret.Secret)}
	k.mount = k.mount.read(cfg.File)
	if k.mount.current.Empty() && k.mount.next.Empty() {
		return nil, k.mount.currentErr
	}
	return k, nil
}

// Password is the password for the next login.
func (k *Keyring) Password(context.Context) (secret.Secret, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.chosen, nil
}

// A DialFunc opens a connection over which a login may begin.
type DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// Dialer returns a dialer whose connections log in with a password that the
// cluster accepts, if there is one.
func (k *Keyring) Dialer(dial DialFunc) DialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		candidates, err := k.candidates(time.Now())
		if err == nil && len(candidates) > 1 {
			err = k.choose(ctx, dial, network, addr, candidates)
		}
		if err != nil { // as what it is to the client: nobody can be reached
			return nil, &net.OpError{Op: "dial", Net: network, Err: err}
		}
		conn, err := dial(ctx, network, addr)
		if err == nil {
			k.mu.Lock()
			k.dialled[conn] = k.chosen
			k.mu.Unlock()
		}
		return conn, err
	}
}

// candidates returns the passwords to try, in order, or why none is tried now.
func (k *Keyring) candidates(now time.Time) ([]secret.Secret, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.reread()
	var all []secret.Secret
	fresh := false
	for _, s := range []secret.Secret{k.proven, k.mount.current, k.mount.next} {
		if !s.Empty() && !holds(all, s) {
			all = append(all, s)
			fresh = fresh || !holds(k.refused, s)
		}
	}
	if k.fails > 0 && !fresh {
		if now.Before(k.rest) {
			return nil, k.refusal().WithEvidence("nobody logs in for another %v", k.rest.Sub(now).Round(time.Millisecond))
		}
		k.fails++
		k.rest = now.Add(k.pause())
	}
	k.chosen = all[0]
	return all, nil
}

func (k *Keyring) pause() time.Duration { return min(restFirst<<min(k.fails-1, 10), restLongest) }

func holds(all []secret.Secret, s secret.Secret) bool {
	for _, other := range all {
		if other.Equal(s) {
			return true
		}
	}
	return false
}

func (k *Keyring) refusal() diag.Diagnostic {
	return diag.New(diag.KafkaLogin, "the cluster refused the login of %s", k.cfg.User)
}

// choose logs in to find out which password is accepted. Trouble with the
// connection is left to the one that is opened afterwards.
func (k *Keyring) choose(ctx context.Context, dial DialFunc, network, addr string, candidates []secret.Secret) error {
	for _, candidate := range candidates {
		switch err := k.try(ctx, dial, network, addr, candidate); {
		case err == nil:
			k.accepted(candidate)
			return nil
		case !errors.Is(err, errRefused):
			return nil
		}
		k.rejected(candidate)
	}
	k.noneAccepted()
	return k.refusal()
}

func (k *Keyring) try(ctx context.Context, dial DialFunc, network, addr string, candidate secret.Secret) error {
	mechanism, err := Mechanism(k.cfg.Kind, k.cfg.User, Static(candidate))
	if err != nil {
		return err
	}
	conn, err := dial(ctx, network, addr)
	if err != nil {
		return err
	}
	err = login(ctx, conn, mechanism, addr)
	go func() { _ = conn.Close() }() // which may take a while
	return err
}

// accepted notes that the cluster accepts a password.
func (k *Keyring) accepted(s secret.Secret) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.chosen, k.proven = s, s
	if k.fails > 0 {
		k.fails = 0
		k.cfg.Logger.Info("the cluster accepts the login again", "user", k.cfg.User)
		k.cfg.Trouble("")
	}
	k.refused = nil
	k.settle()
}

// settle tells where the password is that works, if that is another place than
// before. The lock is held.
func (k *Keyring) settle() {
	where := k.where(k.proven)
	if k.proven.Empty() || where == k.using {
		return
	}
	first := k.using == ""
	k.using = where
	switch {
	case where == Former:
		k.cfg.Logger.Warn("the password that works is in no file any more", "code", diag.RuntimeCredentialFormer,
			"user", k.cfg.User, "credential", where)
	case !first || where != Current:
		k.cfg.Logger.Info("logged in with another password", "user", k.cfg.User, "credential", where)
	}
}

// where says which file holds a password. The lock is held.
func (k *Keyring) where(s secret.Secret) string {
	switch {
	case s.Equal(k.mount.current):
		return Current
	case s.Equal(k.mount.next):
		return Next
	default:
		return Former
	}
}

// rejected notes that the cluster refuses a password.
func (k *Keyring) rejected(s secret.Secret) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stats.Refused++
	if !holds(k.refused, s) {
		k.refused = append(k.refused, s)
	}
}

// noneAccepted begins a rest, unless one has begun.
func (k *Keyring) noneAccepted() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fails > 0 {
		return
	}
	k.fails = 1
	k.rest = time.Now().Add(k.pause())
	k.cfg.Logger.Error("the cluster refuses the login", "code", diag.KafkaLogin, "user", k.cfg.User, "file", k.cfg.File)
	k.cfg.Trouble("refused for " + k.cfg.User)
}
