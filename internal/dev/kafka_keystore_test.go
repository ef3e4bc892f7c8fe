//go:build kafka

package dev_test

import (
	"crypto/tls"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/internal/dev"
	"github.com/slipway-go/slipway/internal/dev/devtest"
	"github.com/slipway-go/slipway/internal/secure"
	"github.com/slipway-go/slipway/pki/keystore"
)

// One node of each format: that they form a cluster at all shows that each takes
// the others' certificates, as server and as client.
func TestNodesOfEveryKeystoreFormatServeGoAndJava(t *testing.T) {
	c, err := dev.Up(t.Context(), dev.Config{Ephemeral: true, Keystores: keystore.Formats(), Report: func(line string) { t.Log(line) }})
	devtest.Require(t, err)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	const topic = "dev.keystore.v1"
	createTopic(t, c, topic)
	for i, f := range keystore.Formats() {
		address := strings.Split(c.MTLS(), ",")[i]
		settings, err := os.ReadFile(filepath.Join(filepath.Dir(c.Node(i+1).Log()), "..", "server.properties"))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"ssl.keystore.type=" + f.Type() + "\n", "ssl.truststore.type=" + f.Type() + "\n"} {
			if !strings.Contains(string(settings), want) {
				t.Errorf("node %d does not have %s", i+1, want)
			}
		}
		if n := presented(t, c, address); n != 2 {
			t.Errorf("node %d presents %d certificates, want its own and the intermediate", i+1, n)
		}
		if err := produce(t, client(t, c.Admin(), kgo.SeedBrokers(address)), topic, string(f)); err != nil {
			t.Errorf("by node %d of format %s: %v", i+1, f, err)
		}
	}
	if got := readAll(t, c, topic, 3); len(got) != 3 {
		t.Errorf("%d of 3 records are there", len(got))
	}
	for _, f := range keystore.Formats() {
		properties, err := c.Admin().Export(f)
		if err != nil {
			t.Fatal(err)
		}
		askEveryNode(t, c, properties)
	}
}

// presented counts the certificates that a node shows to a client it trusts.
func presented(t *testing.T, c *dev.Cluster, address string) int {
	t.Helper()
	cert, err := tls.LoadX509KeyPair(filepath.Join(c.Admin().Dir, "tls.crt"), filepath.Join(c.Admin().Dir, "tls.key"))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := (&tls.Dialer{Config: secure.Client(c.Authority().Pool(), cert)}).DialContext(within(t, time.Minute), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return len(conn.(*tls.Conn).ConnectionState().PeerCertificates)
}

// askEveryNode has Kafka's own tool ask each node by the settings of a file.
func askEveryNode(t *testing.T, c *dev.Cluster, properties string) {
	t.Helper()
	tool := strings.Replace(c.Admin().Commands()[1], "TopicCommand", "BrokerApiVersionsCommand", 1)
	tool, _, _ = strings.Cut(tool, " --command-config ")
	out, err := exec.CommandContext(within(t, 2*time.Minute), "sh", "-c", tool+" --command-config "+properties).CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", filepath.Base(properties), err, out)
		return
	}
	for address := range strings.SplitSeq(c.MTLS(), ",") {
		if !slices.ContainsFunc(strings.Split(string(out), "\n"), func(line string) bool {
			return strings.HasPrefix(line, address+" (id: ") && strings.HasSuffix(line, "-> (")
		}) {
			t.Errorf("%s: no answer of %s\n%.2000s", filepath.Base(properties), address, out)
		}
	}
}
