package kubernetes_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// unsaid are the paths within items of lists that the API server fills with defaults.
func unsaid(value any, tree map[string]any, at string, listed bool) []string {
	var all []string
	switch v := value.(type) {
	case map[string]any:
		properties, _ := tree["properties"].(map[string]any)
		others, _ := tree["additionalProperties"].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(properties)) {
			below, _ := properties[name].(map[string]any)
			if _, said := v[name]; !said && listed && below["default"] != nil {
				all = append(all, strings.TrimPrefix(at+"."+name, "."))
			}
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			below, known := properties[name].(map[string]any)
			if !known {
				below = others
			}
			all = append(all, unsaid(v[name], below, at+"."+name, listed)...)
		}
	case []any:
		items, _ := tree["items"].(map[string]any)
		for i, item := range v {
			all = append(all, unsaid(item, items, fmt.Sprintf("%s[%d]", at, i), true)...)
		}
	}
	return all
}

// defaulted are those of a custom resource. What Kubernetes itself has Argo CD knows the
// defaults of.
func defaulted(t *testing.T, o object) []string {
	t.Helper()
	all, err := known()
	if err != nil {
		t.Fatal(err)
	}
	group, _, _ := strings.Cut(o.version(), "/")
	if !strings.Contains(group, ".") || strings.HasSuffix(group, "k8s.io") {
		return nil
	}
	return unsaid(map[string]any(o), all[o.version()+" "+o.kind()].tree, "", false)
}

// A list of a custom resource is applied and compared as one value, so what the API
// server adds to an item of it is a difference that never ends for who compares.
func TestNoItemOfAListIsLeftToTheServersDefaults(t *testing.T) {
	t.Parallel()
	for _, tr := range trees(t) {
		for _, o := range tr.built(t) {
			for _, path := range defaulted(t, o) {
				t.Errorf("%s: %s: the API server adds %s", tr, o, path)
			}
		}
	}
}

func TestWhatAServerAddsToAListIsFound(t *testing.T) {
	t.Parallel()
	for _, tr := range trees(t) {
		for _, o := range tr.built(t) {
			if o.kind() != "PodMonitor" {
				continue
			}
			o = maps.Clone(o)
			o["spec"] = map[string]any{"podMetricsEndpoints": []any{map[string]any{"relabelings": []any{map[string]any{"targetLabel": "service"}}}}}
			if got, want := defaulted(t, o), []string{"spec.podMetricsEndpoints[0].relabelings[0].action"}; !slices.Equal(got, want) {
				t.Errorf("the API server adds %v, want %v", got, want)
			}
			return
		}
	}
	t.Error("no golden tree has a PodMonitor")
}
