package pki

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// authority makes the one authority out of what was found.
func (h *haul) authority() (*Authority, error) {
	owners, err := h.owners()
	if err != nil {
		return nil, err
	}
	var chains [][]foundCertificate
	for _, c := range owners {
		chain, err := h.chain(c)
		if err != nil {
			return nil, err
		}
		chains = append(chains, chain)
	}
	// Those that stand above another one are not meant.
	lowest := slices.DeleteFunc(slices.Clone(chains), func(chain []foundCertificate) bool {
		return slices.ContainsFunc(chains, func(other []foundCertificate) bool {
			return slices.ContainsFunc(other[1:], func(c foundCertificate) bool { return c.Equal(chain[0].Certificate) })
		})
	})
	if len(lowest) != 1 {
		return nil, diag.New(diag.PKIImport, "there are %d authorities that could issue: %s", len(lowest), list(owners))
	}
	return h.build(lowest[0])
}

// owners are the certificates of authorities whose keys were found.
func (h *haul) owners() ([]foundCertificate, error) {
	var authorities, owners, others []foundCertificate
	for _, c := range h.certs {
		owned := h.key(c) != nil
		switch {
		case c.IsCA && owned:
			owners = append(owners, c)
		case c.IsCA:
			authorities = append(authorities, c)
		case owned:
			others = append(others, c)
		}
	}
	switch {
	case len(owners) > 0:
		return owners, nil
	case len(authorities) > 0 && len(h.keys) > 0 && len(others) == 0:
		return nil, diag.New(diag.PKIPair, "no key in %s belongs to the certificate of %s", h.keyFiles(), list(authorities))
	case len(authorities) > 0:
		d := diag.New(diag.PKIImportKey, "the key of %s is not among the files", list(authorities))
		for _, c := range others {
			d = d.WithEvidence("%q (%s) has its key and is no authority's", c.Subject.CommonName, c.file)
		}
		return nil, d
	case len(others) > 0:
		return nil, inFile(others[0].file, checkAuthority(others[0].Certificate))
	}
	return nil, diag.New(diag.PKIImport, "there is no certificate of an authority among the %d found", len(h.certs))
}

// chain returns a certificate and those above it, as far as a name leads to
// another. Whether the signatures are right is judged after.
func (h *haul) chain(c foundCertificate) ([]foundCertificate, error) {
	chain := []foundCertificate{c}
	for {
		if bytes.Equal(c.RawSubject, c.RawIssuer) {
			return chain, nil
		}
		above, ok := h.issuer(c)
		if !ok {
			return nil, inFile(c.file, diag.New(diag.PKIChain, "the certificate of %q was issued by %q, which is not among the files",
				c.Subject.CommonName, c.Issuer.CommonName))
		}
		if len(chain) == maxChain {
			return nil, inFile(c.file, diag.New(diag.PKIChain, "the chain is longer than %d certificates", maxChain))
		}
		chain, c = append(chain, above), above
	}
}

// issuer finds who issued a certificate: by name, and among several of one
// name the one whose key signed it, a root before one that is cross-signed.
func (h *haul) issuer(c foundCertificate) (best foundCertificate, ok bool) {
	rank := func(above *x509.Certificate) (n int) {
		if above.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil {
			n += 2
		}
		if bytes.Equal(above.RawSubject, above.RawIssuer) {
			n++
		}
		return n
	}
	for _, above := range h.certs {
		if bytes.Equal(above.RawSubject, c.RawIssuer) && (!ok || rank(above.Certificate) > rank(best.Certificate)) {
			best, ok = above, true
		}
	}
	return best, ok
}

func (h *haul) build(found []foundCertificate) (*Authority, error) {
	chain := make([]*x509.Certificate, len(found))
	for i, c := range found {
		chain[i] = c.Certificate
	}
	errs := []error{inFile(found[0].file, checkPath(chain, 0))}
	for i, c := range found {
		errs = append(errs, inFile(c.file, checkLink(chain, i)))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &Authority{chain: chain, key: h.key(found[0]).Signer}, nil
}

func (h *haul) key(c foundCertificate) *foundKey {
	for i := range h.keys {
		if belongs(h.keys[i].Signer, c.PublicKey) {
			return &h.keys[i]
		}
	}
	return nil
}

func list(certs []foundCertificate) string {
	names := make([]string, len(certs))
	for i, c := range certs {
		names[i] = fmt.Sprintf("%q (%s)", c.Subject.CommonName, c.file)
	}
	return strings.Join(names, ", ")
}

func (h *haul) keyFiles() string {
	names := make([]string, len(h.keys))
	for i, k := range h.keys {
		names[i] = k.file
	}
	return strings.Join(slices.Compact(names), ", ")
}
