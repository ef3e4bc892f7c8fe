package avro

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/avro"

	"github.com/slipway-go/slipway/schema"
)

// parse reads a schema with the named types that it builds on.
func parse(source schema.Source) (*avro.Schema, error) {
	text, err := inline(source)
	if err != nil {
		return nil, fmt.Errorf("parse avro schema: %w", err)
	}
	s, err := avro.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("parse avro schema: %w", err)
	}
	return s, nil
}

// inline puts the definition of each imported type in the place where it is
// first used, which is what a parser of one text wants.
func inline(source schema.Source) (string, error) {
	if len(source.Imports) == 0 {
		return source.Schema, nil
	}
	var root any
	if err := unmarshal(source.Schema, &root); err != nil {
		return "", err
	}
	in := inliner{texts: make(map[string]string), done: make(map[string]bool)}
	for _, i := range source.Imports {
		in.texts[i.Name] = i.Schema
	}
	root, err := in.walk(root, "", 0)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(root)
	return string(text), err
}

// maxInline bounds the nesting of a schema that is put together.
const maxInline = 200

var errInline = errors.New("schema is nested deeper than 200")

type inliner struct {
	texts map[string]string // of imports, by full name
	done  map[string]bool   // what is defined by now
}

// walk replaces the names of imported types. It goes where types are: into
// unions, fields, items and values, not into defaults and documentation.
func (in *inliner) walk(node any, namespace string, depth int) (any, error) {
	if depth > maxInline {
		return nil, errInline
	}
	var err error
	switch n := node.(type) {
	case string:
		return in.name(n, namespace, depth)
	case []any:
		for i := range n {
			if n[i], err = in.walk(n[i], namespace, depth+1); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		namespace = in.define(n, namespace)
		for _, key := range []string{"type", "items", "values"} {
			if inner, ok := n[key]; ok {
				if n[key], err = in.walk(inner, namespace, depth+1); err != nil {
					return nil, err
				}
			}
		}
		fields, _ := n["fields"].([]any)
		for i := range fields {
			if fields[i], err = in.walk(fields[i], namespace, depth+1); err != nil {
				return nil, err
			}
		}
	}
	return node, nil
}

// define notes what a type is called, and returns the namespace inside of it.
func (in *inliner) define(n map[string]any, namespace string) string {
	kind, _ := n["type"].(string)
	if !slices.Contains([]string{"record", "error", "enum", "fixed"}, kind) {
		return namespace
	}
	name, _ := n["name"].(string)
	if own, ok := n["namespace"].(string); ok {
		namespace = own
	}
	full := qualified(name, namespace)
	in.done[full] = true
	return spaceOf(full)
}

// name returns the definition of an imported type where its name comes first.
func (in *inliner) name(name, namespace string, depth int) (any, error) {
	if _, own := kinds[name]; own {
		return name, nil
	}
	full := qualified(name, namespace)
	text, imported := in.texts[full]
	if !imported || in.done[full] {
		return name, nil
	}
	in.done[full] = true
	var node any
	if err := unmarshal(text, &node); err != nil {
		return nil, fmt.Errorf("%s: %w", full, err)
	}
	if object, ok := node.(map[string]any); ok && spaceOf(full) != "" {
		if object["namespace"] == nil {
			object["namespace"] = spaceOf(full) // and not the one around
		}
	}
	return in.walk(node, "", depth+1)
}

func unmarshal(text string, v any) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber() // a default may be a long
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	return nil
}

// qualified is a name with its namespace, unless it brings one.
func qualified(name, namespace string) string {
	if namespace == "" || spaceOf(name) != "" {
		return name
	}
	return namespace + "." + name
}

// spaceOf is the namespace of a full name.
func spaceOf(full string) string {
	return full[:max(strings.LastIndexByte(full, '.'), 0)]
}
