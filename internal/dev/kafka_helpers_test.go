//go:build kafka

package dev_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/internal/dev"
	"github.com/slipway-go/slipway/pki"
)

func tlsConfig(c *dev.Cluster, certs ...tls.Certificate) *tls.Config {
	return &tls.Config{RootCAs: c.Authority().Pool(), Certificates: certs, MinVersion: tls.VersionTLS12}
}

func serverCertificate(t *testing.T, c *dev.Cluster) tls.Certificate {
	t.Helper()
	cert, err := c.Authority().Issue(pki.Request{CommonName: "admin", Usage: pki.Server, IPs: []netip.Addr{netip.MustParseAddr("127.0.0.1")}})
	if err != nil {
		t.Fatal(err)
	}
	return cert.TLS()
}

// readAll reads a topic from its beginning until it has n different values.
func readAll(t *testing.T, c *dev.Cluster, topic string, n int) map[string]bool {
	t.Helper()
	cl := client(t, c.Admin(), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	got, ctx := map[string]bool{}, within(t, time.Minute)
	for len(got) < n && ctx.Err() == nil {
		cl.PollFetches(ctx).EachRecord(func(r *kgo.Record) { got[string(r.Value)] = true })
	}
	return got
}

func register(t *testing.T, url string) {
	t.Helper()
	resp, err := http.Post(url+"/subjects/kept-value/versions", "application/vnd.schemaregistry.v1+json", strings.NewReader(`{"schema":"{\"type\":\"string\"}"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("register: %s", resp.Status)
	}
}

func subjects(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url + "/subjects")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
