package contract

import (
	"slices"
	"strconv"

	"github.com/slipway-go/slipway/diag"
)

// typ is the kind of a value that fills a T. Tables are composed of them, so
// that one line for a key is all there is. Only the compiler looks at T, when it
// checks that a key's kind and place fit.
type typ[T any] struct{ *kind }

// kind is how a value is read, and what editors and docs say of it. What it
// fills comes as an any that holds a *T: code that were generic down to here
// would be in every service once for each of some hundred types.
type kind struct {
	shape  *shape
	read   func(d *decoder, n *node, into any)
	absent func(d *decoder, into any) // fills the value of a key that is absent; nil leaves zero
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
type field[S any] struct{ *member }

// member is a key with its kind and the place it fills.
type member struct {
	*key
	kind  *kind
	value *node         // the default, nil if there is none
	to    func(any) any // of the mapping's place
}

func (m *member) read(d *decoder, n *node, into any) { m.kind.read(d, n, m.to(into)) }

// absent fills the place of a key that is not there.
func (m *member) absent(d *decoder, into any) {
	switch {
	case m.value != nil:
		m.kind.read(d, m.value, m.to(into))
	case m.kind.absent != nil:
		m.kind.absent(d, m.to(into))
	}
}

type keyOption func(*key)

func required(k *key) { k.required = true }
func fixed(k *key)    { k.fixed = true }

// def is the default, as a user would write it; several for a list. Inlined,
// every line with a default would have a function of its own.
//
//go:noinline
func def(values ...string) keyOption { return func(k *key) { k.def = values } }

// at declares a key: its name, its type, the place it fills and what it means.
func at[S, T any](name string, t typ[T], to func(*S) *T, doc string, options ...keyOption) field[S] {
	return field[S]{memberAt(name, t.kind, func(s any) any { return to(s.(*S)) }, doc, options)}
}

// memberAt is not generic, and stays out of the many that at is compiled to.
//
//go:noinline
func memberAt(name string, k *kind, to func(any) any, doc string, options []keyOption) *member {
	m := &member{key: &key{name: name, doc: doc, since: "v1", shape: k.shape}, kind: k, to: to}
	for _, o := range options {
		o(m.key)
	}
	if m.def != nil {
		m.value = defaultNode(k.shape, m.def)
	}
	return m
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
	members := make([]*member, len(fields))
	for i, f := range fields {
		members[i] = f.member
	}
	return typ[S]{objectOf(members)}
}

func objectOf(members []*member) *kind {
	s := &shape{name: "mapping"}
	needs := false
	for _, m := range members {
		s.keys = append(s.keys, m.key)
		needs = needs || m.required
	}
	k := &kind{shape: s, read: func(d *decoder, n *node, into any) {
		if s.short != "" && n.kind == scalarNode && n.scalar() != nullScalar {
			n = &node{kind: mappingNode, at: n.at, entries: []entry{{s.short, n.at, n}}}
		}
		readObject(d, n, members, into)
	}}
	if !needs {
		k.absent = func(d *decoder, into any) { readObject(d, &node{kind: mappingNode}, members, into) }
	}
	return k
}

// orJust lets a bare value stand for a mapping of that one key.
func (t typ[T]) orJust(name string) typ[T] {
	t.shape.short = name
	return t
}

// optional is a block that is nil when absent.
func optional[T any](t typ[T]) typ[*T] {
	return typ[*T]{&kind{shape: t.shape, read: func(d *decoder, n *node, into any) {
		value := new(T)
		*into.(**T) = value
		t.read(d, n, value)
	}}}
}

// mapOf is a mapping by name; named tells a value its name before it is read.
func mapOf[T any](names *nameRule, item typ[T], named func(*T, string)) typ[map[string]*T] {
	return typ[map[string]*T]{&kind{
		shape: &shape{name: "mapping by " + names.noun, item: item.shape, names: names},
		read: func(d *decoder, n *node, into any) {
			all := map[string]*T{}
			if !readMap(d, n, names, item.kind, func(name string) any {
				value := new(T)
				named(value, name)
				all[name] = value
				return value
			}) {
				all = nil
			}
			*into.(*map[string]*T) = all
		},
		absent: func(_ *decoder, into any) { *into.(*map[string]*T) = map[string]*T{} },
	}}
}

// listOf is a list, which is never nil once read.
func listOf[T any](item typ[T]) typ[[]T] {
	return typ[[]T]{&kind{
		shape: &shape{name: "list of " + item.shape.name, item: item.shape},
		read: func(d *decoder, n *node, into any) {
			if n.kind != listNode {
				d.wrongType(n, "a list", "write a list, such as [a, b]")
				return
			}
			all := make([]T, len(n.items))
			for i, item1 := range n.items {
				d.within(strconv.Itoa(i), func() { item.read(d, item1, &all[i]) })
			}
			*into.(*[]T) = all
		},
	}}
}

// setOf is a list in which nothing is repeated.
func setOf[T comparable](item typ[T]) typ[[]T] {
	t := listOf(item)
	t.shape.unique = true
	list := t.read
	t.read = func(d *decoder, n *node, into any) {
		list(d, n, into)
		all := *into.(*[]T)
		for i, v := range all {
			if slices.Contains(all[:i], v) {
				d.fault(n.items[i].at, diag.ContractValue, "remove one of them", "%v is listed twice", v)
			}
		}
	}
	return t
}

// patchesOf is a mapping by name whose items are laid over the document that
// holds them; it yields the names, sorted.
func patchesOf[S any](names *nameRule, item typ[S]) typ[[]string] {
	return typ[[]string]{&kind{
		shape: &shape{name: "mapping by " + names.noun, item: item.shape, names: names, patch: true},
		read: func(d *decoder, n *node, into any) {
			patch := &kind{read: func(d *decoder, n *node, scratch any) {
				d.overlay = &overlay{env: d.path[len(d.path)-1], base: d.root, skip: len(d.path)}
				item.read(d, n, scratch)
				d.overlay = nil
			}}
			patched := into.(*[]string)
			readMap(d, n, names, patch, func(name string) any {
				*patched = append(*patched, name)
				return new(S)
			})
			slices.Sort(*patched)
		},
	}}
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
