package istio_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/istio"
	"github.com/slipway-go/slipway/render/rendertest"
)

func TestGoldenTrees(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ estate, env string }{
		"shop-prod":       {"shop", "prod"},
		"everything-prod": {"everything", "prod"},
		"several-prod":    {"several", "prod"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := rendered(t, rendertest.Estate(t, tt.estate), tt.env)
			rendertest.Objects(t, files)
			rendertest.Golden(t, "testdata/"+name, files)
		})
	}
}

func rendered(t rendertest.Failer, estate *contract.Estate, env string) []render.File {
	t.Helper()
	files, err := istio.Target().Files(render.Input{Estate: estate, Environment: env})
	if err != nil {
		t.Fatalf("render: %v", err)
	}
	return files
}

// meshed is an estate of the services orders, with a workload of the test, and carts,
// in environment prod with a platform of the test.
func meshed(platform, workload string) fstest.MapFS {
	return fstest.MapFS{
		"clusters.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Clusters
clusters: {kafka: {id: MkU3OEVBNTcwNTJENDM2Qk, bootstrap: {mtls: "a.example:9093,b.example:9193", scram: "a.example:9094"}, cidrs: [10.0.0.0/8]}}
environments: {prod: {default: kafka}}
platform: {prod: {` + platform + `}}
`)},
		"orders/slipway.yaml": {Data: []byte("apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: orders, owner: a}\ntopics: {orders.made.v1: {}}\nproduces: {orders.made.v1: {}}\nworkload: {" + workload + "}\n")},
		"carts/slipway.yaml":  {Data: []byte("apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: carts, owner: b}\n")},
	}
}

const tokens = "namespace: shop, mesh: {issuer: 'https://id.example', jwks: 'https://id.example/keys'}"

// objects are those of orders, by kind.
func objects(t rendertest.Failer, files []render.File) map[string]rendertest.Object {
	t.Helper()
	all := map[string]rendertest.Object{}
	for _, o := range rendertest.Objects(t, files) {
		all[o.Kind()] = o
	}
	return all
}

func TestOnlyWhomTheContractNamesMayCall(t *testing.T) {
	t.Parallel()
	from := func(key string, values ...any) any {
		return []any{map[string]any{"source": map[string]any{key: values}}}
	}
	to := func(ports ...any) any {
		return []any{map[string]any{"operation": map[string]any{"ports": ports}}}
	}
	metrics := map[string]any{"from": from("namespaces", "monitoring"), "to": []any{map[string]any{"operation": map[string]any{
		"ports": []any{"8080"}, "methods": []any{"GET"}, "paths": []any{"/metrics"},
	}}}}
	plain := map[string]any{"to": []any{map[string]any{"operation": map[string]any{"ports": []any{"8081"}, "methods": []any{"GET"}}}}}
	scoped := []any{map[string]any{"key": "request.auth.claims[scope]", "values": []any{"payment:execute"}}}
	for name, tt := range map[string]struct {
		workload string
		want     []any
	}{
		"no port":                    {"", []any{plain}},
		"nothing said":               {"http: 8080", []any{metrics, map[string]any{"from": from("namespaces", "shop"), "to": to("8080")}}},
		"gRPC":                       {"grpc: 9090", []any{plain, map[string]any{"from": from("namespaces", "shop"), "to": to("9090")}}},
		"callers here and elsewhere": {"http: 8080, grpc: 9090, access: {callers: [carts, payment/api-gateway]}", []any{metrics, map[string]any{"from": from("principals", "cluster.local/ns/shop/sa/carts", "cluster.local/ns/payment/sa/api-gateway"), "to": to("8080", "9090")}}},
		"a scope":                    {"http: 8080, access: {callers: [carts], scopes: ['payment:execute']}", []any{metrics, map[string]any{"from": from("principals", "cluster.local/ns/shop/sa/carts"), "to": to("8080"), "when": scoped}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := objects(t, rendered(t, rendertest.Load(t, meshed(tokens, tt.workload)), "prod"))
			policy := all["AuthorizationPolicy"]
			if diff := cmp.Diff(tt.want, policy.At("spec", "rules")); diff != "" || policy.At("spec", "action") != "ALLOW" {
				t.Errorf("rules (-want +got):\n%s", diff)
			}
			_, judged := all["RequestAuthentication"]
			if scoped := strings.Contains(tt.workload, "scopes"); judged != scoped {
				t.Errorf("RequestAuthentication is there: %v, want %v", judged, scoped)
			}
		})
	}
}

func TestARequestThatWasTakenIsSentAgainOnlyIfThatIsSafe(t *testing.T) {
	t.Parallel()
	routes, _ := objects(t, rendered(t, rendertest.Load(t, meshed("mesh: {}", "http: 8080, grpc: 9090")), "prod"))["VirtualService"].At("spec", "http").([]any)
	got := map[string]any{}
	for _, r := range routes {
		r := rendertest.Object{Body: r.(map[string]any)}
		if r.At("fault") != nil {
			t.Errorf("%v injects a fault", r.At("name"))
		}
		got[r.At("name").(string)] = []any{r.At("match", 0, "method", "regex"), r.At("retries", "attempts"), r.At("retries", "perTryTimeout"), r.At("retries", "retryOn")}
	}
	want := map[string]any{
		"probes-and-metrics": []any{nil, 0, nil, nil},
		"safe":               []any{"GET|HEAD|OPTIONS", 3, "2s", "gateway-error,connect-failure,refused-stream"},
		"other":              []any{nil, 3, nil, "connect-failure,refused-stream"},
		"grpc":               []any{nil, 3, nil, "connect-failure,refused-stream"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("method, attempts, timeout and cause by route (-want +got):\n%s", diff)
	}
}

// annotations are those of the pods of orders.
func annotations(t *testing.T, files fstest.MapFS) map[string]string {
	t.Helper()
	component := objects(t, rendered(t, rendertest.Load(t, files), "prod"))["Component"]
	text, _ := component.At("patches", 0, "patch").(string)
	var patch struct {
		Spec struct {
			Template struct {
				Metadata struct{ Annotations map[string]string }
			}
		}
	}
	if err := yaml.Unmarshal([]byte(text), &patch); err != nil {
		t.Fatalf("%v in the patch\n%s", err, text)
	}
	return patch.Spec.Template.Metadata.Annotations
}

// A service that drains writes to its database, and ends its traces, through the
// sidecar. Istio reads what is in the annotation as its own configuration: each form of
// sidecar has to be told.
func TestTheSidecarOutlivesTheService(t *testing.T) {
	t.Parallel()
	notes := annotations(t, meshed("mesh: {}", ""))
	var config map[string]any
	if err := yaml.Unmarshal([]byte(notes["proxy.istio.io/config"]), &config); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"holdApplicationUntilProxyStarts": true,
		"proxyMetadata":                   map[string]any{"EXIT_ON_ZERO_ACTIVE_CONNECTIONS": "true"},
	}
	if diff := cmp.Diff(want, config); diff != "" || notes["sidecar.istio.io/nativeSidecar"] != "true" {
		t.Errorf("the annotations are %v (-want +got):\n%s", notes, diff)
	}
}

// The agent of Vault asks it before there is a sidecar, and Istio CNI leads to the
// sidecar from the beginning.
func TestKafkaAndVaultPassTheSidecarBy(t *testing.T) {
	t.Parallel()
	const vault = ", credentials: {from: vault, peer: {namespace: vault"
	for name, tt := range map[string]struct{ platform, identity, want string }{
		"Vault":                         {"mesh: {}" + vault + "}}", "", "8200,9093,9193"},
		"ports of Vault":                {"mesh: {}" + vault + ", ports: [8443, 443]}}", "", "443,8443,9093,9193"},
		"credentials of somebody else":  {"mesh: {}, credentials: {from: cert-manager, issuer: Issuer/a, peer: {namespace: vault}}", "", "9093,9193"},
		"the listener of certificates":  {"mesh: {}", "", "9093,9193"},
		"the listener of passwords":     {"mesh: {}", "identity: {auth: scram-sha-512}\n", "9094"},
		"ports that the platform names": {"mesh: {}, kafka: {namespace: kafka, ports: [9093, 9099]}", "", "9093,9099,9193"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := meshed(tt.platform, "")
			files["orders/slipway.yaml"].Data = append(files["orders/slipway.yaml"].Data, tt.identity...)
			if got := annotations(t, files)["traffic.sidecar.istio.io/excludeOutboundPorts"]; got != tt.want {
				t.Errorf("connections to %s pass the sidecar by, want %s", got, tt.want)
			}
		})
	}
}

// What the platform says of ports is about the default cluster.
func TestEveryClusterPassesTheSidecarBy(t *testing.T) {
	t.Parallel()
	files := rendered(t, rendertest.Estate(t, "several"), "prod")
	for service, want := range map[string]string{"archive": `"9093,9094,9095,9193"`, "till": `"9093,9094,9095,9194"`, "reports": `"9194"`} {
		i := slices.IndexFunc(files, func(f render.File) bool { return f.Path == service+"/kustomization.yaml" })
		if !strings.Contains(string(files[i].Content), "excludeOutboundPorts: "+want) {
			t.Errorf("not the ports %s, and those alone, are excluded:\n%s", want, files[i].Content)
		}
	}
}

func TestWhatCannotBeMeshedIsRefusedWithItsPlace(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		platform, workload string
		want               diag.Code
		place, says        string
	}{
		"no mesh":                        {"namespace: shop", "http: 80", diag.RenderNoMesh, "clusters.yaml:5:", "platform.prod.mesh is missing; write platform: {prod: {mesh: {}}} in clusters.yaml"},
		"a caller that is nobody":        {"mesh: {}", "http: 80, access: {callers: [charts]}", diag.RenderCaller, "orders/slipway.yaml:6:", "charts, which is no service"},
		"a scope, and nobody issues any": {"mesh: {}", "http: 80, access: {scopes: [read]}", diag.RenderScope, "orders/slipway.yaml:6:", "platform.prod.mesh.issuer is missing"},
		"a scope that lets others in":    {tokens, "http: 80, access: {scopes: ['orders:*']}", diag.RenderScope, "orders/slipway.yaml:6:", "takes for a pattern"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := istio.Target().Files(render.Input{Estate: rendertest.Load(t, meshed(tt.platform, tt.workload)), Environment: "prod"})
			all := diag.Of(err)
			if len(all) != 1 || !errors.Is(err, tt.want) || !strings.HasPrefix(all[0].Position.String(), tt.place) || !strings.Contains(all[0].Message+"; "+all[0].Fix, tt.says) {
				t.Errorf("Files() = %v, want one %s at %s that says %q", err, tt.want, tt.place, tt.says)
			}
		})
	}
}

func TestAClusterWithoutAddressesIsRefused(t *testing.T) {
	t.Parallel()
	files := meshed("mesh: {}", "")
	files["clusters.yaml"].Data = []byte(strings.Replace(string(files["clusters.yaml"].Data), "default: kafka", "default: embedded", 1))
	_, err := istio.Target().Files(render.Input{Estate: rendertest.Load(t, files), Environment: "prod"})
	if !errors.Is(err, diag.RenderAddress) {
		t.Errorf("Files() = %v, want %s", err, diag.RenderAddress)
	}
}

func TestEveryFaultIsTold(t *testing.T) {
	t.Parallel()
	_, err := istio.Target().Files(render.Input{Estate: rendertest.Estate(t, "hostile"), Environment: "no"})
	for _, want := range []diag.Code{diag.RenderScope, diag.RenderCaller} {
		if !errors.Is(err, want) {
			t.Errorf("Files() = %v, want %s among it", err, want)
		}
	}
}

func TestEveryServiceAsksWhoCalls(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		estate := rendertest.Any(t)
		kinds := map[string]int{}
		for _, o := range rendertest.Objects(t, rendered(t, estate, "prod")) {
			kinds[o.Kind()]++
			if o.Kind() == "PeerAuthentication" && o.At("spec", "mtls", "mode") != "STRICT" {
				t.Errorf("%s lets callers in that do not say who they are", o.Path)
			}
			if o.Kind() == "AuthorizationPolicy" && len(o.At("spec", "selector", "matchLabels").(map[string]any)) == 0 {
				t.Errorf("%s is about every pod of the namespace", o.Path)
			}
		}
		if n := len(estate.Services); kinds["PeerAuthentication"] != n || kinds["AuthorizationPolicy"] != n {
			t.Errorf("%d services have %v", n, kinds)
		}
	})
}
