package inspect

import (
	"crypto/ecdsa"
	"crypto/x509"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki"
)

// leaf judges what only leaves have.
func (j *judgement) leaf() {
	c := j.Leaf
	if c.IsCA {
		j.add(diag.New(diag.CertAuthority, "%s is the certificate of an authority, and stands where a leaf belongs", Title(c)))
	}
	j.usages()
	j.names()
	if life := c.NotAfter.Sub(c.NotBefore); life > maxLifetime && !c.IsCA {
		j.add(diag.Warn(diag.CertLifetime, "%s is valid for %s", Title(c), Span(life)))
	}
	j.pair()
}

// serves reports whether the leaf stands for a server, by what is asked or by
// what it says.
func (j *judgement) serves() bool {
	if j.Usage != 0 {
		return j.Usage != pki.Client
	}
	return j.listener || j.Host != "" || slices.Contains(j.Leaf.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
}

// usages asks whether the leaf may be used for what it is used for.
func (j *judgement) usages() {
	c := j.Leaf
	anything := slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny)
	none := len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) == 0
	has := func(u x509.ExtKeyUsage) bool { return anything || none || slices.Contains(c.ExtKeyUsage, u) }
	switch {
	case j.serves() && !has(x509.ExtKeyUsageServerAuth):
		j.add(diag.New(diag.CertUsage, "%s is used by a server and is not for servers (serverAuth)", Title(c)).WithEvidence("it is for %s", Usages(c)))
	case j.Usage == pki.Client && !has(x509.ExtKeyUsageClientAuth):
		j.add(diag.New(diag.CertUsage, "%s is used by a client and is not for clients (clientAuth)", Title(c)).WithEvidence("it is for %s", Usages(c)))
	}
	if j.Usage == pki.Peer && !has(x509.ExtKeyUsageClientAuth) {
		j.add(diag.New(diag.CertUsage, "%s is a broker's and lacks clientAuth: brokers are clients of each other and of the controllers", Title(c)).WithEvidence("it is for %s", Usages(c)))
	}
	if none && !c.IsCA {
		j.add(diag.Warn(diag.CertUsage, "%s does not say what it is for (no extended key usage), so it is for anything", Title(c)))
	}
	j.bits()
}

func (j *judgement) bits() {
	c := j.Leaf
	_, elliptic := c.PublicKey.(*ecdsa.PublicKey)
	switch {
	case c.KeyUsage == 0 || c.IsCA:
	case c.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		j.add(diag.New(diag.CertUsage, "the key of %s may not sign (no digitalSignature), which every handshake of TLS 1.3 and of ECDHE needs", Title(c)))
	case c.KeyUsage&x509.KeyUsageKeyEncipherment != 0 && elliptic:
		j.add(diag.Warn(diag.CertUsage, "the key of %s is marked for keyEncipherment, which an ECDSA key cannot do", Title(c)))
	case c.KeyUsage&(x509.KeyUsageCertSign|x509.KeyUsageCRLSign) != 0:
		j.add(diag.Warn(diag.CertUsage, "the key of %s is marked for signing certificates, and it is no authority", Title(c)))
	}
}

// Usages writes what a certificate says that it is for.
func Usages(c *x509.Certificate) string {
	var all []string
	for _, u := range c.ExtKeyUsage {
		switch u {
		case x509.ExtKeyUsageServerAuth:
			all = append(all, "servers")
		case x509.ExtKeyUsageClientAuth:
			all = append(all, "clients")
		case x509.ExtKeyUsageAny:
			all = append(all, "anything")
		default:
			all = append(all, "something else")
		}
	}
	for range c.UnknownExtKeyUsage {
		all = append(all, "something else")
	}
	if len(all) == 0 {
		return "anything"
	}
	return strings.Join(slices.Compact(all), " and ")
}

func (j *judgement) names() {
	c := j.Leaf
	hosts := len(c.DNSNames) + len(c.IPAddresses)
	switch {
	case !j.serves() || c.IsCA && j.Host == "":
	case hosts == 0:
		j.add(diag.New(diag.CertNoNames, "%s names no host that a client could look for", Title(c)))
	case j.Host != "" && c.VerifyHostname(bracket(j.Host)) != nil:
		j.add(diag.New(diag.CertHost, "%s is not for %s", Title(c), j.Host).WithEvidence("it is for %s", strings.Join(Names(c), ", ")))
	}
	for _, name := range c.DNSNames {
		if strings.HasPrefix(name, "*") {
			j.add(diag.Warn(diag.CertWildcard, "%s is for any host (%s)", Title(c), name))
		}
	}
}

// bracket is a host as VerifyHostname wants it: IPv6 addresses in brackets.
func bracket(host string) string {
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		return "[" + host + "]"
	}
	return host
}

// pair asks whether one of the keys belongs to the leaf.
func (j *judgement) pair() {
	if len(j.Keys) == 0 {
		return
	}
	for _, key := range j.Keys {
		if samePublic(j.Leaf.PublicKey, key) {
			return
		}
	}
	j.add(diag.New(diag.CertPair, "the key is not that of %s", Title(j.Leaf)))
}
