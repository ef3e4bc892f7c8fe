package pki

import (
	"cmp"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/slipway-go/slipway/diag"
)

const (
	// MaxLifetime is the longest a leaf certificate may live: 90 days.
	MaxLifetime = 90 * 24 * time.Hour

	// DefaultLifetime is a leaf's lifetime where the request names none.
	DefaultLifetime = 30 * 24 * time.Hour

	minLifetime = time.Minute
)

// A Usage says which end of a connection a certificate may stand on.
type Usage int

// The usages. There is no default: who asks must know.
const (
	Client Usage = iota + 1 // a service or a person that connects
	Server                  // an endpoint that only answers
	Peer                    // both: a broker or controller
)

func (u Usage) extended() []x509.ExtKeyUsage {
	switch u {
	case Client:
		return []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	case Server:
		return []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	case Peer:
		return []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	}
	return nil
}

// A Request says whom a certificate is for and what it may do.
type Request struct {
	// CommonName is the whole distinguished name: for a client the service's
	// identity, such as svc-orders-prod, which becomes Kafka's principal. At
	// most 64 letters, digits, dots, hyphens and underscores.
	CommonName string

	// Usage is the end of a connection the holder stands on.
	Usage Usage

	// DNSNames are the host names a server answers to; no wildcards. A server
	// needs at least one name or address.
	DNSNames []string

	// IPs are the addresses a server answers at.
	IPs []netip.Addr

	// Key is the kind of key to make. [Authority.Sign] makes none and does
	// not look at it.
	//
	// Defaults to [ECDSAP256].
	Key KeyType

	// Lifetime is how long from Now the certificate is valid: one minute to
	// [MaxLifetime].
	//
	// Defaults to [DefaultLifetime].
	Lifetime time.Duration

	// Now is when the certificate is issued. There is no other way to say
	// when its life begins: five minutes before Now.
	//
	// Defaults to the present.
	Now time.Time
}

func (r Request) withDefaults() Request {
	r.Lifetime = cmp.Or(r.Lifetime, DefaultLifetime)
	if r.Now.IsZero() {
		r.Now = time.Now()
	}
	return r
}

func (r Request) validate() error {
	errs := []error{checkName(r.CommonName, false), checkLifetime(r.Lifetime, MaxLifetime), r.Key.validate()}
	if r.Usage.extended() == nil {
		errs = append(errs, errors.New("Usage is not one of Client, Server, Peer"))
	}
	if len(r.DNSNames)+len(r.IPs) == 0 && (r.Usage == Server || r.Usage == Peer) {
		errs = append(errs, diag.New(diag.PKIName, "a server needs a DNS name or an IP address: clients do not look at the common name"))
	}
	return errors.Join(append(errs, checkAlternatives(r.DNSNames, r.IPs))...)
}

func (r Request) template() *x509.Certificate {
	ips := make([]net.IP, len(r.IPs))
	for i, ip := range r.IPs {
		ips[i] = ip.AsSlice()
	}
	return &x509.Certificate{
		Subject:               pkix.Name{CommonName: r.CommonName},
		NotBefore:             r.Now.Add(-backdate),
		NotAfter:              r.Now.Add(r.Lifetime),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           r.Usage.extended(),
		BasicConstraintsValid: true,
		DNSNames:              r.DNSNames,
		IPAddresses:           ips,
	}
}

func checkLifetime(d, longest time.Duration) error {
	if d < minLifetime || d > longest {
		return diag.New(diag.PKILifetime, "lifetime is %v, want %v to %v", d, minLifetime, longest)
	}
	return nil
}
