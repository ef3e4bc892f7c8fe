package pki_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki"
)

func TestBadRequestsAreRefused(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "refuser")
	valid := pki.Request{CommonName: "svc-orders-dev", Usage: pki.Peer, DNSNames: []string{"a.example"}}
	for name, tt := range map[string]struct {
		change func(*pki.Request)
		want   string
	}{
		"no name":           {func(r *pki.Request) { r.CommonName = "" }, "common name is empty"},
		"long name":         {func(r *pki.Request) { r.CommonName = strings.Repeat("a", 65) }, "common name is 65 characters, at most 64"},
		"second attribute":  {func(r *pki.Request) { r.CommonName = "admin,O=x" }, "is not letters"},
		"second value":      {func(r *pki.Request) { r.CommonName = "admin+O=x" }, "is not letters"},
		"escape":            {func(r *pki.Request) { r.CommonName = `a\2Cb` }, "is not letters"},
		"wildcard name":     {func(r *pki.Request) { r.CommonName = "*" }, "is not letters"},
		"line break":        {func(r *pki.Request) { r.CommonName = "a\r\nb" }, "is not letters"},
		"trailing newline":  {func(r *pki.Request) { r.CommonName = "admin\n" }, "is not letters"},
		"zero byte":         {func(r *pki.Request) { r.CommonName = "a\x00b" }, "is not letters"},
		"look-alike":        {func(r *pki.Request) { r.CommonName = "аdmin" }, "is not letters"},
		"trailing space":    {func(r *pki.Request) { r.CommonName = "admin " }, "is not letters"},
		"no usage":          {func(r *pki.Request) { r.Usage = 0 }, "Usage is not one of"},
		"unknown usage":     {func(r *pki.Request) { r.Usage = 4 }, "Usage is not one of"},
		"server unnamed":    {func(r *pki.Request) { r.DNSNames = nil }, "a server needs a DNS name or an IP address"},
		"wildcard host":     {func(r *pki.Request) { r.DNSNames = []string{"*.example"} }, `DNS name "*.example" is not a host name`},
		"empty label":       {func(r *pki.Request) { r.DNSNames = []string{"a..example"} }, "is not a host name"},
		"host of 254":       {func(r *pki.Request) { r.DNSNames = []string{strings.Repeat("a.", 126) + "ab"} }, "DNS name of 254 characters"},
		"same host twice":   {func(r *pki.Request) { r.DNSNames = []string{"a.example", "A.example"} }, `"A.example" is given twice`},
		"address as host":   {func(r *pki.Request) { r.DNSNames = []string{"127.0.0.1"} }, "put it into IPs"},
		"wildcard of a TLD": {func(r *pki.Request) { r.DNSNames = []string{"*.com"} }, "is not a host name"},
		"wildcard alone":    {func(r *pki.Request) { r.DNSNames = []string{"*"} }, "is not a host name"},
		"no host":           {func(r *pki.Request) { r.DNSNames = []string{""} }, "is not a host name"},
		"look-alike host":   {func(r *pki.Request) { r.DNSNames = []string{"kаfka.example"} }, "is not a host name"},
		"host of lines":     {func(r *pki.Request) { r.DNSNames = []string{"a.example\r\nb.example"} }, "is not a host name"},
		"host and newline":  {func(r *pki.Request) { r.DNSNames = []string{"a.example\n"} }, "is not a host name"},
		"host with zero":    {func(r *pki.Request) { r.DNSNames = []string{"a.example\x00.evil"} }, "is not a host name"},
		"host with colon":   {func(r *pki.Request) { r.DNSNames = []string{"a.example:9093"} }, "is not a host name"},
		"host as URI":       {func(r *pki.Request) { r.DNSNames = []string{"javascript:alert(1)"} }, "is not a host name"},
		"rooted host":       {func(r *pki.Request) { r.DNSNames = []string{"a.example."} }, "is not a host name"},
		"label of 64":       {func(r *pki.Request) { r.DNSNames = []string{strings.Repeat("a", 64) + ".example"} }, "is not a host name"},
		"number as host":    {func(r *pki.Request) { r.DNSNames = []string{"2130706433"} }, "ends in a number"},
		"short address":     {func(r *pki.Request) { r.DNSNames = []string{"127.1"} }, "ends in a number"},
		"IPv6 as host":      {func(r *pki.Request) { r.DNSNames = []string{"::1"} }, "put it into IPs"},
		"any, mapped":       {func(r *pki.Request) { r.IPs = addresses("::ffff:0.0.0.0") }, "is not that of one host"},
		"any of IPv6":       {func(r *pki.Request) { r.IPs = addresses("::") }, "is not that of one host"},
		"broadcast":         {func(r *pki.Request) { r.IPs = addresses("255.255.255.255") }, "is not that of one host"},
		"multicast":         {func(r *pki.Request) { r.IPs = addresses("ff02::1") }, "is not that of one host"},
		"zoned":             {func(r *pki.Request) { r.IPs = addresses("fe80::1%eth0") }, "is not that of one host"},
		"mapped twice":      {func(r *pki.Request) { r.IPs = addresses("10.0.0.1", "::ffff:10.0.0.1") }, "is given twice"},
		"any address":       {func(r *pki.Request) { r.IPs = []netip.Addr{netip.IPv4Unspecified()} }, "address 0.0.0.0 is not that of one host"},
		"no address":        {func(r *pki.Request) { r.IPs = []netip.Addr{{}} }, "is not that of one host"},
		"many names":        {func(r *pki.Request) { r.DNSNames = make([]string, 1000) }, "1000 names and addresses, at most 100"},
		"long life":         {func(r *pki.Request) { r.Lifetime = pki.MaxLifetime + 1 }, "want 1m0s to 2160h0m0s"},
		"negative life":     {func(r *pki.Request) { r.Lifetime = -time.Hour }, "lifetime is -1h0m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := valid
			tt.change(&req)
			c, err := a.Issue(req)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Issue() = %v, %v, want an error with %q", c, err, tt.want)
			}
			code := diag.PKIName
			switch {
			case strings.HasSuffix(name, " usage"):
				return // a fault of the program, not of what a user wrote
			case strings.HasSuffix(name, " life"):
				code = diag.PKILifetime
			}
			if !errors.Is(err, code) {
				t.Errorf("Issue() = %v, want %s", err, code)
			}
		})
	}
}

func TestAllFaultsOfARequestAreReportedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := newAuthority(t, "refuser").Issue(pki.Request{Lifetime: -1})
	for _, want := range []string{"common name is empty", "lifetime is -1ns", "Usage is not one of"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Issue() = %v, want it to mention %q", err, want)
		}
	}
}

func TestBadAuthoritiesAreRefused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "a,O=b", " a", "a ", strings.Repeat("a", 65)} {
		if _, err := pki.NewAuthority(name, time.Now()); !errors.Is(err, diag.PKIName) {
			t.Errorf("NewAuthority(%q) = %v, want %s", name, err, diag.PKIName)
		}
	}
	for _, d := range []time.Duration{0, -time.Hour, pki.MaxAuthorityLifetime + time.Second} {
		if _, err := pki.NewAuthority("a CA", time.Now(), pki.WithLifetime(d)); !errors.Is(err, diag.PKILifetime) {
			t.Errorf("an authority of %v: %v, want %s", d, err, diag.PKILifetime)
		}
	}
}

// An internationalised name is certified as the ASCII that resolvers ask for,
// and shown as that.
func TestAnInternationalisedHostIsItsASCIIForm(t *testing.T) {
	t.Parallel()
	c := issue(t, newAuthority(t, "CA"), pki.Request{CommonName: "b", Usage: pki.Peer, DNSNames: []string{"xn--bcher-kva.example"}})
	if err := c.Chain()[0].VerifyHostname("xn--bcher-kva.example"); err != nil {
		t.Error(err)
	}
	if err := c.Chain()[0].VerifyHostname("bücher.example"); err == nil {
		t.Error("the name is accepted as it would be displayed")
	}
}

// There is no way to ask for another beginning than five minutes ago, and it
// is never before the authority's own.
func TestACertificateBeginsFiveMinutesAgo(t *testing.T) {
	t.Parallel()
	made := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	a, err := pki.NewAuthority("CA", made)
	if err != nil {
		t.Fatal(err)
	}
	for now, want := range map[time.Time]time.Time{
		made:                       made.Add(-5 * time.Minute),
		made.Add(-4 * time.Minute): made.Add(-5 * time.Minute),
		made.Add(time.Hour):        made.Add(55 * time.Minute),
	} {
		c := issue(t, a, pki.Request{CommonName: "svc", Usage: pki.Client, Now: now})
		if !c.NotBefore().Equal(want) {
			t.Errorf("issued at %v it begins %v, want %v", now, c.NotBefore(), want)
		}
	}
}
