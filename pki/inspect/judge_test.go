package inspect_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki"
	"github.com/slipway-go/slipway/pki/inspect"
)

type change = func(*x509.Certificate)

// Every fault is made in a chain that is good otherwise, so a fault that brings
// others along is seen too.
func TestEveryFaultHasItsCode(t *testing.T) {
	small := newRSA(t, 1024)
	for name, tt := range map[string]struct {
		leaf  change
		key   func(*testing.T) crypto.Signer
		judge func(*testing.T, *order, *inspect.Config) []*x509.Certificate
		want  []string
		says  string
	}{
		"expired":       {leaf: func(c *x509.Certificate) { c.NotAfter = now.Add(-day / 2) }, want: []string{"SLP-PKI-080"}, says: "kafka-0 has ended on 2026-11-21T00:00:00Z, 12h ago"},
		"not yet valid": {leaf: func(c *x509.Certificate) { c.NotBefore = now.Add(day) }, want: []string{"SLP-PKI-081"}, says: "in 1d"},
		"near its end":  {leaf: func(c *x509.Certificate) { c.NotAfter = now.Add(3 * day); c.NotBefore = now.Add(-30 * day) }, want: []string{"~SLP-PKI-082"}, says: "in 3 days"},
		"within a bound": {judge: func(_ *testing.T, o *order, c *inspect.Config) []*x509.Certificate {
			c.Within = within("90d")
			return full(o)
		}, want: []string{"~SLP-PKI-082"}},
		"unknown CA": {judge: func(t *testing.T, o *order, c *inspect.Config) []*x509.Certificate {
			c.Roots = list(sign(t, "another root", nil, authority))
			return full(o)
		}, want: []string{"SLP-PKI-083"}, says: "trusted: CN=another root"},
		"a CA of the same name": {judge: func(t *testing.T, o *order, c *inspect.Config) []*x509.Certificate {
			c.Roots = list(sign(t, "root", nil, authority))
			return full(o)
		}, want: []string{"SLP-PKI-083"}, says: "the keys differ"},
		"unknown root is sent": {judge: func(t *testing.T, o *order, c *inspect.Config) []*x509.Certificate {
			c.Roots = list(sign(t, "another root", nil, authority))
			return list(o.leaf, o.middle, o.root)
		}, want: []string{"SLP-PKI-083", "~SLP-PKI-086"}, says: "the root root, which is not trusted"},
		"self-signed": {judge: func(t *testing.T, _ *order, _ *inspect.Config) []*x509.Certificate {
			return list(sign(t, "kafka-0", nil, nil))
		}, want: []string{"SLP-PKI-083"}, says: "signed by itself"},
		"missing intermediate": {judge: func(_ *testing.T, o *order, _ *inspect.Config) []*x509.Certificate { return list(o.leaf) }, want: []string{"SLP-PKI-084"}, says: "CN=issuing, which is neither sent nor trusted"},
		"root instead of issuer": {judge: func(_ *testing.T, o *order, c *inspect.Config) []*x509.Certificate {
			c.Roots = nil
			return list(o.leaf, o.root)
		}, want: []string{"SLP-PKI-084", "~SLP-PKI-085"}},
		"root sent": {judge: func(_ *testing.T, o *order, _ *inspect.Config) []*x509.Certificate {
			return list(o.leaf, o.middle, o.root)
		}, want: []string{"~SLP-PKI-086"}},
		"wrong order": {judge: func(_ *testing.T, o *order, _ *inspect.Config) []*x509.Certificate { return list(o.middle, o.leaf) }, want: []string{"~SLP-PKI-085"}, says: "the order is issuing, kafka-0"},
		"something else is there": {judge: func(t *testing.T, o *order, _ *inspect.Config) []*x509.Certificate {
			return append(full(o), sign(t, "kafka-1", o.middle, nil).Certificate)
		}, want: []string{"~SLP-PKI-085"}, says: "kafka-1"},
		"another host":                {judge: host("kafka-9.example.com"), want: []string{"SLP-PKI-087"}, says: "kafka-0.example.com, 127.0.0.1"},
		"another address":             {judge: host("::1"), want: []string{"SLP-PKI-087"}},
		"common name only":            {leaf: func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = nil, nil }, judge: host("kafka-0"), want: []string{"SLP-PKI-088"}},
		"common name only, in a file": {leaf: func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = nil, nil }, want: []string{"SLP-PKI-088"}},
		"not for servers":             {leaf: usage(x509.ExtKeyUsageClientAuth), judge: host("127.0.0.1"), want: []string{"SLP-PKI-089"}, says: "it is for clients"},
		"broker not for clients":      {leaf: usage(x509.ExtKeyUsageServerAuth), judge: purpose(pki.Peer), want: []string{"SLP-PKI-089"}, says: "brokers are clients"},
		"client not for clients":      {leaf: usage(x509.ExtKeyUsageServerAuth), judge: purpose(pki.Client), want: []string{"SLP-PKI-089"}},
		"for mail":                    {leaf: usage(x509.ExtKeyUsageEmailProtection), judge: purpose(pki.Client), want: []string{"SLP-PKI-089"}, says: "something else"},
		"for anything":                {leaf: usage(), want: []string{"~SLP-PKI-089"}},
		"no signatures":               {leaf: func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }, want: []string{"SLP-PKI-089"}},
		"encipherment by ECDSA":       {leaf: func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageKeyEncipherment }, want: []string{"~SLP-PKI-089"}},
		"signs certificates":          {leaf: func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageCertSign }, want: []string{"~SLP-PKI-089"}},
		"a CA as leaf": {judge: func(_ *testing.T, o *order, c *inspect.Config) []*x509.Certificate {
			c.Usage = pki.Server
			return list(o.middle)
		}, want: []string{"SLP-PKI-090", "SLP-PKI-088"}[:1], says: "stands where a leaf belongs"},
		"a leaf as CA": {judge: func(t *testing.T, o *order, _ *inspect.Config) []*x509.Certificate {
			return list(sign(t, "kafka-1", o.leaf, nil), o.leaf, o.middle)
		}, want: []string{"SLP-PKI-090"}, says: "kafka-0 has signed"},
		"weak RSA":                {key: func(*testing.T) crypto.Signer { return small }, want: []string{"SLP-PKI-091"}, says: "RSA with 1024 bits"},
		"weak curve":              {key: p224, want: []string{"SLP-PKI-091"}, says: "P-224"},
		"SHA-1":                   {leaf: func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA1 }, want: []string{"SLP-PKI-092"}},
		"wildcard":                {leaf: func(c *x509.Certificate) { c.DNSNames = []string{"*.example.com"} }, judge: host("a.example.com"), want: []string{"~SLP-PKI-093"}},
		"ten years":               {leaf: func(c *x509.Certificate) { c.NotAfter = now.Add(2900 * day) }, want: []string{"~SLP-PKI-094"}},
		"a counted serial number": {leaf: func(c *x509.Certificate) { c.SerialNumber = big.NewInt(2) }, want: []string{"~SLP-PKI-095"}},
		"another's key": {judge: func(t *testing.T, o *order, c *inspect.Config) []*x509.Certificate {
			c.Keys = []crypto.PublicKey{newKey(t).Public()}
			return full(o)
		}, want: []string{"SLP-PKI-096"}},
		"revoked": {judge: func(t *testing.T, o *order, c *inspect.Config) []*x509.Certificate {
			c.Lists = []*x509.RevocationList{crl(t, o.middle, now.Add(day), o.leaf)}
			return full(o)
		}, want: []string{"SLP-PKI-097"}, says: "since 2026-11-20T12:00:00Z"},
		"intermediate revoked": {judge: func(t *testing.T, o *order, c *inspect.Config) []*x509.Certificate {
			c.Lists = []*x509.RevocationList{crl(t, o.root, now.Add(day), o.middle)}
			return full(o)
		}, want: []string{"SLP-PKI-097"}, says: "issuing is revoked"},
		"list overdue": {judge: func(t *testing.T, o *order, c *inspect.Config) []*x509.Certificate {
			c.Lists = []*x509.RevocationList{crl(t, o.middle, now.Add(-day))}
			return full(o)
		}, want: []string{"~SLP-PKI-097"}, says: "overdue"},
		"list of a namesake": {judge: func(t *testing.T, o *order, c *inspect.Config) []*x509.Certificate {
			c.Lists = []*x509.RevocationList{crl(t, sign(t, "issuing", nil, authority), now.Add(day), o.leaf)}
			return full(o)
		}, want: []string{"~SLP-PKI-097"}, says: "not signed by issuing"},
		"outside of name constraints": {judge: limited(func(c *x509.Certificate) {
			c.PermittedDNSDomains, c.PermittedDNSDomainsCritical = []string{"other.example"}, true
		}), want: []string{"SLP-PKI-098"}, says: "kafka-0.example.com"},
		"nameless, under name constraints": {judge: func(t *testing.T, _ *order, c *inspect.Config) []*x509.Certificate {
			root := sign(t, "limited", nil, func(c *x509.Certificate) { authority(c); c.PermittedDNSDomains = []string{"example.com"} })
			c.Roots, c.Usage = list(root), pki.Client
			return list(sign(t, "svc-orders-prod", root, func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = nil, nil }))
		}, want: []string{"SLP-PKI-098"}, says: "Java takes the common name for a host"},
		"path length": {judge: limited(func(c *x509.Certificate) { c.MaxPathLenZero = true }), want: []string{"SLP-PKI-098"}, says: "path length"},
		"intermediate for clients": {judge: func(t *testing.T, o *order, c *inspect.Config) []*x509.Certificate {
			middle := limitedUse(t, o.root)
			c.Host = "127.0.0.1"
			return list(sign(t, "kafka-0", middle, nil), middle)
		}, want: []string{"SLP-PKI-098"}},
		"intermediate expired": {judge: func(t *testing.T, o *order, _ *inspect.Config) []*x509.Certificate {
			middle := sign(t, "old", o.root, func(c *x509.Certificate) { c.IsCA, c.NotAfter = true, now.Add(-day/2) })
			return list(sign(t, "kafka-0", middle, nil), middle)
		}, want: []string{"SLP-PKI-080"}, says: "old has ended"},
	} {
		t.Run(name, func(t *testing.T) {
			var keys []crypto.Signer
			if tt.key != nil {
				keys = append(keys, tt.key(t))
			}
			o := newOrder(t, tt.leaf, keys...)
			cfg := inspect.Config{Roots: list(o.root), Now: now}
			sent := full(&o)
			if tt.judge != nil {
				sent = tt.judge(t, &o, &cfg)
			}
			report := inspect.Judge(sent, cfg)
			if diff := cmp.Diff(tt.want, codes(report.Findings)); diff != "" {
				t.Errorf("findings (-want +got):\n%s%v", diff, report.Findings)
			}
			if text := text(report.Findings); !strings.Contains(text, tt.says) {
				t.Errorf("findings do not say %q:\n%s", tt.says, text)
			}
		})
	}
}

