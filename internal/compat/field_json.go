package compat

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/jsonvalue"
)

func jsonFields(source schema.Source) ([]Field, error) {
	if _, err := jsonvalue.Unreadable(source, source); err != nil {
		return nil, err
	}
	root, err := decodeJSON(source.Schema)
	if err != nil {
		return nil, err
	}
	l := jsonLister{root: root, open: map[string]bool{}}
	l.object(root, "", 0)
	return l.fields, nil
}

func decodeJSON(text string) (any, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("parse json schema: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("parse json schema: something follows the schema")
	}
	return v, nil
}

// maxJSONDepth ends the walk of a schema that contains itself without a name.
const maxJSONDepth = 30

// A jsonLister walks a JSON Schema. What is combined by allOf, anyOf and their
// kin is shown as text.
type jsonLister struct {
	root   any
	open   map[string]bool // references around the place
	fields []Field
}

// follow goes where a reference within the document leads.
func (l *jsonLister) follow(s any) (at map[string]any, ref string) {
	for range maxJSONDepth {
		m, _ := s.(map[string]any)
		to, ok := m["$ref"].(string)
		if !ok || !strings.HasPrefix(to, "#") {
			return m, ref
		}
		ref, s = to, l.root
		for step := range strings.SplitSeq(strings.Trim(strings.TrimPrefix(to, "#"), "/"), "/") {
			if step == "" {
				continue
			}
			inner, _ := s.(map[string]any)
			s = inner[strings.NewReplacer("~1", "/", "~0", "~").Replace(step)]
		}
	}
	return nil, ref
}

func (l *jsonLister) object(s any, path string, depth int) {
	m, ref := l.follow(s)
	if depth > maxJSONDepth || ref != "" && l.open[ref] {
		return
	}
	if ref != "" {
		l.open[ref] = true
		defer delete(l.open, ref)
	}
	properties, _ := m["properties"].(map[string]any)
	required, _ := m["required"].([]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		at := join(path, name)
		l.fields = append(l.fields, l.field(properties[name], at, slices.Contains(required, any(name))))
		l.object(properties[name], at, depth+1)
	}
	if items, ok := m["items"]; ok {
		l.object(items, path+"[]", depth+1)
	}
	if others, ok := m["additionalProperties"].(map[string]any); ok {
		l.object(others, path+"{}", depth+1)
	}
}

// structural are the keywords that have a place of their own in a [Field].
var structural = []string{"type", "title", "description", "default", "properties", "items", "additionalProperties", "$comment", "examples", "$defs", "definitions", "$schema", "$id"}

func (l *jsonLister) field(s any, path string, required bool) Field {
	m, _ := l.follow(s)
	f := Field{Path: path, Type: l.spell(s)}
	if required {
		f.Type = "required " + f.Type
	}
	f.Doc, _ = m["description"].(string)
	if v, ok := m["default"]; ok {
		f.Default = encodeJSON(v)
	}
	rules := maps.Clone(m)
	maps.DeleteFunc(rules, func(keyword string, _ any) bool { return slices.Contains(structural, keyword) })
	if len(rules) > 0 {
		f.Rules = encodeJSON(rules)
	}
	f.floating = slices.Contains(strings.Fields(f.Type), "number")
	return f
}

func (l *jsonLister) spell(s any) string {
	m, _ := l.follow(s)
	var words []string
	switch t := m["type"].(type) {
	case string:
		words = []string{t}
	case []any:
		for _, one := range t {
			words = append(words, fmt.Sprint(one))
		}
	}
	for i, w := range words {
		if items, ok := m["items"]; ok && w == "array" {
			if inner, _ := l.follow(items); inner["type"] != nil && inner["type"] != "array" {
				words[i] = "array of " + l.spell(items)
			}
		}
	}
	if len(words) == 0 {
		return "anything"
	}
	return strings.Join(words, " or ")
}

// encodeJSON is a value as JSON with the keys of objects in order.
func encodeJSON(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSpace(b.String())
}
