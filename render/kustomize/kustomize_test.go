package kustomize_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/kustomize"
	"github.com/slipway-go/slipway/render/rendertest"
)

// rendered are the files of an estate by their paths.
func rendered(t testing.TB, estate *contract.Estate, env string) map[string]string {
	t.Helper()
	files, err := kustomize.Target().Files(render.Input{Estate: estate, Environment: env})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, f := range files {
		all[f.Path] = string(f.Content)
	}
	return all
}

// The estates, each rendered as a whole: the environment that is named changes
// nothing where clusters.yaml lists those there are.
func TestGoldenTrees(t *testing.T) {
	t.Parallel()
	for name, env := range map[string]string{"minimal": "prod", "shop": "prod", "everything": "prod", "hostile": "no", "several": "prod"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files, err := kustomize.Target().Files(render.Input{Estate: rendertest.Estate(t, name), Environment: env})
			if err != nil {
				t.Fatal(err)
			}
			rendertest.Golden(t, "testdata/"+name, files)
		})
	}
}

func TestWhicheverEnvironmentIsNamedTheDirectoryIsTheSame(t *testing.T) {
	t.Parallel()
	estate := rendertest.Estate(t, "everything")
	want := rendered(t, estate, "prod")
	for _, env := range []string{"dev", "test", "staging"} {
		if diff := cmp.Diff(want, rendered(t, estate, env)); diff != "" {
			t.Errorf("%s (-prod +%s):\n%s", env, env, diff)
		}
	}
}

func TestRenderingTwoEnvironmentsInTurnRemovesNeither(t *testing.T) {
	t.Parallel()
	dir, estate := t.TempDir(), rendertest.Estate(t, "shop")
	for _, env := range []string{"dev", "prod"} {
		files, err := kustomize.Target().Files(render.Input{Estate: estate, Environment: env})
		if err != nil {
			t.Fatal(err)
		}
		changed, err := render.Write(dir, "kustomize", files, render.Refuse)
		if err != nil {
			t.Fatal(err)
		}
		if env == "prod" && len(changed) != 0 {
			t.Errorf("rendering prod after dev changes %v", changed)
		}
	}
}

// What the platform team or an environment says never reaches a base: whoever deploys
// dev does not change prod by it.
func TestTheBaseKnowsNoEnvironment(t *testing.T) {
	t.Parallel()
	base := func(clusters, overlay string) map[string]string {
		all := rendered(t, estate(t, clusters, "workload: {image: 'orders:v1', http: 8080}\n"+overlay), "prod")
		maps.DeleteFunc(all, func(name, _ string) bool { return !strings.HasPrefix(name, "orders/base/") })
		return all
	}
	want := base(inNetwork, "")
	if len(want) < 4 {
		t.Fatalf("the base has %d files", len(want))
	}
	platform := "platform: {prod: {namespace: shop, pullSecrets: [a], storageClass: fast, reload: restart, mesh: {}, credentials: {from: vault, peer: {namespace: vault}}}}\n"
	got := base(inNetwork+platform, "environments: {prod: {workload: {image: 'mirror/orders:v2', http: 9999, cpu: 4, memory: 1Gi, volume: 1GiB, scale: {min: 3, max: 9}}}}\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("base (-alone +with an environment):\n%s", diff)
	}
}

func TestAChangeOfTheConfigurationReplacesPodsOnlyWhereThatIsWanted(t *testing.T) {
	t.Parallel()
	for reload, want := range map[string]int{"live": 1, "restart": 0} {
		all := rendered(t, estate(t, inNetwork+"platform: {prod: {reload: "+reload+"}}\n", "workload: {image: 'orders:v1'}\n"), "prod")
		if got := strings.Count(all["orders/overlays/prod/kustomization.yaml"], "disableNameSuffixHash: true"); got != want {
			t.Errorf("reload: %s keeps the name of %d ConfigMaps, want %d", reload, got, want)
		}
	}
}

func TestThePodIsGivenTheTimeThatItsDrainMayTake(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ common, prod, want string }{
		"by default":    {"", "", "terminationGracePeriodSeconds: 40 "},
		"common":        {"shutdown: {timeout: 2m}\n", "# nothing\n", "terminationGracePeriodSeconds: 130 "},
		"environment's": {"shutdown: {timeout: 2m}\n", "shutdown: {timeout: 500ms}\n", "terminationGracePeriodSeconds: 11 "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := fstest.MapFS{
				"clusters.yaml":       {Data: []byte(inNetwork)},
				"orders/slipway.yaml": {Data: []byte(head + "workload: {image: 'orders:v1', volume: 1GiB}\nenvironments: {prod: {workload: {volume: null}}}\n")},
			}
			if tt.common != "" {
				files["orders/config/common.yaml"] = &fstest.MapFile{Data: []byte(tt.common)}
				files["orders/config/prod.yaml"] = &fstest.MapFile{Data: []byte(tt.prod)}
			}
			// Without its volume prod has a Deployment where the base has a StatefulSet, so
			// that all of it is in the overlay.
			if got := rendered(t, rendertest.Load(t, files), "prod")["orders/overlays/prod/deployment.yaml"]; !strings.Contains(got, tt.want) {
				t.Errorf("the deployment lacks %q:\n%s", tt.want, got)
			}
		})
	}
}

// large is an estate of many services, each with all that the shop's orders has.
func large(t testing.TB, services int) *contract.Estate {
	t.Helper()
	files := fstest.MapFS{"clusters.yaml": {Data: []byte(inNetwork + "platform: {prod: {namespace: shop, mesh: {}}}\n")}}
	for i := range services {
		name := fmt.Sprintf("service-%d", i)
		files[name+"/slipway.yaml"] = &fstest.MapFile{Data: fmt.Appendf(nil, `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: %[1]s, owner: team-%[1]s}
topics: {%[1]s.made.v1: {key: id, partitions: 6}}
produces: {%[1]s.made.v1: {via: outbox}}
consumes: {%[1]s.made.v1: {dedup: {by: "header:ce_id"}, retry: {delays: [1s, 30s], then: park}}}
workload:
  image: registry.example.com/%[1]s:v1
  scale: {min: 2, max: auto}
  http: 8080
  egress: {database: {namespace: databases, pods: {app: postgres}, ports: [5432]}}
environments: {prod: {workload: {memory: 1Gi, scale: {min: 3}}}}
`, name)}
	}
	estate, problems := contract.Load(files, ".")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return estate
}

func TestAThousandServicesAreRendered(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a thousand contracts take a second to read")
	}
	all := rendered(t, large(t, 1000), "prod")
	services := map[string]bool{}
	for name := range all {
		service, _, _ := strings.Cut(name, "/")
		services[service] = true
	}
	if len(services) != 1001 { // with _namespace
		t.Errorf("%d directories for 1000 services: %v", len(services), slices.Sorted(maps.Keys(services))[:3])
	}
}

func BenchmarkRenderAThousandServices(b *testing.B) {
	estate := large(b, 1000)
	for b.Loop() {
		if _, err := kustomize.Target().Files(render.Input{Estate: estate, Environment: "prod"}); err != nil {
			b.Fatal(err)
		}
	}
}
