package argocd_test

import (
	"bytes"
	"errors"
	"path"
	"strings"
	"testing"
	"testing/fstest"
	"text/template"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/argocd"
	"github.com/slipway-go/slipway/render/rendertest"
)

// golden are the estates and environments that have a repository to deploy from.
var golden = map[string]struct{ estate, env string }{
	"shop-prod":          {"shop", "prod"},
	"everything-prod":    {"everything", "prod"},
	"everything-staging": {"everything", "staging"},
	"hostile-no":         {"hostile", "no"},
}

func TestGoldenTrees(t *testing.T) {
	t.Parallel()
	for name, tt := range golden {
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
	files, err := argocd.Target().Files(render.Input{Estate: estate, Environment: env})
	if err != nil {
		t.Fatalf("render: %v", err)
	}
	return files
}

func TestTheSetMakesTheSameApplications(t *testing.T) {
	t.Parallel()
	for name, tt := range golden {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			compareSet(t, rendered(t, rendertest.Estate(t, tt.estate), tt.env))
		})
	}
	t.Run("of any contracts", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) { compareSet(t, rendered(t, rendertest.Any(t), "prod")) })
	})
}

// compareSet does what Argo CD does with the set, and compares with the Applications.
func compareSet(t rendertest.Failer, files []render.File) {
	t.Helper()
	want, got := map[string]any{}, map[string]any{}
	for _, o := range rendertest.Objects(t, files) {
		switch o.Kind() {
		case "Application":
			if path.Dir(o.Path) == "applications" {
				want[o.At("metadata", "name").(string)] = []any{o.At("metadata"), o.At("spec")}
			}
		case "ApplicationSet":
			for _, element := range o.At("spec", "generators", 0, "list", "elements").([]any) {
				a := filled(t, o.At("spec", "template"), element)
				patch := executed(t, o.At("spec", "templatePatch").(string), element)
				merge(a, parsed(t, patch))
				got[a["metadata"].(map[string]any)["name"].(string)] = []any{a["metadata"], a["spec"]}
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
		t.Errorf("the set makes other Applications (-Application +set):\n%s", diff)
	}
}

// filled puts an element into every text of the template.
func filled(t rendertest.Failer, of, element any) map[string]any {
	var fill func(any) any
	fill = func(of any) any {
		switch of := of.(type) {
		case string:
			return executed(t, of, element)
		case []any:
			all := make([]any, len(of))
			for i := range of {
				all[i] = fill(of[i])
			}
			return all
		case map[string]any:
			all := make(map[string]any, len(of))
			for k, v := range of {
				all[k] = fill(v)
			}
			return all
		}
		return of
	}
	return fill(of).(map[string]any)
}

func executed(t rendertest.Failer, text string, element any) string {
	parsed, err := template.New("").Option("missingkey=error").Parse(text)
	if err != nil {
		t.Fatalf("parse the template: %v", err)
	}
	var b bytes.Buffer
	if err := parsed.Execute(&b, element); err != nil {
		t.Fatalf("execute the template: %v", err)
	}
	return b.String()
}

func parsed(t rendertest.Failer, text string) map[string]any {
	var all map[string]any
	if err := yaml.Unmarshal([]byte(text), &all); err != nil {
		t.Fatalf("the patch is not YAML: %v\n%s", err, text)
	}
	return all
}

// merge lays a patch over an object.
func merge(over, patch map[string]any) {
	for k, v := range patch {
		below, isMap := v.(map[string]any)
		if there, found := over[k].(map[string]any); isMap && found {
			merge(there, below)
			continue
		}
		over[k] = v
	}
}

// platform is an estate of two services in environment prod: orders, whose instances
// an autoscaler decides on, and audit, of which there is one.
func platform(keys string) fstest.MapFS {
	service := func(name, workload string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte("apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: " + name + ", owner: a}\n" + workload)}
	}
	return fstest.MapFS{
		"clusters.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Clusters
clusters: {kafka: {id: MkU3OEVBNTcwNTJENDM2Qk, bootstrap: {mtls: "kafka.example:9093"}, cidrs: [10.0.0.0/8]}}
environments: {prod: {default: kafka}}
platform:
  prod: {` + keys + "}\n")},
		"orders/slipway.yaml": service("orders", "topics: {orders.made.v1: {partitions: 6}}\nconsumes: {orders.made.v1: {}}\nworkload: {}\n"),
		"audit/slipway.yaml":  service("audit", "workload: {http: 80}\n"),
		"remote/slipway.yaml": service("remote", ""),
	}
}

const git = "gitops: {repository: 'https://git.example/r', revision: v1"

func TestOnlyTheReplicasThatAnAutoscalerOwnsAreIgnored(t *testing.T) {
	t.Parallel()
	got := map[string]any{}
	for _, o := range rendertest.Objects(t, rendered(t, rendertest.Load(t, platform(git+"}")), "prod")) {
		if o.Kind() == "Application" {
			got[o.At("metadata", "name").(string)] = o.At("spec", "ignoreDifferences")
		}
	}
	want := map[string]any{
		"orders-prod":    []any{map[string]any{"group": "apps", "kind": "Deployment", "name": "orders", "jsonPointers": []any{"/spec/replicas"}}},
		"audit-prod":     nil,
		"namespace.prod": nil,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ignoreDifferences (-want +got):\n%s", diff)
	}
}

func TestAnOverlayOfOnesOwnTakesInWhatItWants(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		keys string
		want any
	}{
		"rendered overlays": {git + "}, mesh: {}", []any{"../../../_autoscaling/prod/orders", "../../../_istio/prod/orders"}},
		"at the top":        {git + ", path: '{service}/overlays/{environment}'}", []any{"../../../_autoscaling/prod/orders"}},
		"certificates":      {git + "}, credentials: {from: cert-manager, issuer: Issuer/kafka}", []any{"../../../_autoscaling/prod/orders", "../../../_certmanager/prod/orders"}},
		"Secrets of a store": {git + "}, credentials: {from: external-secrets, store: SecretStore/vault}",
			[]any{"../../../_autoscaling/prod/orders", "../../../_externalsecrets/prod/orders"}},
		"files of Vault's":  {git + "}, autoscaler: hpa, credentials: {from: vault, peer: {namespace: vault}}", []any{"../../../_autoscaling/prod/orders", "../../../_vault/prod/orders"}},
		"a team's overlays": {git + ", path: 'teams/{service}/{environment}'}, mesh: {}", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, o := range rendertest.Objects(t, rendered(t, rendertest.Load(t, platform(tt.keys)), "prod")) {
				if o.Path == "applications/orders.yaml" {
					if diff := cmp.Diff(tt.want, o.At("spec", "source", "kustomize", "components")); diff != "" {
						t.Errorf("components (-want +got):\n%s", diff)
					}
				}
				if o.Path == "namespace.yaml" && tt.want == nil {
					t.Error("the namespace is deployed from a directory that may not be there")
				}
			}
		})
	}
}

func TestNothingIsDeployedThatTheProjectDoesNotAllow(t *testing.T) {
	t.Parallel()
	for _, o := range rendertest.Objects(t, rendered(t, rendertest.Estate(t, "everything"), "prod")) {
		if o.Kind() != "AppProject" {
			continue
		}
		for _, list := range []string{"clusterResourceWhitelist", "namespaceResourceWhitelist"} {
			for _, k := range o.At("spec", list).([]any) {
				if kind := k.(map[string]any)["kind"]; kind == "Secret" || kind == "*" || kind == "ClusterRole" {
					t.Errorf("%s has %v", list, kind)
				}
			}
		}
		if diff := cmp.Diff([]any{map[string]any{"server": "https://kubernetes.default.svc", "namespace": "events"}}, o.At("spec", "destinations")); diff != "" {
			t.Errorf("destinations (-want +got):\n%s", diff)
		}
	}
}

func TestWhatCannotBeDeployedIsRefusedWithItsPlace(t *testing.T) {
	t.Parallel()
	nowhere := platform(git + "}")
	delete(nowhere, "orders/slipway.yaml")
	delete(nowhere, "audit/slipway.yaml")
	for name, tt := range map[string]struct {
		files fstest.MapFS
		want  diag.Code
		says  string
	}{
		"no repository":            {platform("namespace: shop"), diag.RenderNoGitOps, "platform.prod.gitops is missing; write platform: {prod: {gitops: {repository: "},
		"one path for all":         {platform(git + ", path: deploy}"), diag.RenderNoGitOps, "the path does not say {service}"},
		"no service runs in a pod": {nowhere, diag.RenderRunsNowhere, "no service has a workload"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := argocd.Target().Files(render.Input{Estate: rendertest.Load(t, tt.files), Environment: "prod"})
			all := diag.Of(err)
			if len(all) != 1 || !errors.Is(err, tt.want) || !strings.Contains(all[0].Message+"; "+all[0].Fix, tt.says) || !strings.HasPrefix(all[0].Position.String(), "clusters.yaml:") {
				t.Errorf("Files() = %v, want %s that says %q", err, tt.want, tt.says)
			}
		})
	}
}
