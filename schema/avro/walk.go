package avro

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/twmb/avro"

	"github.com/slipway-go/slipway/diag"
)

// pair is a named schema type met with a Go type: checked once, which is also
// what ends the walk of a recursive type.
type pair struct {
	name string
	goes reflect.Type
}

// walker checks a schema tree against a Go type.
type walker struct {
	faults diag.List
	keys   map[string][]int // fields of the root record
	seen   map[pair]bool
	named  map[string]*avro.SchemaNode
}

// bind checks a whole schema against the type of its values.
func (w *walker) bind(s *avro.Schema, t reflect.Type) {
	root := s.Root()
	if root.Type != "record" {
		w.fault("the schema's root is of type %s, want a record: an event has named fields", describe(root))
		return
	}
	if t.Kind() != reflect.Struct {
		w.fault("record %s is bound to %s, want a struct", root.Name, goName(t))
		return
	}
	w.record(root, t, "")
	w.keys = make(map[string][]int)
	for _, f := range fieldsOf(t) {
		w.keys[f.name] = f.index
	}
}

func (w *walker) fault(format string, args ...any) {
	w.faults.Add(diag.New(diag.SchemaTypeMismatch, format, args...))
}

// mismatch reports a schema field whose Go type will not do.
func (w *walker) mismatch(n *avro.SchemaNode, t reflect.Type, path, want string) {
	w.fault("schema field %s is %s and the Go type is %s: want %s", path, describe(n), goName(t), want)
}

// record checks that schema fields and Go fields are the same set and that
// each pair fits.
func (w *walker) record(n *avro.SchemaNode, t reflect.Type, path string) {
	key := pair{fullName(n), t}
	if w.seen[key] {
		return
	}
	w.seen[key] = true

	fields := fieldsOf(t)
	w.twice(fields, t)
	w.blocked(fields, t)
	for i := range n.Fields {
		sf := &n.Fields[i]
		at := slices.IndexFunc(fields, func(f field) bool { return f.name == sf.Name })
		if at >= 0 {
			w.value(&sf.Type, fields[at].goType, join(path, sf.Name))
			continue
		}
		fields = w.missing(sf, fields, t, join(path, sf.Name))
	}
	for _, f := range fields {
		if !slices.ContainsFunc(n.Fields, func(sf avro.SchemaField) bool { return sf.Name == f.name }) {
			w.fault("Go field %s.%s stands for schema field %s, which record %s does not have: its value would be lost; add the field to the schema, or tag it `avro:\"-\"`",
				goName(t), f.path, join(path, f.name), n.Name)
		}
	}
}

// missing reports a schema field without Go field. Where a Go field is likely
// meant it is named, and taken out so that it is not reported again.
func (w *walker) missing(sf *avro.SchemaField, fields []field, t reflect.Type, path string) []field {
	at := slices.IndexFunc(fields, func(f field) bool { return f.resembles(sf.Name) })
	if at < 0 {
		w.fault("schema field %s has no field in %s: add one of type %s tagged `avro:%q`",
			path, goName(t), w.wanted(&sf.Type), sf.Name)
		return fields
	}
	w.fault("schema field %s has no field in %s: if %s is meant, tag it `avro:%q`",
		path, goName(t), fields[at].path, sf.Name)
	return slices.Delete(slices.Clone(fields), at, at+1)
}

// twice reports names that two Go fields claim, which the codec would settle
// by rules that nobody remembers.
func (w *walker) twice(fields []field, t reflect.Type) {
	first := make(map[string]string)
	for _, f := range fields {
		if other, ok := first[f.name]; ok {
			w.fault("Go fields %s and %s of %s both stand for schema field %s: tag one of them `avro:\"-\"`",
				other, f.path, goName(t), f.name)
		}
		first[f.name] = f.path
	}
}

// blocked reports fields behind an embedded pointer to a type that is not
// exported: reflection cannot set the pointer, so no value could be read.
func (w *walker) blocked(fields []field, t reflect.Type) {
	for _, f := range fields {
		if f.blocked {
			w.fault("Go field %s.%s cannot be set through the embedded pointer to a type that is not exported: embed the struct itself", goName(t), f.path)
		}
	}
}

// value checks one schema node against the Go type that is to hold it.
func (w *walker) value(n *avro.SchemaNode, t reflect.Type, path string) {
	n = w.resolve(n)
	if n.Type == "union" {
		w.union(n, t, path)
		return
	}
	if !holds(n, t) {
		w.mismatch(n, t, path, w.wanted(n))
		return
	}
	switch n.Type {
	case "record":
		w.record(n, t, path)
	case "array":
		w.value(n.Items, t.Elem(), path+"[]")
	case "map":
		w.value(n.Values, t.Elem(), path+"{}")
	}
}

// union checks ["null", T] against *T and anything wider against any.
func (w *walker) union(n *avro.SchemaNode, t reflect.Type, path string) {
	optional, ok := w.optional(n)
	switch {
	case !ok && !isAny(t):
		w.mismatch(n, t, path, "any, because the union has several types")
	case !ok:
	case logical(optional) == "*big.Rat":
		if t != reflect.PointerTo(ratType) {
			w.mismatch(n, t, path, w.wanted(optional))
		}
	case t.Kind() != reflect.Pointer:
		w.mismatch(n, t, path, pointerTo(w.wanted(optional)))
	default:
		w.value(optional, t.Elem(), path)
	}
}

// optional returns T of a union of null and T.
func (w *walker) optional(n *avro.SchemaNode) (*avro.SchemaNode, bool) {
	if len(n.Branches) != 2 {
		return nil, false
	}
	for i := range n.Branches {
		if n.Branches[i].Type == "null" && n.Branches[1-i].Type != "null" {
			return w.resolve(&n.Branches[1-i]), true
		}
	}
	return nil, false
}

// resolve follows a reference to a named type to its definition.
func (w *walker) resolve(n *avro.SchemaNode) *avro.SchemaNode {
	if _, primitive := kinds[n.Type]; primitive {
		return n
	}
	if def, ok := w.named[n.Type]; ok {
		return def
	}
	s, err := n.Schema()
	if err != nil {
		panic("schema/avro: reference without definition in a parsed schema: " + n.Type)
	}
	if w.named == nil {
		w.named = make(map[string]*avro.SchemaNode)
	}
	w.named[n.Type] = s.Root()
	return w.named[n.Type]
}

// join extends the path of a schema field.
func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func fullName(n *avro.SchemaNode) string { return fmt.Sprintf("%s.%s", n.Namespace, n.Name) }
