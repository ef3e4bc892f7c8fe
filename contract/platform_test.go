package contract_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// platformed is an estate with a platform section for environment dev, and with
// what a service's workload says of traffic.
func platformed(platform, workload string) fstest.MapFS {
	return fstest.MapFS{
		"clusters.yaml": {Data: []byte("apiVersion: slipway.dev/v1\nkind: Clusters\nenvironments: {dev: {default: embedded}}\n" + platform)},
		"slipway.yaml":  {Data: []byte("apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: orders, owner: shop}\n" + workload)},
	}
}

func TestAPlatformThatCannotBeRenderedIsRefusedWithItsPlace(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		platform, workload string
		want               diag.Code
		place, says        string
	}{
		"an environment that is not there": {"platform: {prod: {namespace: shop}}", "", diag.ClusterEnvironment, "clusters.yaml:4:12", "prod"},
		"a peer that says nothing":         {"platform: {dev: {kafka: {ports: [9093]}}}", "", diag.PlatformPeer, "clusters.yaml:4:", "neither which pods nor which networks"},
		"a network that is none":           {"platform: {dev: {registry: {cidrs: [10.0.0.1]}}}", "", diag.PlatformPeer, "clusters.yaml:4:", "10.0.0.1"},
		"a collector without a scheme":     {"platform: {dev: {telemetry: {endpoint: 'otel:4317', peer: {namespace: otel}}}}", "", diag.ClusterEndpoint, "clusters.yaml:4:", "otel:4317"},
		"cert-manager without an issuer":   {"platform: {dev: {credentials: cert-manager}}", "", diag.PlatformIncomplete, "clusters.yaml:4:", "issuer"},
		"an issuer without cert-manager":   {"platform: {dev: {credentials: {issuer: Issuer/kafka}}}", "", diag.PlatformIncomplete, "clusters.yaml:4:", "credentials come from secret"},
		"external-secrets without a store": {"platform: {dev: {credentials: external-secrets}}", "", diag.PlatformIncomplete, "clusters.yaml:4:", "store"},
		"a bundle of nobody":               {"platform: {dev: {credentials: {bundle: kafka}}}", "", diag.PlatformIncomplete, "clusters.yaml:4:", "credentials come from secret"},
		"a Vault that is nowhere":          {"platform: {dev: {credentials: {from: vault, peer: {ports: [8200]}}}}", "", diag.PlatformPeer, "clusters.yaml:4:", "neither which pods nor which networks"},
		"brokers without a disk":           {"platform: {dev: {strimzi: {cluster: events, nodes: {version: 4.3.1, cpu: 2, memory: 8Gi}}}}", "", diag.ContractRequired, "clusters.yaml:4:", "storage"},
		"a token nobody can judge":         {"platform: {dev: {mesh: {issuer: 'https://id.example'}}}", "", diag.PlatformIncomplete, "clusters.yaml:4:", "jwks"},
		"keys that come by http":           {"platform: {dev: {mesh: {issuer: i, jwks: 'http://id.example/keys'}}}", "", diag.ClusterEndpoint, "clusters.yaml:4:", "http://id.example/keys"},
		"a branch":                         {"platform: {dev: {gitops: {repository: 'https://git.example/r', revision: main}}}", "", diag.PlatformIncomplete, "clusters.yaml:4:", "main is a branch"},
		"egress without ports":             {"", "workload: {egress: {database: {namespace: database}}}", diag.PlatformPeer, "slipway.yaml:4:", "no port"},
		"egress to nobody":                 {"", "workload: {egress: {database: {ports: [5432]}}}", diag.PlatformPeer, "slipway.yaml:4:", "neither which pods"},
		"callers of no port":               {"", "workload: {access: {callers: [shop]}}", diag.PlatformPeer, "slipway.yaml:4:", "no port"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, problems := contract.Load(platformed(tt.platform, tt.workload), ".")
			if len(problems) != 1 || problems[0].Code != tt.want || !strings.HasPrefix(problems[0].Position.String(), tt.place) || !strings.Contains(problems[0].Message, tt.says) {
				t.Errorf("Load() = %v, want one %s at %s that says %q", problems, tt.want, tt.place, tt.says)
			}
		})
	}
}

func TestAPlatformSaysWhatManifestsNeed(t *testing.T) {
	t.Parallel()
	estate, problems := contract.Load(platformed(`platform:
  dev:
    namespace: shop
    kafka: {namespace: kafka, pods: {app: broker}}
    gitops: {repository: 'https://git.example/r', revision: v1.2.3}
`, "workload: {http: 8080, egress: {database: {namespace: database, ports: [5432]}}, access: {callers: [carts], scopes: [order]}}\n"), ".")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	p := estate.Clusters.Platform("dev")
	want := &contract.Platform{
		Environment: "dev", Namespace: "shop", Monitoring: "monitoring", Autoscaler: contract.KEDA, Reload: contract.ReloadLive,
		Kafka:       &contract.Peer{Namespace: "kafka", Pods: map[string]*contract.Label{"app": {Value: "broker"}}},
		Credentials: contract.Credentials{From: contract.FromSecret, Path: "kafka/{environment}/{service}", Role: "{service}-{environment}"},
		GitOps:      &contract.GitOps{Repository: "https://git.example/r", Revision: "v1.2.3", Path: "deploy/{service}/overlays/{environment}", Namespace: "argocd", Project: "shop", Server: "https://kubernetes.default.svc"},
	}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Errorf("Platform(dev) (-want +got):\n%s", diff)
	}
	w := estate.Services[0].Workload
	if db := w.Egress["database"]; db == nil || db.Name != "database" || db.Namespace != "database" || w.Access == nil || w.Access.Scopes[0] != "order" {
		t.Errorf("workload = %+v", w)
	}
}

func TestAnEnvironmentWithoutAPlatformHasTheDefaults(t *testing.T) {
	t.Parallel()
	estate, problems := contract.Load(platformed("", ""), ".")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	p := estate.Clusters.Platform("dev")
	if p.Namespace != "dev" || p.Monitoring != "monitoring" || p.Credentials.From != contract.FromSecret || p.Autoscaler != contract.KEDA {
		t.Errorf("Platform(dev) = %+v", p)
	}
}