func text(l diag.List) string {
	var b strings.Builder
	for _, d := range l {
		b.WriteString(d.Error() + "\n" + strings.Join(d.Evidence, "\n") + "\n")
	}
	return b.String()
}

func full(o *order) []*x509.Certificate { return list(o.leaf, o.middle) }

func within(text string) inspect.Within {
	w, err := inspect.ParseWithin(text)
	if err != nil {
		panic(err)
	}
	return w
}

func host(name string) func(*testing.T, *order, *inspect.Config) []*x509.Certificate {
	return func(_ *testing.T, o *order, c *inspect.Config) []*x509.Certificate { c.Host = name; return full(o) }
}

func purpose(u pki.Usage) func(*testing.T, *order, *inspect.Config) []*x509.Certificate {
	return func(_ *testing.T, o *order, c *inspect.Config) []*x509.Certificate { c.Usage = u; return full(o) }
}

func usage(all ...x509.ExtKeyUsage) change {
	return func(c *x509.Certificate) { c.ExtKeyUsage = all }
}

// limited puts limits on the root of an order.
func limited(limit change) func(*testing.T, *order, *inspect.Config) []*x509.Certificate {
	return func(t *testing.T, _ *order, c *inspect.Config) []*x509.Certificate {
		root := sign(t, "limited", nil, func(c *x509.Certificate) { authority(c); limit(c) })
		middle := sign(t, "issuing", root, authority)
		c.Roots = list(root)
		return list(sign(t, "kafka-0", middle, nil), middle)
	}
}

