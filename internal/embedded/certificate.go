package embedded

import (
	"crypto/tls"
	"net/netip"
	"sync"
	"time"

	"github.com/slipway-go/slipway/internal/secure"
	"github.com/slipway-go/slipway/pki"
)

// identity is the server certificate of brokers and registry. It is made anew
// while the cluster runs, because leaves are short-lived.
type identity struct {
	authority *pki.Authority

	mu      sync.Mutex
	current *pki.Certificate
	renewAt time.Time
}

// config is the TLS configuration for servers, whose clients log in by SCRAM or
// a password.
func (i *identity) config() *tls.Config {
	return secure.PublicServer(func() (secure.Material, error) {
		cert, err := i.certificate(time.Now())
		return secure.Material{Certificate: cert}, err
	})
}

// certificate returns the current certificate, a new one after half the old
// one's life.
func (i *identity) certificate(now time.Time) (*tls.Certificate, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.current == nil || !now.Before(i.renewAt) {
		next, err := i.authority.Issue(pki.Request{
			CommonName: "slipway-embedded-broker", // not the authority's: OpenSSL would take the two for one
			Usage:      pki.Server,
			DNSNames:   []string{"localhost"},
			IPs:        []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})},
			Now:        now,
		})
		if err != nil {
			return nil, err
		}
		i.current, i.renewAt = next, now.Add(pki.DefaultLifetime/2)
	}
	c := i.current.TLS()
	return &c, nil
}
