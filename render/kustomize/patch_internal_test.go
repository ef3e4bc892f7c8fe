package kustomize

import (
	"fmt"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render/manifest"
	"github.com/slipway-go/slipway/render/rendertest"
)

// merged applies a strategic merge patch as kustomize does, by the keys that the API
// merges these lists by.
func merged(parent, key string, base, patch any) any {
	switch patch := patch.(type) {
	case nil:
		return nil
	case map[string]any:
		before, _ := base.(map[string]any)
		out := map[string]any{}
		maps.Copy(out, before)
		for k, v := range patch {
			if m := merged(key, k, before[k], v); m != nil {
				out[k] = m
			} else {
				delete(out, k)
			}
		}
		return out
	case []any:
		by := map[string]string{"containers": "name", "env": "name", "volumes": "name", "imagePullSecrets": "name", "volumeMounts": "mountPath", "ports": "containerPort"}[key]
		if key == "ports" && parent == "spec" {
			by = "port"
		}
		if by == "" {
			return patch
		}
		return mergedItems(key, by, base, patch)
	}
	return patch
}

func mergedItems(key, by string, base any, patch []any) any {
	byKey := map[string]any{}
	before, _ := base.([]any)
	for _, item := range before {
		byKey[fmt.Sprint(item.(map[string]any)[by])] = item
	}
	for _, item := range patch {
		m := item.(map[string]any)
		name := fmt.Sprint(m[by])
		if m["$patch"] == "delete" {
			delete(byKey, name)
			continue
		}
		byKey[name] = merged("", key, byKey[name], m)
	}
	return byKey
}

// keyed is a value whose merged lists are mappings by their key: their order is of no
// meaning.
func keyed(parent, key string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = keyed(key, k, v[k])
		}
	case []any:
		if by := mergedBy(parent, key); by != "" && key != "topologySpreadConstraints" {
			out := map[string]any{}
			for _, item := range v {
				out[fmt.Sprint(item.(map[string]any)[by])] = keyed("", key, item)
			}
			return out
		}
	}
	return v
}

// decoded is an object as it is read from its file.
func decoded(t interface{ Fatal(...any) }, m manifest.Map) any {
	var out map[string]any
	if err := yaml.Unmarshal(manifest.YAML("", m), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// requireOverlays checks that base and patch together are what is derived for the
// environment alone.
func requireOverlays(t interface {
	Fatal(...any)
	Errorf(string, ...any)
}, estate *contract.Estate,
) {
	for env := range estate.Clusters.Environments {
		r, problems := estate.In(env)
		if err := problems.Err(); err != nil {
			t.Fatal(err)
		}
		scales := manifest.Scales(r)
		for i, svc := range r.Services {
			written := &site{svc: estate.Services[i]}
			base := written.objects()
			s := &site{svc: svc, env: &environment{Resolved: r, platform: r.Clusters.Platform(env), scale: scales[svc.Name], named: written.named()}}
			if svc.Workload != nil {
				requireMounted(t, s)
			}
			for _, o := range s.objects() {
				known := base.find(o)
				if known == nil {
					continue
				}
				got := keyed("", "", decoded(t, known.body))
				if p := patch(known.body, o.body); p != nil {
					got = keyed("", "", merged("", "", decoded(t, known.body), decoded(t, p)))
				}
				if diff := cmp.Diff(keyed("", "", decoded(t, o.body)), got); diff != "" {
					t.Errorf("%s of %s in %s (-derived +built):\n%s", o.kind(), svc.Name, env, diff)
				}
			}
		}
	}
}

func TestBaseAndOverlayAreWhatIsDerivedForTheEnvironment(t *testing.T) {
	t.Parallel()
	for _, name := range rendertest.Estates() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireOverlays(t, rendertest.Estate(t, name))
		})
	}
}
