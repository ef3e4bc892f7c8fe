package pki_test

import (
	"crypto/x509"
	"fmt"
	"net/netip"
	"time"

	"github.com/slipway-go/slipway/pki"
)

// An authority for a cluster on this machine, a broker's certificate and a
// service's.
func Example() {
	authority, err := pki.NewAuthority("shop development CA", time.Now())
	if err != nil {
		panic(err)
	}
	broker, err := authority.Issue(pki.Request{
		CommonName: "broker",
		Usage:      pki.Peer,
		DNSNames:   []string{"localhost"},
		IPs:        []netip.Addr{netip.MustParseAddr("127.0.0.1")},
	})
	if err != nil {
		panic(err)
	}
	service, err := authority.Issue(pki.Request{CommonName: "svc-orders-dev", Usage: pki.Client, Lifetime: 24 * time.Hour})
	if err != nil {
		panic(err)
	}
	_, err = broker.TLS().Leaf.Verify(x509.VerifyOptions{DNSName: "localhost", Roots: authority.Pool()})
	fmt.Println(broker, err)
	fmt.Println(service, service.KeyPEM())
	// Output:
	// certificate broker <nil>
	// certificate svc-orders-dev ***
}
