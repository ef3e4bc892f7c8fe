package broker_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/broker"
)

// Whatever nodes a cluster lists, each gets settings in which it finds the others,
// or what stands in the way is told by one of this package's codes.
func TestAnyClusterIsRenderedOrRefused(t *testing.T) {
	t.Parallel()
	base := input(t, "prod", small, "")
	codes := []diag.Code{diag.RenderNoNodes, diag.RenderNodeNumber, diag.RenderQuorum, diag.RenderReplicas, diag.RenderListener}
	rapid.Check(t, func(t *rapid.T) {
		clusters := *base.Estate.Clusters
		entry := *clusters.Clusters["kafka"]
		entry.Nodes = rapid.SliceOfNDistinct(node(), 0, 7, func(n contract.Node) string { return n.Name }).Draw(t, "nodes")
		entry.Bootstrap.MTLS = rapid.SampledFrom([]string{"", "kafka.example:9093", "localhost:29093,localhost:29094,localhost:29095", "[2001:db8::1]:9091"}).Draw(t, "mtls")
		entry.Bootstrap.SCRAM = rapid.SampledFrom([]string{"", "kafka.example:9094", "h1.example:9093,h2.example:9194"}).Draw(t, "scram")
		clusters.Clusters = map[string]*contract.Cluster{"kafka": &entry}
		estate := *base.Estate
		estate.Clusters = &clusters

		files, err := broker.Target().Files(render.Input{Estate: &estate, Environment: "prod"})
		for _, d := range diag.Of(err) {
			known := false
			for _, code := range codes {
				known = known || errors.Is(d, code)
			}
			if !known {
				t.Fatalf("refused with %v", d)
			}
		}
		if err != nil {
			return
		}
		if len(files) != len(entry.Nodes) {
			t.Fatalf("%d files for %d nodes", len(files), len(entry.Nodes))
		}
		quorum := ""
		for _, f := range files {
			for line := range strings.Lines(string(f.Content)) {
				if servers, found := strings.CutPrefix(line, "controller.quorum.bootstrap.servers="); found {
					if quorum != "" && servers != quorum {
						t.Fatalf("%s asks others for the voters: %q and %q", f.Path, servers, quorum)
					}
					quorum = servers
				}
				if strings.Contains(line, "://") && strings.Contains(line, "PLAINTEXT") {
					t.Fatalf("%s: %s", f.Path, line)
				}
			}
		}
	})
}

func node() *rapid.Generator[contract.Node] {
	return rapid.Custom(func(t *rapid.T) contract.Node {
		i := rapid.IntRange(0, 9).Draw(t, "number")
		return contract.Node{
			Name:  fmt.Sprintf("%s-%d", rapid.SampledFrom([]string{"kafka", "node"}).Draw(t, "name"), i),
			Roles: rapid.SampledFrom([][]string{{contract.BrokerRole}, {contract.ControllerRole}, {contract.BrokerRole, contract.ControllerRole}}).Draw(t, "roles"),
			Hosts: rapid.SampledFrom([][]string{{"localhost"}, {fmt.Sprintf("h%d.example", i)}, {"127.0.0.1", fmt.Sprintf("h%d.example", i)}, {"2001:db8::1"}}).Draw(t, "hosts"),
		}
	})
}
