package kubernetes_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"k8s.io/kube-openapi/pkg/validation/spec"
	"k8s.io/kube-openapi/pkg/validation/strfmt"
	"k8s.io/kube-openapi/pkg/validation/validate"
)

// parse adds the schemas of the kinds in an OpenAPI document of a version.
func parse(text []byte, version string, all map[string]schema) error {
	var doc struct {
		Components struct{ Schemas map[string]map[string]any }
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return err
	}
	for _, tree := range doc.Components.Schemas {
		kinds, _ := tree["x-kubernetes-group-version-kind"].([]any)
		if len(kinds) != 1 {
			continue // a part of a kind, or of all
		}
		tree, _ = resolve(tree, doc.Components.Schemas).(map[string]any)
		resolved, err := json.Marshal(tree)
		if err != nil {
			return err
		}
		var s spec.Schema
		if err := json.Unmarshal(resolved, &s); err != nil {
			return err
		}
		kind := kinds[0].(map[string]any)["kind"]
		all[fmt.Sprint(version, " ", kind)] = schema{tree, validate.NewSchemaValidator(&s, nil, "", strfmt.Default)}
	}
	return nil
}

// resolve returns a part of a document with what it refers to in place. What stands
// beside a reference, such as a default, holds as well.
func resolve(part any, all map[string]map[string]any) any {
	switch p := part.(type) {
	case map[string]any:
		ref, _ := p["$ref"].(string)
		if of, _ := p["allOf"].([]any); len(of) == 1 { // how a reference has anything beside it
			ref, _ = of[0].(map[string]any)["$ref"].(string)
		}
		resolved := map[string]any{}
		if ref != "" {
			resolved = maps.Clone(resolve(all[path.Base(ref)], all).(map[string]any))
		}
		for key, value := range p {
			switch {
			case ref != "" && (key == "$ref" || key == "allOf"):
			case key == "format" && value == "int-or-string": // a format that is none; its two types stand beside it
			default:
				resolved[key] = resolve(value, all)
			}
		}
		return resolved
	case []any:
		resolved := make([]any, len(p))
		for i, value := range p {
			resolved[i] = resolve(value, all)
		}
		return resolved
	}
	return part
}

// unknown are the paths within a value that its schema does not know.
func unknown(value any, tree map[string]any, at string) []string {
	var all []string
	switch v := value.(type) {
	case map[string]any:
		properties, _ := tree["properties"].(map[string]any)
		others, _ := tree["additionalProperties"].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(v)) {
			below, known := properties[name].(map[string]any)
			switch {
			case known:
				all = append(all, unknown(v[name], below, at+"."+name)...)
			case others != nil:
				all = append(all, unknown(v[name], others, at+"."+name)...)
			case tree["additionalProperties"] != true && tree["x-kubernetes-preserve-unknown-fields"] != true:
				all = append(all, strings.TrimPrefix(at+"."+name, "."))
			}
		}
	case []any:
		items, _ := tree["items"].(map[string]any)
		for i, item := range v {
			all = append(all, unknown(item, items, fmt.Sprintf("%s[%d]", at, i))...)
		}
	}
	return all
}
