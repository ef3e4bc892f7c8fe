package inspect

import (
	"crypto/x509"
	"errors"
	"net"
	"regexp"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki"
)

// verify asks Go's own verifier, and tells what it refuses that was not told yet.
func (j *judgement) verify() {
	if len(j.Roots) == 0 && len(j.Path) < 2 {
		return
	}
	opts := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: j.Now, KeyUsages: []x509.ExtKeyUsage{j.use()}}
	for _, r := range j.Roots {
		opts.Roots.AddCert(r)
	}
	if len(j.Roots) == 0 { // what the chain itself ends with, to see whether it holds together
		opts.Roots.AddCert(j.Path[len(j.Path)-1])
	}
	for _, c := range j.sent {
		opts.Intermediates.AddCert(c)
	}
	_, err := j.Leaf.Verify(opts)
	j.constrained()
	switch {
	case err == nil:
		j.Trusted = len(j.Roots) > 0
	case j.told(err):
	default:
		j.add(broken(err))
	}
}

// hostName is what Java takes a common name for.
var hostName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]*(\.[A-Za-z0-9][A-Za-z0-9-]*)*$`)

// constrained tells what Go's verifier takes and Java's does not: where a
// certificate has no host name, Java holds the common name against the constraints, as
// if it were a host.
func (j *judgement) constrained() {
	cn := j.Leaf.Subject.CommonName
	if len(j.Leaf.DNSNames) > 0 || net.ParseIP(cn) != nil || !hostName.MatchString(cn) {
		return
	}
	for _, c := range j.Path[1:] {
		within := func(domain string) bool {
			domain = strings.ToLower(strings.TrimPrefix(domain, "."))
			return strings.EqualFold(cn, domain) || strings.HasSuffix(strings.ToLower(cn), "."+domain)
		}
		if len(c.PermittedDNSDomains) > 0 && !slices.ContainsFunc(c.PermittedDNSDomains, within) {
			j.add(diag.New(diag.ChainConstraint, "%s names no host, and %s may certify some only: Java takes the common name for a host and refuses it", Title(j.Leaf), Title(c)).
				WithEvidence("allowed: %s", strings.Join(c.PermittedDNSDomains, ", ")).
				WithFix("issue it with a name that is allowed, even if nobody dials it; slipway pki issue does so"))
			return
		}
	}
}

// use is what the chain must allow, where the leaf itself does.
func (j *judgement) use() x509.ExtKeyUsage {
	switch {
	case slices.ContainsFunc(j.Findings, func(d diag.Diagnostic) bool { return d.Code == diag.CertUsage }):
		return x509.ExtKeyUsageAny
	case j.serves():
		return x509.ExtKeyUsageServerAuth
	case j.Usage == pki.Client:
		return x509.ExtKeyUsageClientAuth
	}
	return x509.ExtKeyUsageAny
}

// told reports whether a refusal is one that was found by hand.
func (j *judgement) told(err error) bool {
	invalid, ok := errors.AsType[x509.CertificateInvalidError](err)
	if ok && invalid.Reason != x509.Expired && invalid.Reason != x509.NotAuthorizedToSign {
		return false
	}
	for _, d := range j.Findings {
		switch d.Code {
		case diag.CertExpired, diag.CertNotYet, diag.ChainUnknown, diag.ChainIncomplete, diag.CertAuthority, diag.CertWeakSign:
			return true
		}
	}
	return false
}

func broken(err error) diag.Diagnostic {
	invalid, ok := errors.AsType[x509.CertificateInvalidError](err)
	switch {
	case ok && invalid.Reason == x509.TooManyIntermediates:
		return diag.New(diag.ChainConstraint, "%s allows fewer authorities below it than there are (path length)", Title(invalid.Cert))
	case ok:
		return diag.New(diag.ChainConstraint, "the chain does not hold: %v", err).WithEvidence("%s", invalid.Detail)
	}
	return diag.New(diag.ChainUnknown, "the chain is not accepted: %v", err)
}
