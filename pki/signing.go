package pki

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// A SigningRequest asks for a certificate for a key that the authority never
// sees. Only its public key is taken from it; everything else about the
// certificate comes from a [Request]. It is immutable.
type SigningRequest struct {
	csr *x509.CertificateRequest
}

// NewSigningRequest makes a key and a request (PKCS#10) for it: for a service
// whose key shall not leave its machine, or for an intermediate that an
// organisation's authority signs. It asks for the name and nothing more.
func NewSigningRequest(name string, key KeyType) (csrPEM []byte, k Key, err error) {
	if err := errors.Join(checkName(name, true), key.validate()); err != nil {
		return nil, nil, fmt.Errorf("make signing request for %q: %w", name, err)
	}
	signer, err := key.generate()
	if err != nil {
		return nil, nil, fmt.Errorf("make signing request for %q: generate key: %w", name, err)
	}
	template := &x509.CertificateRequest{Subject: pkix.Name{CommonName: name}}
	der, err := x509.CreateCertificateRequest(rand.Reader, template, signer)
	if err != nil {
		return nil, nil, fmt.Errorf("make signing request for %q: %w", name, err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), encodeKey(signer), nil
}

// ParseSigningRequest reads a request as openssl and keytool write it. It
// refuses one that is not signed by its own key, whose key is weak, or that
// asks to be an authority.
func ParseSigningRequest(csrPEM []byte) (*SigningRequest, error) {
	blocks, err := decode(csrPEM, 1, "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST")
	if err != nil {
		return nil, fmt.Errorf("read signing request: %w", recode(err, diag.PKIRequest))
	}
	csr, err := x509.ParseCertificateRequest(blocks[0].Bytes)
	if err != nil {
		return nil, fmt.Errorf("read signing request: %w", diag.New(diag.PKIRequest, "not a PKCS#10 request: %v", err))
	}
	r := &SigningRequest{csr: csr}
	if err := errors.Join(r.checkKey(), r.checkAuthority()); err != nil {
		return nil, fmt.Errorf("read signing request: %w", err)
	}
	return r, nil
}

// checkKey refuses a weak key before it is used to verify anything.
func (r *SigningRequest) checkKey() error {
	if err := checkPublic(r.csr.PublicKey); err != nil {
		return err
	}
	if err := checkSignature(r.csr.SignatureAlgorithm, r.String()); err != nil {
		return err
	}
	if r.csr.CheckSignature() != nil {
		return diag.New(diag.PKIRequestSignature, "%s is not signed by its own key", r)
	}
	return nil
}

// recode gives the problems of err the code of what was being read.
func recode(err error, code diag.Code) error {
	list := diag.Of(err)
	for i := range list {
		list[i].Code = code
	}
	return list.Err()
}

// CommonName returns whom the request says it is for. It decides nothing.
func (r *SigningRequest) CommonName() string { return r.csr.Subject.CommonName }

// String names the request.
func (r *SigningRequest) String() string { return fmt.Sprintf("signing request %q", r.CommonName()) }

// Sign issues a certificate for the key of a signing request. Names, usage and
// lifetime are those of req; [SigningRequest.Withheld] says what else the
// signing request asked for. The certificate carries no private key.
func (a *Authority) Sign(csrPEM []byte, req Request) (*Certificate, error) {
	csr, err := ParseSigningRequest(csrPEM)
	if err != nil {
		return nil, err
	}
	req = a.aliased(req.withDefaults())
	if err := errors.Join(a.check(req), csr.checkUsage(req.Usage)); err != nil {
		return nil, fmt.Errorf("sign request for %q: %w", req.CommonName, err)
	}
	c, err := a.certify(req, csr.csr.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("sign request for %q: %w", req.CommonName, err)
	}
	return c, nil
}

// Withheld returns what the signing request asks for and a certificate issued
// by req would not have, such as "DNS name x.example", in order. Text from
// the request is quoted.
func (r *SigningRequest) Withheld(req Request) []string {
	var out []string
	if subject := r.csr.Subject.String(); subject != (pkix.Name{CommonName: req.CommonName}).String() {
		out = append(out, fmt.Sprintf("subject %q", subject))
	}
	for _, name := range r.csr.DNSNames {
		if !slices.ContainsFunc(req.DNSNames, func(s string) bool { return strings.EqualFold(s, name) }) {
			out = append(out, fmt.Sprintf("DNS name %q", name))
		}
	}
	for _, ip := range r.csr.IPAddresses {
		if !slices.ContainsFunc(req.IPs, func(a netip.Addr) bool { return ip.Equal(a.AsSlice()) }) {
			out = append(out, "address "+ip.String())
		}
	}
	for _, email := range r.csr.EmailAddresses {
		out = append(out, fmt.Sprintf("e-mail address %q", email))
	}
	for _, uri := range r.csr.URIs {
		out = append(out, fmt.Sprintf("URI %q", uri))
	}
	return append(out, r.extensions()...)
}
