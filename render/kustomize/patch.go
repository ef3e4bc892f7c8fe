package kustomize

import (
	"reflect"
	"slices"

	"github.com/slipway-go/slipway/render/manifest"
)

// patch is the strategic merge patch that makes an object of the base the one of an
// environment. It is nil if there is nothing to change. Comments do not count.
func patch(base, env manifest.Map) manifest.Map {
	changes := difference("", base, env)
	if len(changes) == 0 {
		return nil
	}
	return about(env, changes...)
}

// about is a patch for an object, which is known by its kind and name.
func about(o manifest.Map, changes ...manifest.Entry) manifest.Map {
	name := manifest.E("name", o.Get("metadata", "name"))
	m := manifest.Map{manifest.E("apiVersion", o.Get("apiVersion")), manifest.E("kind", o.Get("kind"))}
	if len(changes) > 0 && changes[0].Key == "metadata" {
		meta := append(manifest.Map{name}, changes[0].Value.(manifest.Map)...)
		return append(append(m, manifest.E("metadata", meta)), changes[1:]...)
	}
	return append(append(m, manifest.E("metadata", manifest.Map{name})), changes...)
}

// removal is the patch that takes an object of the base away.
func removal(o manifest.Map) manifest.Map {
	return about(o, manifest.E("$patch", "delete"))
}

// difference is what of a mapping has to be merged into the base's.
func difference(parent string, base, env manifest.Map) manifest.Map {
	var changes manifest.Map
	for _, e := range env {
		if e.Key == "" || e.Value == nil {
			continue
		}
		old := base.Get(e.Key)
		if e.Value = change(parent, e.Key, old, e.Value); e.Value != nil {
			changes = append(changes, e)
		}
	}
	for _, e := range base {
		if e.Key != "" && e.Value != nil && env.Get(e.Key) == nil {
			changes = append(changes, manifest.E(e.Key, manifest.Null{}))
		}
	}
	return changes
}

// change is what has to be written for one value, or nil if it is the same.
func change(parent, key string, old, value any) any {
	if old == nil {
		return value
	}
	switch value := value.(type) {
	case manifest.Map:
		if before, ok := old.(manifest.Map); ok {
			if changes := difference(key, before, value); len(changes) > 0 {
				return changes
			}
			return nil
		}
	case []manifest.Map:
		before, ok := old.([]manifest.Map)
		if by := mergedBy(parent, key); ok && by != "" {
			if changes := items(key, by, before, value); len(changes) > 0 {
				return changes
			}
			return nil
		}
	}
	if reflect.DeepEqual(plain(old), plain(value)) {
		return nil
	}
	return value
}

// mergedBy is the key by which the API merges the items of a list; empty for lists
// that a patch replaces as a whole.
func mergedBy(parent, key string) string {
	switch key {
	case "containers", "env", "volumes", "imagePullSecrets":
		return "name"
	case "volumeMounts":
		return "mountPath"
	case "topologySpreadConstraints":
		return "topologyKey"
	case "ports":
		if parent == "spec" {
			return "port"
		}
		return "containerPort"
	}
	return ""
}

// items is what has to be merged into a list.
func items(list, by string, base, env []manifest.Map) []manifest.Map {
	same := func(m manifest.Map) func(manifest.Map) bool {
		return func(other manifest.Map) bool { return other.Get(by) == m.Get(by) }
	}
	var changes []manifest.Map
	for _, m := range env {
		i := slices.IndexFunc(base, same(m))
		if i < 0 {
			changes = append(changes, m)
			continue
		}
		if d := difference(list, base[i], m); len(d) > 0 {
			changes = append(changes, append(manifest.Map{manifest.E(by, m.Get(by))}, d...))
		}
	}
	for _, m := range base {
		if !slices.ContainsFunc(env, same(m)) {
			changes = append(changes, manifest.Map{manifest.E("$patch", "delete"), manifest.E(by, m.Get(by))})
		}
	}
	return changes
}

// plain is a value without its comments.
func plain(v any) any {
	switch v := v.(type) {
	case manifest.Map:
		m := map[string]any{}
		for _, e := range v {
			if e.Key != "" && e.Value != nil {
				m[e.Key] = plain(e.Value)
			}
		}
		return m
	case []manifest.Map:
		all := make([]any, len(v))
		for i := range v {
			all[i] = plain(v[i])
		}
		return all
	default:
		return v
	}
}
