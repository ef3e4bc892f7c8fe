package kustomize_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/monitoring"
	"github.com/slipway-go/slipway/render/rendertest"
)

// parsed is a rendered file, empty if there is none.
func parsed(t *testing.T, all map[string]string, path string) rendertest.Object {
	t.Helper()
	o := rendertest.Object{Path: path}
	if err := yaml.Unmarshal([]byte(all[path]), &o.Body); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return o
}

// podLabels are those of the pods of a service in an environment: of the base, with what
// the overlay makes of it.
func podLabels(t *testing.T, all map[string]string, service, env string) map[string]any {
	t.Helper()
	found := map[string]any{}
	for _, dir := range []string{"/base/", "/overlays/" + env + "/", "/overlays/" + env + "/patch-"} {
		for _, file := range []string{"deployment.yaml", "statefulset.yaml"} {
			labels, _ := parsed(t, all, service+dir+file).At("spec", "template", "metadata", "labels").(map[string]any)
			maps.Copy(found, labels)
		}
	}
	return found
}

var (
	unknown  = regexp.MustCompile(`[^a-zA-Z0-9_]`)
	selected = regexp.MustCompile(`[{,](service|environment)=\\?"([^"\\]*)`)
)

// scraped are the labels that the relabelings of a PodMonitor give to series of a pod, as
// Prometheus goes about it.
func scraped(monitor rendertest.Object, pod map[string]any) map[string]string {
	meta := map[string]string{}
	for name, value := range pod {
		meta["__meta_kubernetes_pod_label_"+unknown.ReplaceAllString(name, "_")] = fmt.Sprint(value)
	}
	series := map[string]string{}
	rules, _ := monitor.At("spec", "podMetricsEndpoints", 0, "relabelings").([]any)
	for _, rule := range rules {
		r := rule.(map[string]any)
		if from := r["sourceLabels"].([]any); len(from) == 1 && r["action"] == "replace" && meta[fmt.Sprint(from[0])] != "" {
			series[fmt.Sprint(r["targetLabel"])] = meta[fmt.Sprint(from[0])]
		}
	}
	return series
}

// watching is what there is to watch services by in an environment.
func watching(t *testing.T, estate *contract.Estate, env string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, target := range []render.Target{monitoring.Prometheus(), monitoring.Grafana()} {
		files, err := target.Files(render.Input{Estate: estate, Environment: env})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			all[f.Path] = string(f.Content)
		}
	}
	return all
}

// A PodMonitor that says otherwise than the rules whose a series is leaves every alert
// silent but the one that the service is gone, which never ends. An environment's
// namespace may have another name than the environment.
func TestRulesAndDashboardsFindWhatAPodMonitorScrapes(t *testing.T) {
	t.Parallel()
	for name, env := range map[string]string{"shop": "dev", "everything": "prod", "hostile": "no"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			estate := rendertest.Estate(t, name)
			r, problems := estate.In(env)
			if err := problems.Err(); err != nil {
				t.Fatal(err)
			}
			all, watch := rendered(t, estate, env), watching(t, estate, env)
			if r.Clusters.Platform(env).Namespace == env {
				t.Fatalf("%s has a namespace that is called as the environment", name)
			}
			for _, svc := range r.Services {
				if svc.Workload == nil {
					continue
				}
				monitor := parsed(t, all, svc.Name+"/components/podmonitor/podmonitor.yaml")
				got := scraped(monitor, podLabels(t, all, svc.Name, env))
				for _, path := range []string{"rules/" + svc.Name + ".rules.yaml", "dashboards/" + svc.Name + ".json"} {
					matchers := selected.FindAllStringSubmatch(watch[path], -1)
					want := map[string]string{}
					for _, m := range matchers {
						want[m[1]] = m[2]
					}
					if diff := cmp.Diff(want, got); len(want) != 2 || diff != "" {
						t.Errorf("%s (-selects by +series have):\n%s", path, diff)
					}
					if i := slices.IndexFunc(matchers, func(m []string) bool { return m[2] != got[m[1]] }); i >= 0 {
						t.Errorf("%s selects by %s", path, matchers[i][0])
					}
				}
			}
		})
	}
}
