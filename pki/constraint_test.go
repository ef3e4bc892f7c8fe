package pki_test

import (
	"crypto/x509"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki"
)

func ranges(text ...string) (out []netip.Prefix) {
	for _, s := range text {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

func addresses(text ...string) (out []netip.Addr) {
	for _, s := range text {
		out = append(out, netip.MustParseAddr(s))
	}
	return out
}

// Each leaf is judged before it is signed; where one is refused, crypto/x509
// and openssl would have refused it too, which the next tests show.
var constrained = map[string]struct {
	constraints pki.Constraints
	cn          string // "broker" where empty
	hosts       []string
	ips         []netip.Addr
	want        string // "" where it is permitted
	java        bool   // only Java refuses it
}{
	"no constraints":          {pki.Constraints{}, "", []string{"any.example"}, addresses("203.0.113.9"), "", false},
	"the domain itself":       {pki.Constraints{DNSDomains: []string{"prod.example"}}, "", []string{"prod.example"}, nil, "", false},
	"below the domain":        {pki.Constraints{DNSDomains: []string{"prod.example"}}, "", []string{"kafka-0.PROD.example"}, nil, "", false},
	"second domain":           {pki.Constraints{DNSDomains: []string{"a.example", "prod.example"}}, "", []string{"k.prod.example"}, nil, "", false},
	"another domain":          {pki.Constraints{DNSDomains: []string{"prod.example"}}, "", []string{"kafka-0.dev.example"}, nil, "name kafka-0.dev.example is outside of the name constraints of \"bounded\", which permits prod.example", false},
	"only the end of a label": {pki.Constraints{DNSDomains: []string{"prod.example"}}, "", []string{"xprod.example"}, nil, "permits prod.example", false},
	"one of two":              {pki.Constraints{DNSDomains: []string{"prod.example"}}, "", []string{"a.prod.example", "localhost"}, nil, "name localhost is outside", false},
	"address, domains alone":  {pki.Constraints{DNSDomains: []string{"prod.example"}}, "", []string{"a.prod.example"}, addresses("10.0.0.1"), "address 10.0.0.1 is outside of the name constraints of \"bounded\", which excludes 0.0.0.0/0", false},
	"IPv6, domains alone":     {pki.Constraints{DNSDomains: []string{"prod.example"}}, "", []string{"a.prod.example"}, addresses("fd00::1"), "which excludes ::/0", false},
	"within the range":        {pki.Constraints{IPRanges: ranges("10.20.0.0/16")}, "", nil, addresses("10.20.255.255"), "", false},
	"mapped into IPv6":        {pki.Constraints{IPRanges: ranges("10.20.0.0/16")}, "", nil, addresses("::ffff:10.20.0.1"), "", false},
	"outside of the range":    {pki.Constraints{IPRanges: ranges("10.20.0.0/16")}, "", nil, addresses("10.21.0.0"), "address 10.21.0.0 is outside of the name constraints of \"bounded\", which permits 10.20.0.0/16", false},
	"IPv6, IPv4 alone":        {pki.Constraints{IPRanges: ranges("10.20.0.0/16")}, "", nil, addresses("fd00::1"), "permits 10.20.0.0/16", false},
	"IPv6 range":              {pki.Constraints{IPRanges: ranges("fd00:1::/32")}, "", nil, addresses("fd00:1:ffff::1"), "", false},
	"host, ranges alone":      {pki.Constraints{IPRanges: ranges("10.20.0.0/16")}, "", []string{"a.example"}, addresses("10.20.0.1"), "name a.example is outside of the name constraints of \"bounded\", which permits invalid", false},
	"both":                    {pki.Constraints{DNSDomains: []string{"prod.example"}, IPRanges: ranges("10.20.0.0/16", "fd00::/8")}, "", []string{"a.prod.example"}, addresses("10.20.0.1", "fd12::1"), "", false},
	"dotted common name":      {pki.Constraints{DNSDomains: []string{"prod.example"}, IPRanges: ranges("10.20.0.0/16")}, "kafka.dev.example", nil, addresses("10.20.0.1"), "name kafka.dev.example is outside", false},
	"dotted name within":      {pki.Constraints{DNSDomains: []string{"prod.example"}, IPRanges: ranges("10.20.0.0/16")}, "kafka.prod.example", nil, addresses("10.20.0.1"), "", false},
	"common name and address": {pki.Constraints{DNSDomains: []string{"prod.example"}, IPRanges: ranges("10.20.0.0/16")}, "kafka-0", nil, addresses("10.20.0.1"), "name kafka-0 is outside", true},
}

func TestNamesOutsideOfTheConstraintsAreRefusedBeforeSigning(t *testing.T) {
	t.Parallel()
	for name, tt := range constrained {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := pki.Request{CommonName: tt.cn, Usage: pki.Peer, DNSNames: tt.hosts, IPs: tt.ips}
			if req.CommonName == "" {
				req.CommonName = "broker"
			}
			root := newAuthority(t, "root")
			a, err := root.Intermediate("bounded", time.Now(), pki.WithConstraints(tt.constraints))
			if err != nil {
				t.Fatal(err)
			}
			c, err := a.Issue(req)
			if tt.want != "" {
				if !errors.Is(err, diag.PKIConstraint) || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("Issue() = %v, want %s with %q", err, diag.PKIConstraint, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := verify(c, root.Root(), x509.ExtKeyUsageServerAuth, time.Now()); err != nil {
				t.Errorf("crypto/x509: %v", err)
			}
			accepted(t, c, root, "sslserver")
		})
	}
}

// The leaves that Issue refuses, signed in spite of that: who verifies must
// refuse them too, or the refusal would be one too many.
func TestVerifiersKeepTheSameConstraints(t *testing.T) {
	t.Parallel()
	for name, tt := range constrained {
		if tt.want == "" || tt.java {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := newAuthority(t, "root")
			bounded, err := root.Intermediate("bounded", time.Now(), pki.WithConstraints(tt.constraints))
			if err != nil {
				t.Fatal(err)
			}
			leaf := forge(t, bounded, tt.cn, tt.hosts, tt.ips)
			if tt.cn == "" { // crypto/x509 does not look at common names
				roots, between := x509.NewCertPool(), x509.NewCertPool()
				roots.AddCert(root.Root())
				between.AddCert(bounded.Chain()[0])
				if _, err = leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between}); err == nil {
					t.Error("crypto/x509 accepts it")
				}
			}
			if out, err := opensslVerify(t, leaf, bounded, "sslserver"); err == nil || !strings.Contains(out, "subtree violation") {
				t.Errorf("openssl: %v\n%s\nwant a subtree violation", err, out)
			}
		})
	}
}

func TestConstraintsThatAreNoneAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]pki.Constraints{
		"empty domain": {DNSDomains: []string{""}},
		"leading dot":  {DNSDomains: []string{".example"}},
		"wildcard":     {DNSDomains: []string{"*.example"}},
		"look-alike":   {DNSDomains: []string{"exаmple"}},
		"no range":     {IPRanges: []netip.Prefix{{}}},
		"host bits":    {IPRanges: ranges("10.20.0.1/16")},
		"mapped range": {IPRanges: ranges("::ffff:10.0.0.0/112")},
		"too many":     {DNSDomains: make([]string, 101)},
	} {
		if _, err := pki.NewAuthority("CA", time.Now(), pki.WithConstraints(c)); !errors.Is(err, diag.PKIName) {
			t.Errorf("%s: %v, want %s", name, err, diag.PKIName)
		}
	}
}

func TestAnIntermediatePermitsNothingItsRootDoesNot(t *testing.T) {
	t.Parallel()
	root, err := pki.NewAuthority("root", time.Now(), pki.WithConstraints(pki.Constraints{
		DNSDomains: []string{"example"}, IPRanges: ranges("10.0.0.0/8"),
	}))
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		c  pki.Constraints
		ok bool
	}{
		"narrower":     {pki.Constraints{DNSDomains: []string{"prod.example"}, IPRanges: ranges("10.20.0.0/16")}, true},
		"the same":     {pki.Constraints{DNSDomains: []string{"example"}, IPRanges: ranges("10.0.0.0/8")}, true},
		"none":         {pki.Constraints{}, true},
		"other domain": {pki.Constraints{DNSDomains: []string{"test"}}, false},
		"wider range":  {pki.Constraints{IPRanges: ranges("10.0.0.0/7")}, false},
		"other range":  {pki.Constraints{IPRanges: ranges("192.168.0.0/16")}, false},
	} {
		_, err := root.Intermediate("below", time.Now(), pki.WithConstraints(tt.c))
		if tt.ok && err != nil || !tt.ok && !errors.Is(err, diag.PKIConstraint) {
			t.Errorf("%s: %v, want accepted = %v", name, err, tt.ok)
		}
	}
	// The root's constraints hold below an intermediate without any.
	a := intermediate(t, root)
	if _, err := a.Issue(pki.Request{CommonName: "b", Usage: pki.Peer, DNSNames: []string{"a.test"}}); !errors.Is(err, diag.PKIConstraint) {
		t.Errorf("the root's constraint was passed over: %v", err)
	}
}
