package slipway

import (
	"errors"
	"fmt"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secure"
)

// A CertificateStatus is the client certificate that a service shows, as the
// mounted files have it. A new one is used at the next connection, and
// connections made with an old one end by themselves, between requests, at 80 %
// of its life. So nothing has to be restarted when it is renewed.
type CertificateStatus struct {
	// Subject is the certificate's distinguished name, and Principal who the
	// contract says that the brokers make of it.
	Subject   string `json:"subject"`
	Principal string `json:"principal"`

	// Serial is its serial number in hexadecimal.
	Serial string `json:"serial"`

	// NotAfter is its end, and Read when this process took it from its files.
	NotAfter time.Time `json:"not_after"`
	Read     time.Time `json:"read"`

	// Problem says that its end is near, or over, and nothing newer is there.
	Problem string `json:"problem,omitempty"`
}

// A TrustStatus is what a service trusts others by.
type TrustStatus struct {
	// Authorities are those of TLS_CA_PATH.
	Authorities []AuthorityStatus `json:"authorities"`

	// Lists are the revocation lists of ca.crl beside it.
	Lists []RevocationStatus `json:"revocation_lists,omitempty"`

	// Refused counts changes of mounted authorities, certificates and lists that
	// could not be used; Faults is what is wrong with them now. The service goes
	// on with what it held before.
	Refused int64    `json:"refused"`
	Faults  []string `json:"faults,omitempty"`
}

// An AuthorityStatus is a trusted authority.
type AuthorityStatus struct {
	Subject  string    `json:"subject"`
	Serial   string    `json:"serial"`
	NotAfter time.Time `json:"not_after"`
}

// A RevocationStatus is an authority's list of revoked certificates.
type RevocationStatus struct {
	Issuer     string    `json:"issuer"`
	Number     string    `json:"number,omitempty"`
	Revoked    int       `json:"revoked"`
	NextUpdate time.Time `json:"next_update,omitzero"`
	Overdue    bool      `json:"overdue"` // it goes on denying what it lists
}

// trust returns the files that every connection of the app takes its TLS from.
func (l *link) trust() (*secure.Files, error) {
	l.login.mu.Lock()
	defer l.login.mu.Unlock()
	if l.login.files != nil {
		return l.login.files, nil
	}
	env := l.env
	files, err := secure.NewFiles(secure.FilesConfig{CA: env.CAFile, Cert: env.CertFile, Key: env.KeyFile, Logger: l.log})
	if err != nil {
		return nil, env.trustFault(err)
	}
	files.OnChange(func() {
		if registry := l.login.registry.Load(); registry != nil {
			registry.Close() // what is idle: the next request shows the new certificate
		}
	})
	l.login.files = files
	return files, nil
}

// trusted is nil before the first client is made.
func (l *login) trusted() *secure.Files {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.files
}

// certificate tells of the own certificate; nil for a service that has none.
func (a *App) certificate(s secure.Status, now time.Time) *CertificateStatus {
	if s.Leaf == nil {
		return nil
	}
	c := &CertificateStatus{
		Subject: s.Leaf.Subject.String(), Principal: a.contract.Principal(), Serial: secure.Serial(s.Leaf),
		NotAfter: s.Leaf.NotAfter, Read: s.Read,
	}
	if problem := a.certificateProblem(s, now); problem != nil {
		c.Problem = problem.Error()
	}
	return c
}

func (a *App) certificateProblem(s secure.Status, now time.Time) error {
	if err := s.Expired(now); err != nil {
		return err
	}
	return s.Scarce(now)
}

func trustStatus(s secure.Status, now time.Time) *TrustStatus {
	t := &TrustStatus{Refused: s.Refused}
	for _, root := range s.Roots {
		t.Authorities = append(t.Authorities, AuthorityStatus{root.Subject.String(), secure.Serial(root), root.NotAfter})
	}
	for _, l := range s.Lists {
		t.Lists = append(t.Lists, RevocationStatus{l.Issuer, l.Number, l.Revoked, l.NextUpdate, l.Overdue(now)})
	}
	for _, f := range s.Faults {
		t.Faults = append(t.Faults, fmt.Sprintf("%s: %s", f.Code, f))
	}
	return t
}

// trustFault names the variable whose file cannot be used.
func (e Environment) trustFault(err error) error {
	switch {
	case errors.Is(err, diag.TLSPairUnread):
		return fileFault("TLS_CERT_PATH", err)
	case errors.Is(err, diag.TLSListUnread):
		return fileFault("TLS_CA_PATH", fmt.Errorf("the revocation list beside it: %w", err))
	}
	return fileFault("TLS_CA_PATH", err)
}
