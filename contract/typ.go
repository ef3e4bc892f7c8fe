package contract

import (
	"slices"
	"strconv"

	"github.com/slipway-go/slipway/diag"
)

// typ is a kind of value: how it is read, and what editors and docs say of it.
// Tables are composed of them, so that one line for a key is all there is.
type typ[T any] struct {
	shape  *shape
	read   func(d *decoder, n *node, into *T)
	absent func(d *decoder, into *T) // fills the value of a key that is absent; nil leaves zero
}

// shape is what can be told of a typ without its Go type.
type shape struct {
	name   string         // what docs call it: "duration", "list of text"
	like   string         // an example; empty for text, which is put in quotes
	schema map[string]any // JSON Schema of a scalar
	bounds string         // "1 to 10000"
	keys   []*key         // of a mapping of known keys
	item   *shape         // of a list, or of a mapping by name
	names  *nameRule      // of a mapping by name
	unique bool           // of a list
	short  string         // the key that a bare value stands for
	patch  bool           // a mapping whose items are laid over the document
	free   bool           // a mapping to which an environment may add, and from which it may take away
}

// key is one line of a table.
type key struct {
	name     string
	doc      string
	def      []string
	required bool
	fixed    bool // an environment cannot change it
	since    string
	shape    *shape
}

// field is a key that fills a part of S.
type field[S any] struct {
	*key
	read   func(d *decoder, n *node, into *S)
	absent func(d *decoder, into *S)
}

type keyOption func(*key)

func required(k *key) { k.required = true }
func fixed(k *key)    { k.fixed = true }

// def is the default, as a user would write it; several for a list.
func def(values ...string) keyOption { return func(k *key) { k.def = values } }

// at declares a key: its name, its type, the place it fills and what it means.
func at[S, T any](name string, t typ[T], to func(*S) *T, doc string, options ...keyOption) field[S] {
	f := field[S]{
		key:  &key{name: name, doc: doc, since: "v1", shape: t.shape},
		read: func(d *decoder, n *node, into *S) { t.read(d, n, to(into)) },
	}
	for _, o := range options {
		o(f.key)
	}
	switch {
	case f.def != nil:
		value := defaultNode(t.shape, f.def)
		f.absent = func(d *decoder, into *S) { t.read(d, value, to(into)) }
	case t.absent != nil:
		f.absent = func(d *decoder, into *S) { t.absent(d, to(into)) }
	}
	return f
}

func defaultNode(s *shape, values []string) *node {
	if s.item == nil {
		return &node{text: values[0]}
	}
	list := &node{kind: listNode}
	for _, v := range values {
		list.items = append(list.items, &node{text: v})
	}
	return list
}

// object is a mapping of known keys. An absent one has the defaults of its
// keys.
func object[S any](fields ...field[S]) typ[S] {
	s := &shape{name: "mapping"}
	needs := false
	for _, f := range fields {
		s.keys = append(s.keys, f.key)
		needs = needs || f.required
	}
	t := typ[S]{shape: s, read: func(d *decoder, n *node, into *S) {
		if s.short != "" && n.kind == scalarNode && n.scalar() != nullScalar {
			n = &node{kind: mappingNode, at: n.at, entries: []entry{{s.short, n.at, n}}}
		}
		readObject(d, n, fields, into)
	}}
	if !needs {
		t.absent = func(d *decoder, into *S) { readObject(d, &node{kind: mappingNode}, fields, into) }
	}
	return t
}

// orJust lets a bare value stand for a mapping of that one key.
func (t typ[T]) orJust(name string) typ[T] {
	t.shape.short = name
	return t
}

// optional is a block that is nil when absent.
func optional[T any](t typ[T]) typ[*T] {
	return typ[*T]{shape: t.shape, read: func(d *decoder, n *node, into **T) {
		*into = new(T)
		t.read(d, n, *into)
	}}
}

// mapOf is a mapping by name; named tells a value its name before it is read.
func mapOf[T any](names *nameRule, item typ[T], named func(*T, string)) typ[map[string]*T] {
	return typ[map[string]*T]{
		shape: &shape{name: "mapping by " + names.noun, item: item.shape, names: names},
		read: func(d *decoder, n *node, into *map[string]*T) {
			*into = readMap(d, n, names, item, named)
		},
		absent: func(_ *decoder, into *map[string]*T) { *into = map[string]*T{} },
	}
}

// listOf is a list, which is never nil once read.
func listOf[T any](item typ[T]) typ[[]T] {
	return typ[[]T]{
		shape: &shape{name: "list of " + item.shape.name, item: item.shape},
		read: func(d *decoder, n *node, into *[]T) {
			if n.kind != listNode {
				d.wrongType(n, "a list", "write a list, such as [a, b]")
				return
			}
			*into = make([]T, len(n.items))
			for i, item1 := range n.items {
				d.within(strconv.Itoa(i), func() { item.read(d, item1, &(*into)[i]) })
			}
		},
	}
}

// setOf is a list in which nothing is repeated.
func setOf[T comparable](item typ[T]) typ[[]T] {
	t := listOf(item)
	t.shape.unique = true
	list := t.read
	t.read = func(d *decoder, n *node, into *[]T) {
		list(d, n, into)
		for i, v := range *into {
			if slices.Contains((*into)[:i], v) {
				d.fault(n.items[i].at, diag.ContractValue, "remove one of them", "%v is listed twice", v)
			}
		}
	}
	return t
}

// patchesOf is a mapping by name whose items are laid over the document that
// holds them; it yields the names, sorted.
func patchesOf[S any](names *nameRule, item typ[S]) typ[[]string] {
	return typ[[]string]{
		shape: &shape{name: "mapping by " + names.noun, item: item.shape, names: names, patch: true},
		read: func(d *decoder, n *node, into *[]string) {
			patch := typ[S]{read: func(d *decoder, n *node, scratch *S) {
				d.overlay = &overlay{env: d.path[len(d.path)-1], base: d.root, skip: len(d.path)}
				item.read(d, n, scratch)
				d.overlay = nil
			}}
			patches := readMap(d, n, names, patch, func(*S, string) {})
			for name := range patches {
				*into = append(*into, name)
			}
			slices.Sort(*into)
		},
	}
}

// placeholder is what stands for a value that a user is to write.
func (s *shape) placeholder() string {
	switch {
	case s.keys != nil || s.names != nil:
		return "{…}"
	case s.schema["enum"] != nil:
		return s.name
	default:
		return "<" + s.name + ">"
	}
}
