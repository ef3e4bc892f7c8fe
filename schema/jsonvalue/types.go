package jsonvalue

import (
	"encoding"
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

var (
	numberType      = reflect.TypeFor[json.Number]()
	jsonMarshaler   = reflect.TypeFor[json.Marshaler]()
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textMarshaler   = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// opaque reports whether a type decides by itself what JSON it is.
func opaque(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(jsonMarshaler) && p.Implements(jsonUnmarshaler)
}

// isText reports whether a type is a JSON string in both directions.
func isText(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	out, in := p.Implements(textMarshaler), p.Implements(textUnmarshaler)
	if out || in {
		return out && in
	}
	return t.Kind() == reflect.String && t != numberType
}

func isAny(t reflect.Type) bool { return t.Kind() == reflect.Interface && t.NumMethod() == 0 }

// resolve follows references.
func resolve(s *jsonschema.Schema) *jsonschema.Schema {
	for range maxDepth {
		if s.Ref == nil || len(types(s)) > 0 {
			return s
		}
		s = s.Ref
	}
	return s
}

// combined reports whether a schema has no one structure to compare: it
// combines others, or accepts anything.
func combined(s *jsonschema.Schema) bool {
	return len(s.AllOf)+len(s.AnyOf)+len(s.OneOf) > 0 || s.Not != nil || s.If != nil || s.Ref != nil ||
		s.Enum != nil && s.Types == nil || s.Const != nil && s.Types == nil ||
		s.Bool != nil || s.DynamicRef != nil || s.RecursiveRef != nil
}

// types are the JSON types that a schema names.
func types(s *jsonschema.Schema) []string {
	if s.Types == nil {
		return nil
	}
	return s.Types.ToStrings()
}

func nullable(s *jsonschema.Schema) bool {
	return slices.Contains(types(s), "null") || len(types(s)) == 0
}

// items is the schema of an array's elements, nil if there is none.
func items(s *jsonschema.Schema) *jsonschema.Schema {
	if s.Items2020 != nil {
		return s.Items2020
	}
	one, _ := s.Items.(*jsonschema.Schema)
	return one
}

// others is the schema of properties without a name, nil if there is none.
func others(s *jsonschema.Schema) *jsonschema.Schema {
	one, _ := s.AdditionalProperties.(*jsonschema.Schema)
	return one
}

// describe names a schema in a message.
func describe(s *jsonschema.Schema) string {
	if len(types(s)) == 0 {
		return "of no type"
	}
	return strings.Join(types(s), " or ")
}

// wanted is the Go type to tell a user for a schema.
func wanted(s *jsonschema.Schema) string {
	s = resolve(s)
	kinds := slices.DeleteFunc(types(s), func(k string) bool { return k == "null" })
	if combined(s) || len(kinds) != 1 {
		return "any"
	}
	want := map[string]string{"string": "string", "integer": "int64", "number": "float64", "boolean": "bool"}[kinds[0]]
	switch {
	case kinds[0] == "array":
		return "[]" + elementWanted(items(s))
	case kinds[0] == "object" && len(s.Properties) == 0:
		return "map[string]" + elementWanted(others(s))
	case kinds[0] == "object":
		want = "a struct"
	}
	if !slices.Contains(types(s), "null") {
		return want
	}
	if want == "a struct" {
		return "a pointer to a struct"
	}
	return "*" + want
}

func elementWanted(s *jsonschema.Schema) string {
	if s == nil {
		return "any"
	}
	return wanted(s)
}
