package secure

import (
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/slipway-go/slipway/diag"
)

const (
	minRSABits = 2048
	maxTold    = 120 // characters of text from outside
)

// A Trial is what a chain of certificates is held against to find out what is
// wrong with it. It explains a refusal and never replaces one.
type Trial struct {
	Usage x509.ExtKeyUsage // what the first certificate is shown for

	Host  string         // that it must name, if any
	Now   time.Time      // zero means now
	Roots *x509.CertPool // that are trusted; nil leaves trust out of it
}

// Fault returns what is wrong with a chain, its holder's certificate first. Of
// several faults it names the one that has to be mended first: a certificate
// of a stranger is not told to be old as well, since renewing it would not
// help.
func (t Trial) Fault(chain []*x509.Certificate) (diag.Diagnostic, bool) {
	if len(chain) == 0 {
		return diag.New(diag.TLSNoCertificate, "no certificate was shown"), true
	}
	if t.Now.IsZero() {
		t.Now = time.Now()
	}
	for _, rule := range []func([]*x509.Certificate) (diag.Diagnostic, bool){
		t.strange, t.dated, authorityAsLeaf, weakKey, t.unusable, t.elsewhere,
	} {
		if d, found := rule(chain); found {
			return d, true
		}
	}
	return diag.Diagnostic{}, false
}

// strange is about who signed.
func (t Trial) strange(chain []*x509.Certificate) (diag.Diagnostic, bool) {
	leaf := chain[0]
	err := t.verify(chain, within(leaf, t.Now), x509.ExtKeyUsageAny)
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	if bytes.Equal(leaf.RawIssuer, leaf.RawSubject) && (unknown || t.Roots == nil) {
		return diag.New(diag.TLSSelfSigned, "the certificate %s is signed by itself", Describe(leaf)), true
	}
	for _, cert := range chain {
		if !bytes.Equal(cert.RawIssuer, cert.RawSubject) && weakSignature(cert.SignatureAlgorithm) {
			return diag.New(diag.TLSWeakSignature, "the certificate %s is signed with %s", Describe(cert), cert.SignatureAlgorithm), true
		}
	}
	if unknown {
		return diag.New(diag.TLSUnknownCA, "the certificate %s is of %s, which is not trusted here", Describe(leaf), bounded(chain[len(chain)-1].Issuer.String(), maxTold)), true
	}
	return diag.Diagnostic{}, false
}

// dated is about the time, of the certificate and of what stands above it.
func (t Trial) dated(chain []*x509.Certificate) (diag.Diagnostic, bool) {
	certs := chain
	if t.Roots != nil {
		e, ok := errors.AsType[x509.CertificateInvalidError](t.verify(chain, t.Now, x509.ExtKeyUsageAny))
		if !ok || e.Reason != x509.Expired {
			return diag.Diagnostic{}, false
		}
		certs = []*x509.Certificate{e.Cert}
	}
	for _, cert := range certs {
		switch {
		case t.Now.After(cert.NotAfter):
			return diag.New(diag.TLSExpired, "the certificate %s expired %s ago, at %s", Describe(cert), span(t.Now.Sub(cert.NotAfter)), instant(cert.NotAfter)), true
		case t.Now.Before(cert.NotBefore):
			return diag.New(diag.TLSNotYetValid, "the certificate %s is valid from %s, %s from now", Describe(cert), instant(cert.NotBefore), span(cert.NotBefore.Sub(t.Now))), true
		}
	}
	return diag.Diagnostic{}, false
}

func authorityAsLeaf(chain []*x509.Certificate) (diag.Diagnostic, bool) {
	if !chain[0].IsCA {
		return diag.Diagnostic{}, false
	}
	return diag.New(diag.TLSAuthorityAsLeaf, "the certificate %s is an authority's own", Describe(chain[0])), true
}

func weakKey(chain []*x509.Certificate) (diag.Diagnostic, bool) {
	for _, cert := range chain {
		if key := weakness(cert.PublicKey); key != "" {
			return diag.New(diag.TLSWeakKey, "the certificate %s has a key that is not taken: %s", Describe(cert), key), true
		}
	}
	return diag.Diagnostic{}, false
}

// weakness names a key that is not taken; of one that is it returns nothing.
func weakness(key any) string {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() < minRSABits {
			return fmt.Sprintf("RSA with %d bits", k.N.BitLen())
		}
		return ""
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() || k.Curve == elliptic.P384() || k.Curve == elliptic.P521() {
			return ""
		}
		return "ECDSA on " + k.Params().Name
	case ed25519.PublicKey:
		return ""
	}
	return fmt.Sprintf("%T", key)
}

