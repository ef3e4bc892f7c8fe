package pki_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/slipway-go/slipway/pki"
)

const leaves = 1000

func brokers(b *testing.B, a *pki.Authority) []*pki.Certificate {
	b.Helper()
	out := make([]*pki.Certificate, leaves)
	for i := range out {
		out[i] = issue(b, a, pki.Request{
			CommonName: fmt.Sprintf("kafka-%d", i), Usage: pki.Peer,
			DNSNames: []string{fmt.Sprintf("kafka-%d.prod.example", i), "kafka.prod.example"}, IPs: loopback,
		})
	}
	return out
}

func BenchmarkIssueAThousand(b *testing.B) {
	a := intermediate(b, newAuthority(b, "bench"))
	for b.Loop() {
		brokers(b, a)
	}
}

func BenchmarkIssueAndSaveAThousand(b *testing.B) {
	a := intermediate(b, newAuthority(b, "bench"))
	for b.Loop() {
		dir := b.TempDir()
		for i, c := range brokers(b, a) {
			if err := c.Save(filepath.Join(dir, fmt.Sprint(i))); err != nil {
				b.Fatal(err)
			}
		}
	}
}
