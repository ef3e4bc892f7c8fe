package pki

import "strings"

// aliased gives a request without a DNS name one that the constraints above it
// permit: the common name below one of their domains. Java takes the common
// name of a certificate without DNS names for one, so under constraints a
// broker would refuse every client; with a DNS name it is not looked at.
//
// Nobody dials a client. A server is given a name only in the domain of
// nobody: any other could be that of another host.
func (a *Authority) aliased(req Request) Request {
	if len(req.DNSNames) > 0 {
		return req
	}
	for _, ca := range a.chain {
		for _, domain := range ca.PermittedDNSDomains {
			if req.Usage != Client && domain != nobody {
				continue
			}
			named := req
			named.DNSNames = []string{alias(req.CommonName) + "." + strings.TrimPrefix(strings.ToLower(domain), ".")}
			if checkHost(named.DNSNames[0]) == nil && checkConstraints(a.chain, named) == nil {
				return named
			}
		}
	}
	return req
}

// alias is a common name as a label of a host name.
func alias(name string) string {
	label := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(name))
	return strings.Trim(label[:min(len(label), 63)], "-")
}

// Aliased reports whether the DNS names of a certificate can be the one that
// [Authority.Issue] adds under name constraints to a client's request without
// any. Whoever issues it again leaves it out of the request.
func Aliased(commonName string, names []string) bool {
	return len(names) == 1 && strings.HasPrefix(names[0], alias(commonName)+".")
}
