package kubernetes_test

import (
	"maps"
	"strings"
	"testing"
)

// A wrong is a change that makes an object of a golden tree one to be refused.
type wrong struct {
	kind   string
	change map[string]any // merged into the object
	want   string         // what a refusal names
}

var wrongs = map[string]wrong{
	"unknown field":                      {"Deployment", in("spec", "replica", 2), "spec.replica"},
	"unknown field below":                {"NetworkPolicy", in("spec", "podSelector", "matchLabel", "x"), "spec.podSelector.matchLabel"},
	"wrong type":                         {"Deployment", in("spec", "replicas", "two"), "spec.replicas"},
	"wrong type of many":                 {"ConfigMap", in("data", "number", 1), "data.number"},
	"missing field":                      {"StatefulSet", in("spec", "selector", nil), "spec.selector"},
	"unknown kind":                       {"Deployment", in("kind", "Deploymint"), "Deploymint"},
	"unknown version":                    {"Deployment", in("apiVersion", "apps/v1beta2"), "apps/v1beta2"},
	"unknown field of a custom resource": {"ScaledObject", in("spec", "pollInterval", 2), "spec.pollInterval"},
	"wrong type in a custom resource":    {"Certificate", in("spec", "dnsNames", "one"), "spec.dnsNames"},
	"wrong choice in a custom resource":  {"PeerAuthentication", in("spec", "mtls", "mode", "ALWAYS"), "spec.mtls.mode"},
	"missing field of a custom resource": {"KafkaUser", in("spec", "authentication", "type", nil), "spec.authentication.type"},
}

// in is a change of what is at a path of keys; its last argument is the new value.
func in(path ...any) map[string]any {
	key, value := path[0].(string), path[1]
	if len(path) > 2 {
		value = in(path[1:]...)
	}
	return map[string]any{key: value}
}

func TestAWrongObjectIsFound(t *testing.T) {
	t.Parallel()
	golden := rendered(t)
	for name, tt := range wrongs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := judge(tt.object(t, golden)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("judge() = %v, want it to name %s", err, tt.want)
			}
		})
	}
}

// rendered are the kinds that golden trees have, by version, each with an object.
func rendered(t *testing.T) map[string]map[string]object {
	t.Helper()
	all := map[string]map[string]object{}
	for _, tr := range trees(t) {
		for _, o := range tr.built(t) {
			if all[o.version()] == nil {
				all[o.version()] = map[string]object{}
			}
			all[o.version()][o.kind()] = o
		}
	}
	return all
}

// object is one of those rendered, with the change.
func (w wrong) object(t *testing.T, golden map[string]map[string]object) object {
	t.Helper()
	for _, kinds := range golden {
		if o := kinds[w.kind]; o != nil {
			return merged(o, w.change)
		}
	}
	t.Fatalf("no golden tree has a %s", w.kind)
	return nil
}

// merged is an object with changes merged into a copy of it, as RFC 7396 says.
func merged(o, changes map[string]any) map[string]any {
	all := maps.Clone(o)
	if all == nil {
		all = map[string]any{}
	}
	for key, change := range changes {
		switch c := change.(type) {
		case nil:
			delete(all, key)
		case map[string]any:
			below, _ := all[key].(map[string]any)
			all[key] = merged(below, c)
		default:
			all[key] = c
		}
	}
	return all
}
