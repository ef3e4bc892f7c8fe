package contract

import (
	"encoding/json"
	"maps"
	"strconv"
)

// JSONSchema returns the JSON Schema (draft 2020-12) of slipway.yaml,
// clusters.yaml, external.yaml and estate.yaml, told apart by kind. Editors complete and
// check with it. It is made from the same tables that read the files: what it
// refuses [Parse] refuses too, and Parse also judges what a schema cannot say.
func JSONSchema() []byte {
	formats := documents()
	kinds := make([]any, len(formats))
	branches := make([]any, len(formats))
	defs := map[string]any{}
	for i, d := range formats {
		kinds[i] = d.kind
		defs[d.kind] = d.shape.jsonSchema(false)
		branches[i] = map[string]any{
			"if":   map[string]any{"properties": map[string]any{"kind": map[string]any{"const": d.kind}}, "required": []any{"kind"}},
			"then": map[string]any{"$ref": "#/$defs/" + d.kind},
		}
	}
	schema := map[string]any{
		"$schema":    "https://json-schema.org/draft/2020-12/schema",
		"$id":        "https://" + APIVersion + "/schema.json",
		"title":      "Slipway contract",
		"type":       "object",
		"required":   []any{"apiVersion", "kind"},
		"properties": map[string]any{"apiVersion": map[string]any{"const": APIVersion}, "kind": map[string]any{"enum": kinds}},
		"allOf":      branches,
		"$defs":      defs,
	}
	text, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		panic("contract: the JSON Schema cannot be written: " + err.Error())
	}
	return append(text, '\n')
}

// jsonSchema describes a shape; patch describes what may be laid over it,
// where nothing is required and null takes a key back to its default.
func (s *shape) jsonSchema(patch bool) map[string]any {
	switch {
	case s.keys != nil:
		return s.jsonObject(patch)
	case s.names != nil:
		item := s.item.jsonSchema(patch || s.patch)
		if patch && s.free {
			item = map[string]any{"anyOf": []any{item, map[string]any{"type": "null"}}}
		}
		return map[string]any{
			"type":                 "object",
			"propertyNames":        map[string]any{"pattern": s.names.pattern, "maxLength": s.names.most},
			"additionalProperties": item,
		}
	case s.item != nil:
		list := map[string]any{"type": "array", "items": s.item.jsonSchema(patch)}
		if s.unique {
			list["uniqueItems"] = true
		}
		return list
	default:
		return maps.Clone(s.schema)
	}
}

func (s *shape) jsonObject(patch bool) map[string]any {
	properties := map[string]any{}
	needed := []any{}
	for _, k := range s.keys {
		if patch && k.fixed {
			continue
		}
		property := k.shape.jsonSchema(patch)
		if patch {
			property = map[string]any{"anyOf": []any{property, map[string]any{"type": "null"}}}
		}
		property["description"] = k.doc
		if k.def != nil && !patch {
			property["default"] = k.defaultValue()
		}
		properties[k.name] = property
		if k.required && !patch {
			needed = append(needed, k.name)
		}
	}
	object := map[string]any{"type": "object", "properties": properties, "additionalProperties": false, "required": needed}
	if s.short == "" || patch {
		return object
	}
	return map[string]any{"anyOf": []any{s.shorthand(), object}}
}

// shorthand describes the value that may stand for the mapping of one key.
func (s *shape) shorthand() map[string]any {
	for _, k := range s.keys {
		if k.name == s.short {
			return k.shape.jsonSchema(false)
		}
	}
	panic("contract: a bare value stands for " + s.short + ", which is not a key")
}

// defaultValue is the default as JSON has it.
func (k *key) defaultValue() any {
	values := make([]any, len(k.def))
	for i, text := range k.def {
		switch n := (&node{text: text}); n.scalar() {
		case integerScalar:
			values[i], _ = strconv.Atoi(text)
		case boolScalar:
			values[i] = text == "true"
		default:
			values[i] = text
		}
	}
	if k.shape.item != nil {
		return values
	}
	return values[0]
}