// limitedUse is an intermediate that may issue to clients only.
func limitedUse(t *testing.T, root *holder) *holder {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{}
	authority(template)
	made := sign(t, "for clients", root, authority, key)
	template.Subject, template.SerialNumber, template.NotBefore, template.BasicConstraintsValid = made.Subject, made.SerialNumber, made.NotBefore, true
	template.KeyUsage, template.ExtKeyUsage = made.KeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	der, err := x509.CreateCertificate(rand.Reader, template, root.Certificate, key.Public(), root.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &holder{cert, key}
}

func p224(t *testing.T) crypto.Signer {
	key, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// What nobody has to mend is not mentioned.
func TestWhatIsGoodHasNoFindings(t *testing.T) {
	big := newRSA(t, 2048)
	for name, tt := range map[string]struct {
		leaf  change
		key   crypto.Signer
		judge func(*testing.T, *order, *inspect.Config) []*x509.Certificate
	}{
		"a broker's":                {judge: purpose(pki.Peer)},
		"a server's":                {leaf: usage(x509.ExtKeyUsageServerAuth), judge: purpose(pki.Server)},
		"a client's, without names": {leaf: func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = nil, nil; c.ExtKeyUsage = c.ExtKeyUsage[1:] }, judge: purpose(pki.Client)},
		"the host by name":          {judge: host("kafka-0.example.com")},
		"the host by address":       {judge: host("127.0.0.1")},
		"the host in capitals":      {judge: host("KAFKA-0.Example.com")},
		"RSA with encipherment":     {leaf: func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageKeyEncipherment }, key: big},
		"a year":                    {leaf: func(c *x509.Certificate) { c.NotAfter = now.Add(365 * day) }},
		"no roots":                  {judge: func(_ *testing.T, o *order, c *inspect.Config) []*x509.Certificate { c.Roots = nil; return full(o) }},
		"no roots, a leaf alone": {judge: func(_ *testing.T, o *order, c *inspect.Config) []*x509.Certificate {
			c.Roots = nil
			return list(o.leaf)
		}},
		"no key usage": {leaf: func(c *x509.Certificate) { c.KeyUsage = 0 }},
		"its own key": {judge: func(t *testing.T, o *order, c *inspect.Config) []*x509.Certificate {
			c.Keys = []crypto.PublicKey{newKey(t).Public(), o.leaf.key.Public()}
			return full(o)
		}},
		"a list without it": {judge: func(t *testing.T, o *order, c *inspect.Config) []*x509.Certificate {
			c.Lists = []*x509.RevocationList{crl(t, o.middle, now.Add(day), o.middle)}
			return full(o)
		}},
		"a list of another CA": {judge: func(t *testing.T, o *order, c *inspect.Config) []*x509.Certificate {
			c.Lists = []*x509.RevocationList{crl(t, sign(t, "x", nil, authority), now.Add(-day), o.leaf)}
			return full(o)
		}},
		"two roots, one of which": {judge: func(t *testing.T, o *order, c *inspect.Config) []*x509.Certificate {
			c.Roots = append(list(sign(t, "x", nil, authority)), c.Roots...)
			return full(o)
		}},
		"a trust bundle": {judge: func(t *testing.T, o *order, c *inspect.Config) []*x509.Certificate {
			return list(o.root, sign(t, "x", nil, authority))
		}},
		"a root with serial number 1": {judge: func(t *testing.T, _ *order, c *inspect.Config) []*x509.Certificate {
			return list(sign(t, "x", nil, func(c *x509.Certificate) { authority(c); c.SerialNumber = big1 }))
		}},
		"within constraints": {judge: limited(func(c *x509.Certificate) {
			c.PermittedDNSDomains, c.PermittedDNSDomainsCritical = []string{"example.com"}, true
			c.PermittedIPRanges = []*net.IPNet{{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)}}
		})},
		"nameless, its common name within constraints": {judge: func(t *testing.T, _ *order, c *inspect.Config) []*x509.Certificate {
			root := sign(t, "limited", nil, func(c *x509.Certificate) { authority(c); c.PermittedDNSDomains = []string{"example.com"} })
			c.Roots, c.Usage = list(root), pki.Client
			return list(sign(t, "svc.Example.com", root, func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = nil, nil }))
		}},
		"nameless, its common name no host's": {judge: func(t *testing.T, _ *order, c *inspect.Config) []*x509.Certificate {
			root := sign(t, "limited", nil, func(c *x509.Certificate) { authority(c); c.PermittedDNSDomains = []string{"example.com"} })
			c.Roots, c.Usage = list(root), pki.Client
			return list(sign(t, "Alice Smith", root, func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = nil, nil }))
		}},
		"cross-signed": {judge: func(t *testing.T, o *order, c *inspect.Config) []*x509.Certificate {
			other := sign(t, "other root", nil, authority)
			cross := sign(t, "root", other, authority, o.root.key)
			c.Roots = list(other)
			return list(o.leaf, o.middle, cross)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var keys []crypto.Signer
			if tt.key != nil {
				keys = append(keys, tt.key)
			}
			o := newOrder(t, tt.leaf, keys...)
			cfg := inspect.Config{Roots: list(o.root), Now: now}
			sent := full(&o)
			if tt.judge != nil {
				sent = tt.judge(t, &o, &cfg)
			}
			report := inspect.Judge(sent, cfg)
			if len(report.Findings) > 0 {
				t.Errorf("findings: %v", report.Findings)
			}
			if want := len(cfg.Roots) > 0 && report.Leaf != nil; report.Trusted != want {
				t.Errorf("Trusted = %t, want %t", report.Trusted, want)
			}
		})
	}
}

var big1 = big.NewInt(1)
