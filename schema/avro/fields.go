package avro

import (
	"reflect"
	"slices"
	"strings"
)

// field is an exported Go field that stands for a schema field.
type field struct {
	name   string // of the schema field
	path   string // of the Go field within its struct, for messages
	index  []int
	goType reflect.Type
	json   string // what a json tag calls it, for hints

	blocked bool // behind an embedded pointer that cannot be set
}

// fieldsOf returns the Go fields of a struct, those of embedded and inlined
// structs included. Names that two fields claim appear twice.
func fieldsOf(t reflect.Type) []field {
	var all []field
	collect(t, nil, "", map[reflect.Type]bool{}, &all)
	return all
}

func collect(t reflect.Type, index []int, path string, on map[reflect.Type]bool, all *[]field) {
	if on[t] {
		return
	}
	on[t] = true
	defer delete(on, t)
	for i := range t.NumField() {
		sf := t.Field(i)
		tag := sf.Tag.Get("avro")
		name, options, _ := strings.Cut(tag, ",")
		if tag == "-" || !sf.IsExported() && !sf.Anonymous {
			continue
		}
		at := append(slices.Clip(index), i)
		inner := deref(sf.Type)
		inlined := sf.Anonymous && name == "" || hasOption(options, "inline")
		switch {
		case inlined && inner.Kind() == reflect.Struct:
			from := len(*all)
			collect(inner, at, path+sf.Name+".", on, all)
			if sf.Type.Kind() == reflect.Pointer && !sf.IsExported() {
				markBlocked((*all)[from:])
			}
		case sf.IsExported():
			*all = append(*all, newField(sf, name, path, at))
		}
	}
}

func markBlocked(fields []field) {
	for i := range fields {
		fields[i].blocked = true
	}
}

func newField(sf reflect.StructField, name, path string, index []int) field {
	if name == "" {
		name = sf.Name
	}
	json, _, _ := strings.Cut(sf.Tag.Get("json"), ",")
	return field{name: name, path: path + sf.Name, index: index, goType: sf.Type, json: json}
}

func hasOption(options, want string) bool {
	for o := range strings.SplitSeq(options, ",") {
		if o == want {
			return true
		}
	}
	return false
}

func deref(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

// resembles reports whether a Go field is likely meant for a schema field that
// it does not name.
func (f field) resembles(name string) bool {
	return f.json == name || fold(f.path) == fold(name)
}

// fold takes case and underscores out of a name: OrderID and order_id agree.
func fold(s string) string {
	if i := strings.LastIndexByte(s, '.'); i >= 0 {
		s = s[i+1:]
	}
	return strings.ToLower(strings.ReplaceAll(s, "_", ""))
}
