package jsonvalue

import (
	"maps"
	"math/big"
	"reflect"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/slipway-go/slipway/diag"
)

// pair is a schema met with a Go type: checked once, which also ends the walk
// of a recursive type.
type pair struct {
	schema *jsonschema.Schema
	goes   reflect.Type
}

// walker checks a schema tree against a Go type.
type walker struct {
	faults diag.List
	seen   map[pair]bool
}

// bind checks a whole schema against the type of its values.
func (w *walker) bind(s *jsonschema.Schema, t reflect.Type) {
	s = resolve(s)
	switch {
	case !slices.Equal(types(s), []string{"object"}):
		w.fault("the schema's root is %s, want type object: an event has named fields", describe(s))
	case combined(s):
		w.fault("the schema's root combines others, want one object with properties: an event has named fields")
	case t.Kind() != reflect.Struct:
		w.fault("the schema's object is bound to %s, want a struct", t)
	default:
		w.object(s, t, "")
	}
}

func (w *walker) fault(format string, args ...any) {
	w.faults.Add(diag.New(diag.SchemaTypeMismatch, format, args...))
}

// object checks that properties and Go fields are the same set and that each
// pair fits.
func (w *walker) object(s *jsonschema.Schema, t reflect.Type, path string) {
	if w.seen[pair{s, t}] {
		return
	}
	w.seen[pair{s, t}] = true

	fields := make(map[string]field)
	for _, f := range fieldsOf(t) {
		if other, twice := fields[f.name]; twice {
			w.fault("Go fields %s and %s of %s both stand for property %s: tag one of them `json:\"-\"`", other.path, f.path, t, path+f.name)
		}
		fields[f.name] = f
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		f, ok := fields[name]
		if !ok {
			w.fault("property %s has no field in %s: add one of type %s tagged `json:%q`", path+name, t, wanted(s.Properties[name]), name)
			continue
		}
		w.field(s, f, path)
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if _, ok := s.Properties[name]; !ok {
			w.fault("Go field %s.%s is written as property %s, which the schema does not have: add the property to the schema, or tag the field `json:\"-\"`", t, fields[name].path, path+name)
		}
	}
}

// field checks one property and how its Go field is written.
func (w *walker) field(s *jsonschema.Schema, f field, path string) {
	property := resolve(s.Properties[f.name])
	required := slices.Contains(s.Required, f.name)
	path += f.name
	switch {
	case f.quoted:
		w.fault("Go field %s has the option \"string\", which writes property %s as text: remove it", f.path, path)
		return
	case required && f.omits:
		w.fault("property %s is required and Go field %s may be left out: remove omitempty and omitzero", path, f.path)
	case f.goType.Kind() == reflect.Pointer && !f.omits && !nullable(property):
		w.fault("Go field %s writes null when it is nil, which property %s does not allow: %s", f.path, path, withoutNull(required, f))
	}
	w.value(property, f.goType, path)
}

func withoutNull(required bool, f field) string {
	if required {
		return "use " + f.goType.Elem().String()
	}
	return "add omitempty to its tag"
}

// value checks one schema against the Go type that is to hold it.
func (w *walker) value(s *jsonschema.Schema, t reflect.Type, path string) {
	s = resolve(s)
	if combined(s) || isAny(t) || opaque(t) && !isText(t) {
		return
	}
	if nullable(s) && t.Kind() != reflect.Pointer && t.Kind() != reflect.Slice && t.Kind() != reflect.Map {
		w.fault("property %s may be null and the Go type is %s: want a pointer to it", path, t)
		return
	}
	t = deref(t)
	kinds := slices.DeleteFunc(types(s), func(k string) bool { return k == "null" })
	if len(kinds) != 1 || !holds(kinds[0], s, t) {
		w.fault("property %s is %s and the Go type is %s: want %s", path, describe(s), t, wanted(s))
		return
	}
	switch {
	case kinds[0] == "array":
		w.elements(items(s), t, path+"[]")
	case kinds[0] == "object" && t.Kind() == reflect.Map:
		w.elements(others(s), t, path+"{}")
	case kinds[0] == "object":
		w.object(s, t, path+".")
	}
}

func (w *walker) elements(s *jsonschema.Schema, t reflect.Type, path string) {
	if s != nil {
		w.value(s, t.Elem(), path)
	}
}

// holds reports whether a Go type can hold every value of one JSON type under
// a schema, and the schema every value of the type as far as structure goes.
func holds(kind string, s *jsonschema.Schema, t reflect.Type) bool {
	switch kind {
	case "string":
		return isText(t)
	case "boolean":
		return t.Kind() == reflect.Bool
	case "number":
		return t.Kind() == reflect.Float64 || t == numberType
	case "integer":
		return t == numberType || holdsInteger(s, t)
	case "array":
		return t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8
	case "object":
		if len(s.Properties) == 0 {
			return t.Kind() == reflect.Map && t.Key().Kind() == reflect.String
		}
		return t.Kind() == reflect.Struct && !opaque(t)
	}
	return false
}

// holdsInteger accepts the 64-bit signed types, and narrower or unsigned ones
// that the schema's bounds fit into.
func holdsInteger(s *jsonschema.Schema, t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if t.Bits() == 64 {
			return true
		}
		limit := new(big.Int).Lsh(big.NewInt(1), uint(t.Bits()-1))
		return within(s, new(big.Int).Neg(limit), new(big.Int).Sub(limit, big.NewInt(1)))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		limit := new(big.Int).Lsh(big.NewInt(1), uint(t.Bits()))
		return within(s, new(big.Int), limit.Sub(limit, big.NewInt(1)))
	}
	return false
}

func within(s *jsonschema.Schema, low, high *big.Int) bool {
	return s.Minimum != nil && s.Minimum.Cmp(new(big.Rat).SetInt(low)) >= 0 &&
		s.Maximum != nil && s.Maximum.Cmp(new(big.Rat).SetInt(high)) <= 0
}
