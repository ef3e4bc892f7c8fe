package pki

import (
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// Constraints are the names and addresses that an authority may certify. They
// stand in its certificate as critical name constraints, so that a verifier
// keeps them too, not only this package. The zero value constrains nothing; as
// soon as one name or range is given, everything else is outside: a list of
// domains alone also means no addresses.
type Constraints struct {
	// DNSDomains are domains such as prod.example: the domain itself and what
	// lies below it. Certificates without a DNS name are looked at as well: see
	// Name constraints in the package's comment.
	DNSDomains []string

	// IPRanges are networks such as 10.20.0.0/16.
	IPRanges []netip.Prefix
}

func (c Constraints) empty() bool { return len(c.DNSDomains)+len(c.IPRanges) == 0 }

func (c Constraints) validate() error {
	var errs []error
	if n := len(c.DNSDomains) + len(c.IPRanges); n > maxNames {
		return diag.New(diag.PKIName, "%d name constraints, at most %d", n, maxNames)
	}
	for _, d := range c.DNSDomains {
		errs = append(errs, checkHost(d))
	}
	for _, r := range c.IPRanges {
		if !r.IsValid() || r != r.Masked() || r.Addr().Is4In6() {
			errs = append(errs, diag.New(diag.PKIName, "range %s is not a network such as 10.20.0.0/16", r))
		}
	}
	return errors.Join(errs...)
}

// nobody is a domain that no host is in: RFC 2606 keeps it so.
const nobody = "invalid"

// write puts the constraints into a certificate. A kind without an entry is
// shut out, because to RFC 5280 it would be unconstrained: addresses by
// excluding all, hosts by permitting a domain of nobody. Excluding every host
// would be an empty name, over which Java's verifier falls.
func (c Constraints) write(cert *x509.Certificate) {
	if c.empty() {
		return
	}
	cert.PermittedDNSDomainsCritical = true
	cert.PermittedDNSDomains = c.DNSDomains
	for _, r := range c.IPRanges {
		cert.PermittedIPRanges = append(cert.PermittedIPRanges, &net.IPNet{
			IP: r.Addr().AsSlice(), Mask: net.CIDRMask(r.Bits(), r.Addr().BitLen()),
		})
	}
	if len(c.DNSDomains) == 0 {
		cert.PermittedDNSDomains = []string{nobody}
	}
	if len(c.IPRanges) == 0 {
		cert.ExcludedIPRanges = everywhere()
	}
}

// checkConstraints holds the names of a request against the constraints of
// every authority above it and says which constraint is in the way. Where there
// is no DNS name the common name counts as one, because OpenSSL (if it has a
// dot) and Java take it for one; Java takes digits and dots for an address.
func checkConstraints(chain []*x509.Certificate, req Request) error {
	hosts := req.DNSNames
	if len(hosts) == 0 {
		hosts = []string{req.CommonName}
	}
	var errs []error
	for _, ca := range chain {
		for _, host := range hosts {
			errs = append(errs, checkDomain(ca, host))
		}
		for _, ip := range req.IPs {
			errs = append(errs, checkRange(ca, ip.Unmap()))
		}
		if len(req.IPs) == 0 && len(ca.PermittedIPRanges)+len(ca.ExcludedIPRanges) > 0 && numeric.MatchString(req.CommonName) {
			errs = append(errs, diag.New(diag.PKIConstraint, "common name %q would be taken for an address, which the name constraints of %q bound",
				req.CommonName, ca.Subject.CommonName))
		}
	}
	return errors.Join(errs...)
}

func checkDomain(ca *x509.Certificate, host string) error {
	for _, d := range ca.ExcludedDNSDomains {
		if below(host, d) {
			return outside(ca, "name "+host, "excludes", d)
		}
	}
	for _, d := range ca.PermittedDNSDomains {
		if below(host, d) {
			return nil
		}
	}
	if len(ca.PermittedDNSDomains) == 0 {
		return nil
	}
	return outside(ca, "name "+host, "permits", ca.PermittedDNSDomains...)
}

func checkRange(ca *x509.Certificate, ip netip.Addr) error {
	for _, r := range ca.ExcludedIPRanges {
		if r.Contains(ip.AsSlice()) {
			return outside(ca, "address "+ip.String(), "excludes", r.String())
		}
	}
	ranges := make([]string, len(ca.PermittedIPRanges))
	for i, r := range ca.PermittedIPRanges {
		if r.Contains(ip.AsSlice()) {
			return nil
		}
		ranges[i] = r.String()
	}
	if len(ranges) == 0 {
		return nil
	}
	return outside(ca, "address "+ip.String(), "permits", ranges...)
}

func outside(ca *x509.Certificate, name, verb string, what ...string) error {
	list := strings.Join(what, ", ")
	if list == "" {
		list = "every DNS name"
	}
	return diag.New(diag.PKIConstraint, "%s is outside of the name constraints of %q, which %s %s", name, ca.Subject.CommonName, verb, list)
}

// below reports whether a host is a domain or lies below it. An empty domain
// is every one's; one that begins with a dot, as some authorities write it, is
// not below itself.
func below(host, domain string) bool {
	host, domain = strings.ToLower(host), strings.ToLower(domain)
	rest, ok := strings.CutSuffix(host, domain)
	return ok && (domain == "" || strings.HasPrefix(domain, ".") && rest != "" || rest == "" || strings.HasSuffix(rest, "."))
}

// checkNarrower refuses constraints that permit what an authority above does
// not: nothing could be issued for it.
func checkNarrower(chain []*x509.Certificate, c Constraints) error {
	var errs []error
	for _, ca := range chain {
		for _, d := range c.DNSDomains {
			errs = append(errs, checkDomain(ca, d))
		}
		for _, r := range c.IPRanges {
			errs = append(errs, checkRange(ca, r.Addr()), checkRange(ca, last(r)))
		}
	}
	return errors.Join(errs...)
}

// last returns the last address of a network.
func last(r netip.Prefix) netip.Addr {
	b := r.Addr().AsSlice()
	for i := r.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	addr, _ := netip.AddrFromSlice(b)
	return addr
}
