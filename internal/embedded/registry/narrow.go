package registry

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
)

// narrowed returns why the reader's JSON Schema refuses a value that the
// writer's accepts. It decides the keywords below and treats every difference
// in another one as a refusal: deciding all of JSON Schema is not possible,
// and a wrong "compatible" would be found in production.
//
// A schema without additionalProperties is open: old values may hold a
// property of any name and type, so giving a property a schema narrows it.
// That is how Confluent's registry and Apicurio see it too.
func narrowed(writer, reader any) []string {
	if canonical(writer) == canonical(reader) {
		return nil
	}
	w, wok := writer.(map[string]any)
	r, rok := reader.(map[string]any)
	for _, keyword := range []string{"$defs", "definitions", "$schema", "$id"} {
		if wok && rok && !same(w[keyword], r[keyword]) {
			return []string{fmt.Sprintf("at /: %s differs, which is not checked further", keyword)}
		}
	}
	n := narrowing{}
	n.check(writer, reader, "")
	return n.reasons
}

// annotations say nothing about which values are valid.
var annotations = []string{
	"title", "description", "$comment", "examples", "default", "deprecated", "readOnly", "writeOnly",
	"$schema", "$id", "$defs", "definitions",
}

// bounds are the keywords that a reader may only loosen; 1 where a greater
// number is looser.
var bounds = map[string]int{
	"maximum": 1, "exclusiveMaximum": 1, "maxLength": 1, "maxItems": 1, "maxProperties": 1,
	"minimum": -1, "exclusiveMinimum": -1, "minLength": -1, "minItems": -1, "minProperties": -1,
}

// droppable are the keywords that a reader must have like the writer or not at
// all.
var droppable = []string{"const", "format", "multipleOf", "pattern", "uniqueItems"}

type narrowing struct{ reasons []string }

func (n *narrowing) refuse(path, format string, args ...any) {
	if path == "" {
		path = "/"
	}
	n.reasons = append(n.reasons, "at "+path+": "+fmt.Sprintf(format, args...))
}

// check compares one schema of the writer with the reader's at the same place.
func (n *narrowing) check(writer, reader any, path string) {
	if accepts(reader) || same(writer, reader) && !refersElsewhere(reader) {
		return
	}
	w, wok := object(writer)
	r, rok := object(reader)
	if !wok || !rok {
		n.refuse(path, "what was accepted is refused")
		return
	}
	if keyword, ok := n.unknown(w, r); ok {
		n.refuse(path, "keyword %s is not checked, so the schemas must be equal here", keyword)
		return
	}
	n.types(w, r, path)
	n.enum(w, r, path)
	n.bounds(w, r, path)
	n.required(w, r, path)
	n.properties(w, r, path)
	if items, ok := r["items"]; ok {
		n.check(child(w, "items"), items, path+"/items")
	}
}

// unknown finds a keyword whose meaning is not decided here.
func (n *narrowing) unknown(schemas ...map[string]any) (string, bool) {
	known := slices.Concat(annotations, droppable, slices.Collect(maps.Keys(bounds)),
		[]string{"type", "enum", "required", "properties", "additionalProperties", "items"})
	for _, s := range schemas {
		for _, keyword := range slices.Sorted(maps.Keys(s)) {
			if !slices.Contains(known, keyword) {
				return keyword, true
			}
		}
	}
	return "", false
}

func (n *narrowing) types(w, r map[string]any, path string) {
	if _, ok := r["type"]; !ok {
		return
	}
	allowed := list(r["type"])
	written := list(w["type"])
	if len(written) == 0 {
		n.refuse(path, "any type was accepted, now %v", allowed)
	}
	for _, t := range written {
		if !slices.Contains(allowed, t) && !(t == "integer" && slices.Contains(allowed, any("number"))) {
			n.refuse(path, "type %v was accepted, now %v", t, allowed)
		}
	}
}

