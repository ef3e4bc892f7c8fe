package inspect

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"fmt"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

func samePublic(a, b crypto.PublicKey) bool {
	key, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && key.Equal(b)
}

// order asks whether what was sent is the chain and nothing else.
func (j *judgement) order() {
	for i, c := range j.sent {
		if i > 0 && selfIssued(c) && c.IsCA && contains(j.Path, c) {
			j.add(diag.Warn(diag.ChainRoot, "the root %s is sent too", Title(c)))
		}
	}
	for _, c := range j.Others {
		j.add(diag.Warn(diag.ChainOrder, "%s is sent too, and is not in the chain of %s", Title(c), Title(j.Leaf)))
	}
	last := -1
	for _, c := range j.Path {
		for at, s := range j.sent {
			if !s.Equal(c) {
				continue
			}
			if at < last {
				j.add(diag.Warn(diag.ChainOrder, "%s is number %d, and stands before what it signed", Title(c), at+1).WithEvidence("the order is %s", titles(j.sent)))
				return
			}
			last = at
		}
	}
}

func titles(all []*x509.Certificate) string {
	var names []string
	for _, c := range all {
		names = append(names, Title(c))
	}
	return strings.Join(names, ", ")
}

// trust asks where the path ends.
func (j *judgement) trust() {
	for _, c := range j.Path[1:] {
		if !c.IsCA && (c.Version == 3 || c.BasicConstraintsValid) {
			j.add(diag.New(diag.CertAuthority, "%s has signed another certificate and is not an authority", Title(c)))
		}
	}
	top := j.Path[len(j.Path)-1]
	switch {
	case contains(j.Roots, top):
	case top == j.Leaf && selfSigned(top):
		if len(j.Roots) > 0 || !top.IsCA {
			j.add(j.unknown("%s is signed by itself, and by no authority", Title(top)))
		}
	case len(j.Roots) == 0:
		j.gap(top)
	case selfSigned(top):
		j.add(j.unknown("%s leads to the root %s, which is not trusted", Title(j.Leaf), Title(top)))
	case j.namesake(top) != nil:
		j.add(j.unknown("%s is issued by an authority named %s, which is not the one of that name that is trusted: the keys differ", Title(top), top.Issuer))
	case top == j.Leaf && len(j.Others) == 0:
		j.add(diag.New(diag.ChainIncomplete, "%s is issued by %s, which is neither sent nor trusted", Title(top), top.Issuer).
			WithEvidence("trusted: %s", bundle(j.Roots)).
			WithFix("if %s is an intermediate, put it behind the leaf in the file that is sent; if it is a root, trust it", top.Issuer))
	default:
		j.add(j.unknown("%s is issued by %s, which is not trusted", Title(top), top.Issuer))
	}
}

// gap tells of a certificate that is missing where no root is known: what was
// sent besides the leaf did not issue it.
func (j *judgement) gap(top *x509.Certificate) {
	if top == j.Leaf && len(j.Others) > 0 && !selfIssued(top) {
		j.add(diag.New(diag.ChainIncomplete, "%s is issued by %s, which is not among what is sent", Title(top), top.Issuer))
	}
}

func (j *judgement) unknown(format string, args ...any) diag.Diagnostic {
	d := diag.New(diag.ChainUnknown, format, args...).WithEvidence("issuer: %s", j.Path[len(j.Path)-1].Issuer)
	if len(j.Roots) == 0 {
		return d
	}
	return d.WithEvidence("trusted: %s", bundle(j.Roots))
}

// bundle lists the subjects of roots, of many only the first.
func bundle(roots []*x509.Certificate) string {
	const most = 10
	var names []string
	for _, r := range roots[:min(len(roots), most)] {
		names = append(names, r.Subject.String())
	}
	if more := len(roots) - most; more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, "; ")
}

// namesake is a root that has the name of an issuer and not its key.
func (j *judgement) namesake(c *x509.Certificate) *x509.Certificate {
	for _, r := range j.Roots {
		if bytes.Equal(r.RawSubject, c.RawIssuer) {
			return r
		}
	}
	return nil
}
