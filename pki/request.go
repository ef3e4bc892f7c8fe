package pki

import (
	"cmp"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	// MaxLifetime is the longest a leaf certificate may live: 90 days.
	MaxLifetime = 90 * 24 * time.Hour

	// DefaultLifetime is a leaf's lifetime where the request names none.
	DefaultLifetime = 30 * 24 * time.Hour

	minLifetime = time.Minute
	maxNames    = 100
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

	// Lifetime is how long from Now the certificate is valid: one minute to
	// [MaxLifetime].
	//
	// Defaults to [DefaultLifetime].
	Lifetime time.Duration

	// Now is when the certificate is issued.
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
	errs := []error{checkName(r.CommonName, false), checkLifetime(r.Lifetime, MaxLifetime)}
	if r.Usage.extended() == nil {
		errs = append(errs, errors.New("Usage is not one of Client, Server, Peer"))
	}
	names := len(r.DNSNames) + len(r.IPs)
	if names == 0 && (r.Usage == Server || r.Usage == Peer) {
		errs = append(errs, errors.New("a server needs a DNS name or an IP address: clients do not look at the common name"))
	}
	if names > maxNames {
		return errors.Join(append(errs, fmt.Errorf("%d names and addresses, at most %d", names, maxNames))...)
	}
	for i, name := range r.DNSNames {
		errs = append(errs, checkHost(name))
		if slices.ContainsFunc(r.DNSNames[:i], func(s string) bool { return strings.EqualFold(s, name) }) {
			errs = append(errs, fmt.Errorf("DNS name %q is given twice", name))
		}
	}
	for i, ip := range r.IPs {
		errs = append(errs, checkIP(ip))
		if slices.Contains(r.IPs[:i], ip) {
			errs = append(errs, fmt.Errorf("address %s is given twice", ip))
		}
	}
	return errors.Join(errs...)
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

// Names that pass these cannot end Kafka's principal mapping early, and read
// the same in RFC 2253, in an ACL and in a file name. An authority's name is
// for people and may hold spaces.
var (
	leafName      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	authorityName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}[A-Za-z0-9]$`)
	hostLabel     = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
)

func checkName(name string, authority bool) error {
	switch {
	case name == "":
		return errors.New("common name is empty")
	case len(name) > 64:
		return fmt.Errorf("common name is %d characters, at most 64", len(name))
	case authority && !authorityName.MatchString(name):
		return fmt.Errorf("common name %q is not letters, digits, space, dot, hyphen and underscore", name)
	case !authority && !leafName.MatchString(name):
		return fmt.Errorf("common name %q is not letters, digits, dot, hyphen and underscore", name)
	}
	return nil
}

func checkLifetime(d, longest time.Duration) error {
	if d < minLifetime || d > longest {
		return fmt.Errorf("lifetime is %v, want %v to %v", d, minLifetime, longest)
	}
	return nil
}

// checkHost takes host names of ASCII labels. A name that is an address
// belongs among the addresses: verifiers look for it only there.
func checkHost(name string) error {
	if _, err := netip.ParseAddr(name); err == nil {
		return fmt.Errorf("DNS name %q is an IP address: put it into IPs", name)
	}
	if len(name) > 253 {
		return fmt.Errorf("DNS name of %d characters, at most 253", len(name))
	}
	for label := range strings.SplitSeq(name, ".") {
		if !hostLabel.MatchString(label) {
			return fmt.Errorf("DNS name %q is not a host name", name)
		}
	}
	return nil
}

func checkIP(ip netip.Addr) error {
	if !ip.IsValid() || ip.IsUnspecified() || ip.IsMulticast() || ip.Zone() != "" {
		return fmt.Errorf("address %s is not that of one host", ip)
	}
	return nil
}
