package keystore_test

import (
	"fmt"
	"net/netip"
	"time"

	"crypto/x509"

	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/pki"
	"github.com/slipway-go/slipway/pki/keystore"
)

// A broker's certificate as the keystore and truststore that its Kafka starts from.
func Example() {
	authority, err := pki.NewAuthority("shop CA", time.Now())
	if err != nil {
		panic(err)
	}
	broker, err := authority.Issue(pki.Request{CommonName: "kafka-0", Usage: pki.Peer, IPs: []netip.Addr{netip.MustParseAddr("127.0.0.1")}})
	if err != nil {
		panic(err)
	}
	password := secret.Generate()
	store, err := keystore.Keystore(keystore.PKCS12, keystore.Entry{Key: broker.Signer(), Chain: broker.Chain()}, password)
	if err != nil {
		panic(err)
	}
	trust, err := keystore.Truststore(keystore.PKCS12, []*x509.Certificate{authority.Root()}, password)
	if err != nil {
		panic(err)
	}
	for _, file := range [][]byte{store, trust} {
		c, err := keystore.Read(file, password)
		fmt.Println(c.Format, c.Entry.Key != nil, len(c.Roots), err)
	}
	lines, err := keystore.Files{Format: keystore.PKCS12, Dir: "/etc/kafka/tls"}.Properties()
	fmt.Println(lines[1], err)
	// Output:
	// p12 true 0 <nil>
	// p12 false 1 <nil>
	// ssl.keystore.location=/etc/kafka/tls/keystore.p12 <nil>
}
