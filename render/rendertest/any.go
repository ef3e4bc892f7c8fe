package rendertest

import (
	"fmt"
	"strings"
	"testing/fstest"

	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/contract"
)

// Any draws a valid estate with an environment prod that has all that a target may
// ask the platform for: services that read each other's topics in every way, on one
// cluster or two, with ports, volumes and callers or without.
func Any(t *rapid.T) *contract.Estate {
	files := fstest.MapFS{contract.ClustersFile: {Data: []byte(anyPlatform(t))}}
	clusters := make([]string, rapid.IntRange(1, 3).Draw(t, "services")) // of the topic of each
	for i := range clusters {
		clusters[i] = pick(t, "cluster", "default", "other")
	}
	for i := range clusters {
		files[fmt.Sprintf("s%d/%s", i, contract.ServiceFile)] = &fstest.MapFile{Data: []byte(anyService(t, i, clusters))}
	}
	estate, problems := contract.Load(files, ".")
	problems = append(problems, estate.Validate()...)
	if problems.Failed() {
		t.Skip(problems.Err()) // such as more instances than partitions
	}
	return estate
}

func anyPlatform(t *rapid.T) string {
	return fmt.Sprintf(`apiVersion: slipway.dev/v1
kind: Clusters
clusters:
  kafka:
    id: MkU3OEVBNTcwNTJENDM2Qk
    bootstrap: {mtls: "kafka.example:9093", scram: "kafka.example:9094"}
    defaults: {partitions: %[1]d}
    cidrs: [10.20.0.0/16]
  kafka-other:
    id: c3RhZ2luZy1jbHVzdGVyMDA
    bootstrap: {mtls: "other.example:9193", scram: "other.example:9194"}
    defaults: {partitions: %[1]d}
    cidrs: [10.21.0.0/16]
environments: {prod: {default: kafka, other: kafka-other}}
platform:
  prod:
    namespace: shop
    autoscaler: %[2]s
    mesh: {issuer: "https://id.example", jwks: "https://id.example/keys"}
    gitops: {repository: "https://git.example/deploy.git", revision: v1.0.0}
`, rapid.IntRange(1, 24).Draw(t, "partitions by default"), pick(t, "autoscaler", "keda", "hpa"))
}

func anyService(t *rapid.T, i int, clusters []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: s%d, owner: %s}\nidentity: {auth: %s}\n", i,
		pick(t, "owner", "team-a", "on", `"1e3"`, `"a team, with words"`), pick(t, "auth", "mtls", "scram-sha-512", "scram-sha-256"))
	fmt.Fprintf(&b, "topics: {t%d.seen.v1: {cluster: %s%s}}\n", i, clusters[i], pick(t, "size", "", ", partitions: 1", ", partitions: 6", ", partitions: 50"))
	fmt.Fprintf(&b, "produces: {t%d.seen.v1: {cluster: %s%s}}\n", i, clusters[i], pick(t, "how", "", ", away: spill", ", away: sample"))
	b.WriteString("consumes:\n")
	for j, cluster := range clusters {
		fmt.Fprintf(&b, "  t%d.seen.v1: {cluster: %s%s}\n", j, cluster, pick(t, "reading", "", ", order: none", ", as: table", ", group: a", ", group: b, assignment: range",
			", group: c, as: share, order: none", ", start: latest", ", retry: {delays: [1s], then: park}", ", group: d, static: true"))
	}
	b.WriteString(pick(t, "slo", "", "slo: {lag: 1}\n", "slo: {lag: 5000}\n"))
	fmt.Fprintf(&b, "workload:\n  image: registry.example.com/s%d:v1\n  scale: {min: %d, max: %s}\n", i,
		rapid.IntRange(0, 4).Draw(t, "min"), pick(t, "max", "auto", "4", "7", "100"))
	b.WriteString(pick(t, "ports", "", "  http: 8080\n", "  grpc: 9090\n", "  http: 8080\n  grpc: 9090\n  access: {callers: [s0, edge/ingress], scopes: [orders.write]}\n"))
	return b.String()
}

func pick(t *rapid.T, label string, values ...string) string {
	return rapid.SampledFrom(values).Draw(t, label)
}
