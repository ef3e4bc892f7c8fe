package auth

import (
	"errors"
	"io"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/diag"
)

// KeyringStatus is what a keyring has to tell.
type KeyringStatus struct {
	Using   string   // where the password is that worked last: Current, Next or Former; "" before the first login
	Mounted []string // the files that can be used now: Current, Next
	KeyringStats
}

// Status reads the files and returns how things stand.
func (k *Keyring) Status() KeyringStatus {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.reread()
	s := KeyringStatus{Using: k.using, KeyringStats: k.stats}
	if k.mount.currentErr == nil {
		s.Mounted = append(s.Mounted, Current)
	}
	if k.mount.nextErr == nil && !k.mount.next.Empty() {
		s.Mounted = append(s.Mounted, Next)
	}
	return s
}

// reread reads the files and tells what has changed. The lock is held.
func (k *Keyring) reread() {
	was := k.mount
	k.mount = was.read(k.cfg.File)
	k.complain(k.cfg.File, was.currentErr, k.mount.currentErr)
	k.complain(k.cfg.File+nextSuffix, was.nextErr, k.mount.nextErr)
	if !was.current.Equal(k.mount.current) {
		k.cfg.Logger.Info("mounted password changed", "user", k.cfg.User, "credential", Current)
	}
	if !was.next.Equal(k.mount.next) {
		k.cfg.Logger.Info("mounted password changed", "user", k.cfg.User, "credential", Next, "there", !k.mount.next.Empty())
	}
	k.settle()
}

// complain tells once of a file that cannot be used.
func (k *Keyring) complain(file string, before, now error) {
	if now == nil || before != nil && before.Error() == now.Error() {
		return
	}
	k.stats.Unread++
	k.cfg.Logger.Warn("mounted password cannot be used, going on with what it was", "code", diag.RuntimeCredentialUnread,
		"user", k.cfg.User, "file", file, "error", now)
}

var _ kgo.HookBrokerConnect = (*Keyring)(nil)

// OnBrokerConnect implements [kgo.HookBrokerConnect]: it is told of a
// connection once its login is over.
func (k *Keyring) OnBrokerConnect(_ kgo.BrokerMetadata, _ time.Duration, conn net.Conn, err error) {
	if conn == nil {
		return
	}
	k.mu.Lock()
	s, ours := k.dialled[conn]
	delete(k.dialled, conn)
	k.mu.Unlock()
	switch {
	case !ours:
	case err == nil:
		k.accepted(s)
	case refusedLogin(err):
		k.rejected(s)
		k.noneAccepted()
	}
}

// refusedLogin reports whether a connection ended in the refusal of its login.
// Some brokers say so by hanging up, but not before they have said what they
// speak.
func refusedLogin(err error) bool {
	if _, early := errors.AsType[*kgo.ErrFirstReadEOF](err); early {
		return false
	}
	return errors.Is(err, kerr.SaslAuthenticationFailed) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