func (n *narrowing) enum(w, r map[string]any, path string) {
	allowed, ok := r["enum"].([]any)
	if !ok {
		return
	}
	written, ok := w["enum"].([]any)
	if !ok {
		n.refuse(path, "any value was accepted, now an enum")
		return
	}
	for _, v := range written {
		if !slices.ContainsFunc(allowed, func(a any) bool { return same(a, v) }) {
			n.refuse(path, "%s was accepted and is no longer in the enum", canonical(v))
		}
	}
}

func (n *narrowing) bounds(w, r map[string]any, path string) {
	for _, keyword := range slices.Sorted(maps.Keys(bounds)) {
		if _, ok := r[keyword]; !ok || same(r[keyword], w[keyword]) {
			continue
		}
		limit, ok := number(r[keyword])
		was, wok := number(w[keyword])
		if !ok || !wok || limit.Cmp(was)*bounds[keyword] < 0 {
			n.refuse(path, "%s is new or stricter", keyword)
		}
	}
	for _, keyword := range droppable {
		if v, ok := r[keyword]; ok && !same(v, w[keyword]) {
			n.refuse(path, "%s is new or different", keyword)
		}
	}
}

func (n *narrowing) required(w, r map[string]any, path string) {
	for _, name := range list(r["required"]) {
		if !slices.Contains(list(w["required"]), name) {
			n.refuse(path, "property %v is now required", name)
		}
	}
}

// properties compares each name that either side gives a schema, then all
// other names.
func (n *narrowing) properties(w, r map[string]any, path string) {
	wp, _ := w["properties"].(map[string]any)
	rp, _ := r["properties"].(map[string]any)
	names := maps.Clone(wp)
	if names == nil {
		names = make(map[string]any)
	}
	maps.Copy(names, rp)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		ws, ok := wp[name]
		if !ok {
			ws = child(w, "additionalProperties")
		}
		rs, ok := rp[name]
		if !ok {
			rs = child(r, "additionalProperties")
		}
		if ws == false { // no old value has it
			continue
		}
		if _, known := wp[name]; !known && ws == true && !accepts(rs) {
			n.refuse(path+"/properties/"+name, "values may already hold this property with any type, because the schema is open (no additionalProperties: false)")
			continue
		}
		n.check(ws, rs, path+"/properties/"+name)
	}
	if ws := child(w, "additionalProperties"); ws != false {
		n.check(ws, child(r, "additionalProperties"), path+"/additionalProperties")
	}
}

// child is a schema under a keyword; absent, it accepts everything.
func child(s map[string]any, keyword string) any {
	if v, ok := s[keyword]; ok {
		return v
	}
	return true
}

// accepts reports whether a schema accepts everything.
func accepts(s any) bool {
	m, ok := s.(map[string]any)
	return s == true || ok && len(m) == 0
}

// object returns a schema's keywords; true has none.
func object(s any) (map[string]any, bool) {
	if s == true {
		return nil, true
	}
	m, ok := s.(map[string]any)
	return m, ok
}

// refersElsewhere reports whether a schema holds a reference to a place whose
// schemas may differ: equal text is equal meaning only for references into
// definitions, which are equal as a whole.
func refersElsewhere(s any) bool {
	switch v := s.(type) {
	case []any:
		return slices.ContainsFunc(v, refersElsewhere)
	case map[string]any:
		for keyword, inner := range v {
			if keyword == "$dynamicRef" || keyword == "$recursiveRef" || keyword == "$ref" && !intoDefinitions(inner) {
				return true
			}
			if refersElsewhere(inner) {
				return true
			}
		}
	}
	return false
}

func intoDefinitions(ref any) bool {
	s, _ := ref.(string)
	for _, prefix := range []string{"#/$defs/", "#/definitions/"} {
		if len(s) > len(prefix) && s[:len(prefix)] == prefix {
			return true
		}
	}
	return false
}

// list returns the values of a keyword that may be one or several.
func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

func number(v any) (*big.Rat, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return nil, false
	}
	return new(big.Rat).SetString(n.String())
}

func same(a, b any) bool { return canonical(a) == canonical(b) }