// unusable is about what the certificate may be used for.
func (t Trial) unusable(chain []*x509.Certificate) (diag.Diagnostic, bool) {
	leaf, want := chain[0], usageName(t.Usage)
	wrong := diag.New(diag.TLSWrongUsage, "the certificate %s is not for %s", Describe(leaf), want)
	if t.Roots == nil {
		return wrong, !permits(leaf, t.Usage)
	}
	err := t.verify(chain, t.Now, t.Usage)
	switch e, ok := errors.AsType[x509.CertificateInvalidError](err); {
	case err == nil:
		return diag.Diagnostic{}, false
	case ok && e.Reason == x509.IncompatibleUsage:
		return wrong, true
	}
	return diag.New(diag.TLSUnfit, "the certificate %s cannot be accepted: %s", Describe(leaf), bounded(err.Error(), maxTold)), true
}

func permits(leaf *x509.Certificate, usage x509.ExtKeyUsage) bool {
	if len(leaf.ExtKeyUsage) == 0 && len(leaf.UnknownExtKeyUsage) == 0 {
		return true
	}
	for _, u := range leaf.ExtKeyUsage {
		if u == usage || u == x509.ExtKeyUsageAny {
			return true
		}
	}
	return false
}

// elsewhere is about the host that was dialled.
func (t Trial) elsewhere(chain []*x509.Certificate) (diag.Diagnostic, bool) {
	if t.Host == "" || chain[0].VerifyHostname(t.Host) == nil {
		return diag.Diagnostic{}, false
	}
	return wrongHost(chain[0], t.Host), true
}

func wrongHost(cert *x509.Certificate, host string) diag.Diagnostic {
	d := diag.New(diag.TLSWrongHost, "the certificate %s does not name %s", Describe(cert), bounded(host, maxTold))
	if cert == nil {
		return d
	}
	names := append([]string(nil), cert.DNSNames...)
	for _, ip := range cert.IPAddresses {
		names = append(names, ip.String())
	}
	return d.WithEvidence("it names %s", bounded(cmp.Or(strings.Join(names, ", "), "no host at all"), maxTold))
}

// verify builds chains to the roots; without roots there is nothing to refuse.
func (t Trial) verify(chain []*x509.Certificate, at time.Time, usage x509.ExtKeyUsage) error {
	if t.Roots == nil {
		return nil
	}
	between := x509.NewCertPool()
	for _, cert := range chain[1:] {
		between.AddCert(cert)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		Roots: t.Roots, Intermediates: between, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{usage},
	})
	return err
}

// within is the moment of a certificate's life that is nearest to now.
func within(cert *x509.Certificate, now time.Time) time.Time {
	switch {
	case now.Before(cert.NotBefore):
		return cert.NotBefore
	case now.After(cert.NotAfter):
		return cert.NotAfter
	}
	return now
}

func weakSignature(a x509.SignatureAlgorithm) bool {
	switch a {
	case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1:
		return true
	}
	return false
}

// Describe names a certificate to a person: its subject and the beginning of
// its serial number, bounded and escaped, since anybody can write a certificate.
func Describe(cert *x509.Certificate) string {
	if cert == nil {
		return "(none)"
	}
	name := cmp.Or(cert.Subject.String(), "without a name")
	serial := fmt.Sprintf("%x", cert.SerialNumber)
	return fmt.Sprintf("%s (serial %s)", bounded(name, maxTold), serial[:min(16, len(serial))])
}

// bounded makes text from outside fit to be told.
func bounded(s string, limit int) string {
	if runes := []rune(s); len(runes) > limit {
		s = string(runes[:limit]) + "…"
	}
	return diag.Escape(s)
}

func usageName(u x509.ExtKeyUsage) string {
	switch u {
	case x509.ExtKeyUsageClientAuth:
		return "clients (clientAuth)"
	case x509.ExtKeyUsageServerAuth:
		return "servers (serverAuth)"
	}
	return "this"
}

func instant(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// span is a length of time as people say it.
func span(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d seconds", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d minutes", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d hours", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

func first(certs []*x509.Certificate) *x509.Certificate {
	if len(certs) == 0 {
		return nil
	}
	return certs[0]
}
