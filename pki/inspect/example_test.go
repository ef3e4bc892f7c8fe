package inspect_test

import (
	"fmt"
	"time"

	"github.com/slipway-go/slipway/pki"
	"github.com/slipway-go/slipway/pki/inspect"
)

// A certificate is held against the name that clients dial.
func ExampleJudge() {
	issued := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	root, err := pki.NewAuthority("Kafka prod", issued)
	if err != nil {
		fmt.Println(err)
		return
	}
	broker, err := root.Issue(pki.Request{CommonName: "kafka-0", Usage: pki.Peer, DNSNames: []string{"kafka-0.example.com"}, Now: issued})
	if err != nil {
		fmt.Println(err)
		return
	}
	trust, err := inspect.Read(root.PEM())
	if err != nil {
		fmt.Println(err)
		return
	}
	report := inspect.Judge(broker.Chain(), inspect.Config{Roots: trust.Certificates, Host: "kafka-1.example.com", Now: issued})
	fmt.Println("trusted:", report.Trusted)
	for _, finding := range report.Findings {
		fmt.Println(finding)
	}
	// Output:
	// trusted: true
	// SLP-PKI-087: kafka-0 is not for kafka-1.example.com
}
