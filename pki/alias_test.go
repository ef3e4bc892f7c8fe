package pki_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/slipway-go/slipway/pki"
)

// Java holds the common name of a certificate without DNS names against name
// constraints as if it were a host's, so brokers would refuse a client.
func TestAClientUnderConstraintsHasAHostNameThatTheyPermit(t *testing.T) {
	t.Parallel()
	now := time.Now()
	root, err := pki.NewAuthority("root", now)
	if err != nil {
		t.Fatal(err)
	}
	issuer := func(c pki.Constraints) *pki.Authority {
		a, err := root.Intermediate("issuer", now, pki.WithConstraints(c))
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	bounded := issuer(pki.Constraints{DNSDomains: []string{"prod.example", "test.example"}, IPRanges: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	free := issuer(pki.Constraints{})
	for name, tt := range map[string]struct {
		by   *pki.Authority
		req  pki.Request
		want []string
	}{
		"a client":             {bounded, pki.Request{CommonName: "svc-orders-prod", Usage: pki.Client}, []string{"svc-orders-prod.prod.example"}},
		"one of other letters": {bounded, pki.Request{CommonName: "Legacy_App.2-", Usage: pki.Client}, []string{"legacy-app-2.prod.example"}},
		"a client with a name": {bounded, pki.Request{CommonName: "a", Usage: pki.Client, DNSNames: []string{"b.test.example"}}, []string{"b.test.example"}},
		"without constraints":  {free, pki.Request{CommonName: "svc-orders-prod", Usage: pki.Client}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := tt.by.Issue(tt.req)
			if err != nil {
				t.Fatal(err)
			}
			got := c.Chain()[0].DNSNames
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			added := len(tt.req.DNSNames) < len(got)
			if pki.Aliased(tt.req.CommonName, got) != added {
				t.Errorf("Aliased(%q, %q) = %v", tt.req.CommonName, got, !added)
			}
		})
	}
}
