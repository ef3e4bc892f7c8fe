package inspect

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"slices"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki"
)

// A Config says what certificates are held against.
type Config struct {
	// Roots are trusted. Without any, nothing is said about trust.
	Roots []*x509.Certificate

	// Lists are revocation lists of the authorities.
	Lists []*x509.RevocationList

	// Host is the name or address that clients dial. Empty means that names are
	// not looked at, but for a certificate of a server that has none.
	Host string

	// Keys are those that one of which belongs to the leaf; none is as good.
	Keys []crypto.PublicKey

	// Usage is what the leaf is for. Zero means what it says itself.
	Usage pki.Usage

	// Within is how much of its life a certificate should have in reserve.
	Within Within

	// Now is the time of the judgement.
	//
	// Defaults to the present.
	Now time.Time

	// Listener says that the certificates came from one, and in this order.
	listener bool
}

// A Report is what was seen, and what is wrong with it.
type Report struct {
	// Leaf is the certificate that a key goes with; nil if there are only
	// authorities.
	Leaf *x509.Certificate

	// Path leads from the leaf to the last issuer that is known, the leaf first.
	Path []*x509.Certificate

	// Others are certificates that are not in the path.
	Others []*x509.Certificate

	// Trusted says that the path leads to one of the roots, that Go's verifier
	// agrees, and that nothing on it is revoked.
	Trusted bool

	// Connection is how a listener speaks; nil for files.
	Connection *Connection

	// Findings are the errors first, then the warnings.
	Findings diag.List
}

// A judgement is one under way.
type judgement struct {
	Config
	Report
	sent []*x509.Certificate
}

// Judge says what is wrong with certificates: a leaf with its chain, or
// authorities alone.
func Judge(sent []*x509.Certificate, cfg Config) Report {
	if cfg.Now.IsZero() {
		cfg.Now = time.Now()
	}
	j := &judgement{Config: cfg, sent: sent}
	if j.Leaf = leafOf(sent, cfg); j.Leaf != nil {
		j.climb()
		j.each(j.Path)
		j.leaf()
		j.order()
		j.trust()
		j.verify()
		j.revoked()
	} else {
		j.Others = sent
		j.each(sent)
		j.revoked()
	}
	j.Findings = graveFirst(j.Findings)
	return j.Report
}

// graveFirst puts errors before warnings and keeps the order of each.
func graveFirst(list diag.List) diag.List {
	grave := func(d diag.Diagnostic) int {
		if d.Severity == diag.Error {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(list, func(a, b diag.Diagnostic) int { return grave(a) - grave(b) })
	return list
}

// leafOf finds the certificate that everything is about: what a listener sends
// first, else the first that is not an authority's. An authority's is one only
// where something is asked of it that is asked of leaves.
func leafOf(sent []*x509.Certificate, cfg Config) *x509.Certificate {
	if len(sent) == 0 {
		return nil
	}
	if !cfg.listener {
		for _, c := range sent {
			if !c.IsCA && !selfIssued(c) || len(sent) == 1 && !c.IsCA {
				return c
			}
		}
		if cfg.Usage == 0 && cfg.Host == "" {
			return nil
		}
	}
	return sent[0]
}

func (j *judgement) add(d diag.Diagnostic) { j.Findings.Add(d) }

func selfIssued(c *x509.Certificate) bool { return bytes.Equal(c.RawIssuer, c.RawSubject) }

// selfSigned reports whether a certificate is its own issuer.
func selfSigned(c *x509.Certificate) bool { return selfIssued(c) && signedBy(c, c) }

// signedBy reports whether the key of issuer made the signature of c. Whether it
// may is another question, and so is whether signatures of that kind are good.
func signedBy(c, issuer *x509.Certificate) bool {
	if !bytes.Equal(c.RawIssuer, issuer.RawSubject) {
		return false
	}
	err := issuer.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature)
	if _, weak := errors.AsType[x509.InsecureAlgorithmError](err); weak {
		return len(c.AuthorityKeyId) == 0 || len(issuer.SubjectKeyId) == 0 || bytes.Equal(c.AuthorityKeyId, issuer.SubjectKeyId)
	}
	return err == nil
}

// climb builds the path from the leaf on, over what was sent and what is trusted.
func (j *judgement) climb() {
	for c := j.Leaf; c != nil && len(j.Path) < 10; c = j.issuer(c) {
		j.Path = append(j.Path, c)
		if contains(j.Roots, c) || selfIssued(c) {
			break
		}
	}
	for _, c := range j.sent {
		if !contains(j.Path, c) && !contains(j.Others, c) {
			j.Others = append(j.Others, c)
		}
	}
}

func (j *judgement) issuer(c *x509.Certificate) *x509.Certificate {
	for _, candidate := range slices.Concat(j.Roots, j.sent) {
		if signedBy(c, candidate) && !contains(j.Path, candidate) {
			return candidate
		}
	}
	return nil
}

func contains(all []*x509.Certificate, c *x509.Certificate) bool {
	return slices.ContainsFunc(all, c.Equal)
}
