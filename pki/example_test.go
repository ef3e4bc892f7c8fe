package pki_test

import (
	"crypto/x509"
	"fmt"
	"net/netip"
	"time"

	"github.com/slipway-go/slipway/pki"
)

// A root that goes into a safe, the intermediate that issues, and a service
// whose key never leaves its machine.
func ExampleAuthority_Sign() {
	now := time.Now()
	root, err := pki.NewAuthority("shop root", now)
	if err != nil {
		panic(err)
	}
	issuer, err := root.Intermediate("shop issuer 1", now, pki.WithConstraints(pki.Constraints{DNSDomains: []string{"shop.example"}}))
	if err != nil {
		panic(err)
	}
	csr, key, err := pki.NewSigningRequest("svc-orders-prod", pki.ECDSAP256) // on the service's machine
	if err != nil {
		panic(err)
	}
	c, err := issuer.Sign(csr, pki.Request{CommonName: "svc-orders-prod", Usage: pki.Client})
	fmt.Println(c, c.Chain()[0].DNSNames, key, err)

	_, err = issuer.Issue(pki.Request{CommonName: "kafka-0", Usage: pki.Peer, DNSNames: []string{"kafka-0.other.example"}})
	fmt.Println(err)
	// Output:
	// certificate svc-orders-prod [svc-orders-prod.shop.example] *** <nil>
	// issue certificate for "kafka-0": SLP-PKI-009: name kafka-0.other.example is outside of the name constraints of "shop issuer 1", which permits shop.example
}

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
