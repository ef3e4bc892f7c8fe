package jsonvalue

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// field is a Go field that encoding/json writes.
type field struct {
	name   string // of the property
	path   string // of the Go field within its struct
	index  []int
	goType reflect.Type
	omits  bool // left out when it is empty or zero
	quoted bool // has the string option
}

// fieldsOf returns the fields of a struct, those of embedded structs included.
// Names that two fields claim appear twice.
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
		tag := sf.Tag.Get("json")
		if tag == "-" || !sf.IsExported() && !sf.Anonymous {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		at := append(slices.Clip(index), i)
		inner := deref(sf.Type)
		switch {
		case sf.Anonymous && name == "" && inner.Kind() == reflect.Struct:
			collect(inner, at, path+sf.Name+".", on, all)
		case sf.IsExported():
			if name == "" {
				name = sf.Name
			}
			*all = append(*all, field{
				name:   name,
				path:   path + sf.Name,
				index:  at,
				goType: sf.Type,
				omits:  hasOption(options, "omitempty") || hasOption(options, "omitzero"),
				quoted: hasOption(options, "string"),
			})
		}
	}
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

// names are the property names of a Go type at every depth, to find those that
// encoding/json would take for another one: it ignores case.
type names struct {
	fields map[string]field
	folded map[string]string // lower case to the exact name
	inner  map[string]*names // by exact name
	each   *names            // of the elements of a slice or map
}

func newNames(t reflect.Type) *names { return namesOf(t, make(map[reflect.Type]*names)) }

func namesOf(t reflect.Type, known map[reflect.Type]*names) *names {
	if n, ok := known[t]; ok {
		return n
	}
	n := new(names)
	known[t] = n
	switch t.Kind() {
	case reflect.Pointer:
		known[t] = namesOf(t.Elem(), known)
		return known[t]
	case reflect.Slice, reflect.Array, reflect.Map:
		n.each = namesOf(t.Elem(), known)
	case reflect.Struct:
		if opaque(t) {
			return n
		}
		n.fields, n.folded, n.inner = make(map[string]field), make(map[string]string), make(map[string]*names)
		for _, f := range fieldsOf(t) {
			n.fields[f.name] = f
			n.folded[strings.ToLower(f.name)] = f.name
			n.inner[f.name] = namesOf(f.goType, known)
		}
	}
	return n
}

// indexes are where the fields of the outermost struct are.
func (n *names) indexes() map[string][]int {
	all := make(map[string][]int, len(n.fields))
	for name, f := range n.fields {
		all[name] = f.index
	}
	return all
}

// exact refuses a property whose name is a known one but for case.
func (n *names) exact(tree any, path string) error {
	switch v := tree.(type) {
	case []any:
		for i, element := range v {
			if n.each == nil {
				return nil
			}
			if err := n.each.exact(element, fmt.Sprintf("%s/%d", path, i)); err != nil {
				return err
			}
		}
	case map[string]any:
		for name, value := range v {
			if err := n.property(name, value, path); err != nil {
				return err
			}
		}
	}
	return nil
}

func (n *names) property(name string, value any, path string) error {
	inner := n.each
	if n.fields != nil {
		inner = n.inner[name]
		if want, similar := n.folded[strings.ToLower(name)]; similar && want != name && inner == nil {
			return fmt.Errorf("property %q at %s/ differs from %q in case only", name, path, want)
		}
	}
	if inner == nil {
		return nil
	}
	return inner.exact(value, path+"/"+name)
}
