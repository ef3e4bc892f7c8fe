package pki

import (
	"errors"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

const maxNames = 100

// Names that pass these cannot end Kafka's principal mapping early, and read
// the same in RFC 2253, in an ACL and in a file name. An authority's name is
// for people and may hold spaces.
var (
	leafName      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	authorityName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}[A-Za-z0-9]$`)
	hostLabel     = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
	digits        = regexp.MustCompile(`^[0-9]+$`)
	numeric       = regexp.MustCompile(`^[0-9.]+$`)
)

func checkName(name string, authority bool) error {
	switch {
	case name == "":
		return diag.New(diag.PKIName, "common name is empty")
	case len(name) > 64:
		return diag.New(diag.PKIName, "common name is %d characters, at most 64", len(name))
	case authority && !authorityName.MatchString(name):
		return diag.New(diag.PKIName, "common name %q is not letters, digits, space, dot, hyphen and underscore", name)
	case !authority && !leafName.MatchString(name):
		return diag.New(diag.PKIName, "common name %q is not letters, digits, dot, hyphen and underscore", name)
	}
	return nil
}

// checkAlternatives judges the names and addresses a server answers to. What
// is given twice is refused, because one of the two was meant to be another.
func checkAlternatives(hosts []string, ips []netip.Addr) error {
	if n := len(hosts) + len(ips); n > maxNames {
		return diag.New(diag.PKIName, "%d names and addresses, at most %d", n, maxNames)
	}
	var errs []error
	for i, name := range hosts {
		errs = append(errs, checkHost(name))
		if slices.ContainsFunc(hosts[:i], func(s string) bool { return strings.EqualFold(s, name) }) {
			errs = append(errs, diag.New(diag.PKIName, "DNS name %q is given twice", name))
		}
	}
	for i, ip := range ips {
		errs = append(errs, checkIP(ip.Unmap()))
		if slices.ContainsFunc(ips[:i], func(a netip.Addr) bool { return a.Unmap() == ip.Unmap() }) {
			errs = append(errs, diag.New(diag.PKIName, "address %s is given twice", ip))
		}
	}
	return errors.Join(errs...)
}

// checkHost takes host names of ASCII labels, so no two that look alike
// differ. An internationalised name is therefore written as its xn-- form;
// that form is allowed, because it is what resolvers ask for, what verifiers
// compare byte by byte, and what is shown everywhere here, never decoded. A
// name that is an address, or that some resolver reads as one because it ends
// in a number, belongs among the addresses: verifiers look for it only there.
func checkHost(name string) error {
	if _, err := netip.ParseAddr(name); err == nil {
		return diag.New(diag.PKIName, "DNS name %q is an IP address: put it into IPs", name)
	}
	if len(name) > 253 {
		return diag.New(diag.PKIName, "DNS name of %d characters, at most 253", len(name))
	}
	for label := range strings.SplitSeq(name, ".") {
		if !hostLabel.MatchString(label) {
			return diag.New(diag.PKIName, "DNS name %q is not a host name", name)
		}
	}
	if digits.MatchString(name[strings.LastIndexByte(name, '.')+1:]) {
		return diag.New(diag.PKIName, "DNS name %q ends in a number, as an address does", name)
	}
	return nil
}

func checkIP(ip netip.Addr) error {
	if !ip.IsValid() || ip.IsUnspecified() || ip.IsMulticast() || ip.Zone() != "" || ip == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return diag.New(diag.PKIName, "address %s is not that of one host", ip)
	}
	return nil
}
