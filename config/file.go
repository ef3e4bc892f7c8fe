package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// A branch is a place in a file: a key, or a mapping of further places.
type branch struct {
	key  *Key
	next map[string]*branch
}

// grow makes the places of a file from the keys.
func grow(keys []Key) *branch {
	root := &branch{next: map[string]*branch{}}
	for i := range keys {
		at := root
		for _, step := range keys[i].path {
			if at.next[step] == nil {
				at.next[step] = &branch{next: map[string]*branch{}}
			}
			at = at.next[step]
		}
		at.key = &keys[i]
	}
	return root
}

// A reader reads one file against the places that there are.
type reader struct {
	root  *branch
	keys  map[string]Key
	given []Given
	list  diag.List
}

// readFile is what a file gives and what is wrong with it.
func readFile(root *branch, keys map[string]Key, name string, data []byte) ([]Given, diag.List) {
	tree, list := contract.ParseTree(name, data)
	r := &reader{root: root, keys: keys, list: list}
	if tree != nil {
		r.mapping(tree, root, nil)
	}
	return r.given, r.list
}

// mapping reads a mapping at a place.
func (r *reader) mapping(t *contract.Tree, at *branch, path []string) {
	for _, child := range t.Children {
		path := append(slices.Clone(path), child.Key)
		next := at.next[child.Key]
		switch {
		case next == nil:
			r.unknown(child, at, path)
		case next.key != nil:
			r.value(child, next.key)
		case child.Kind == contract.TreeMapping:
			r.mapping(child, next, path)
		case child.Kind == contract.TreeNothing: // all below it is commented out
		case child.Kind != "":
			r.list.Add(diag.New(diag.ConfigType, "%s: this is %s, want a mapping", strings.Join(path, "."), child.Kind).At(child.At).
				WithFix("write below it one of %s", some(slices.Sorted(maps.Keys(next.next)))))
		}
	}
}

// value reads the value of a key. What the text says is judged with all other
// layers.
func (r *reader) value(t *contract.Tree, k *Key) {
	g := Given{Key: k.Name, Text: t.Text, At: t.At}
	switch {
	case t.Kind == "": // an alias, which was told
		return
	case t.Kind == contract.TreeNothing:
		r.list.Add(diag.New(diag.ConfigType, "%s: there is no value, want %s", k.Name, k.takes()).At(t.At).
			WithFix("remove the key, or write a value such as %s", k.kind.like))
		return
	case !slices.Contains(k.kind.yaml, t.Kind):
		fix := "write one such as " + k.kind.like
		if k.kind.name == "string" && len(t.Children) == 0 {
			fix = "put it in quotes"
		} else if k.kind.list {
			fix = "write a list, such as [a, b]"
		}
		r.list.Add(diag.New(diag.ConfigType, "%s: this is %s, want %s", k.Name, t.Kind, k.takes()).At(t.At).WithFix("%s", fix))
		return
	}
	if k.kind.list {
		g.Items = make([]string, 0, len(t.Children))
		for _, item := range t.Children {
			if item.Kind != contract.TreeText {
				r.list.Add(diag.New(diag.ConfigType, "%s: an item is %s, want text", k.Name, item.Kind).At(item.At).WithFix("put it in quotes"))
				return
			}
			g.Items = append(g.Items, item.Text)
		}
	}
	r.given = append(r.given, g)
}

// unknown reports a key that is not at a place.
func (r *reader) unknown(t *contract.Tree, at *branch, path []string) {
	name := strings.Join(path, ".")
	if meant := r.flat(t.Key, name, path); meant != nil {
		r.list.Add(diag.New(diag.ConfigFlatKey, "%s is written with dots", name).At(t.KeyAt).WithFix("write %s", nested(meant)))
		return
	}
	d := diag.New(diag.ConfigUnknownKey, "there is no key %.100s", name).At(t.KeyAt)
	here := slices.Sorted(maps.Keys(at.next))
	if near := contract.Nearest(t.Key, here); near != "" {
		d = d.WithFix("did you mean %s?", strings.Join(append(path[:len(path)-1:len(path)-1], near), "."))
	} else if elsewhere := closest(name, slices.Sorted(maps.Keys(r.keys))); elsewhere != "" {
		d = d.WithFix("did you mean %s? write %s", elsewhere, nested(r.keys[elsewhere].path))
	} else {
		d = d.WithFix("known here: %s", some(here))
	}
	r.list.Add(d)
}

// flat is the path that a key written with dots means, nil for none.
func (r *reader) flat(key, name string, path []string) []string {
	steps := slices.Concat(path[:len(path)-1], strings.Split(key, "."))
	switch k, known := r.keys[name]; {
	case !strings.Contains(key, "."):
		return nil
	case known:
		return k.path
	case r.root.at(steps) != nil:
		return steps
	}
	return nil
}

// at is the place that a path leads to, nil for none.
func (b *branch) at(path []string) *branch {
	for _, step := range path {
		if b = b.next[step]; b == nil {
			return nil
		}
	}
	return b
}

// nested writes a key as mappings within each other.
func nested(path []string) string {
	return strings.Join(path, ": {") + ": …" + strings.Repeat("}", len(path)-1)
}

// some shows the first few of many names.
func some(names []string) string {
	const few = 12
	if len(names) > few {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), len(names)-few)
	}
	return strings.Join(names, ", ")
}

// closest is the key that a wrong one most likely means: one that is spelt
// nearly so, else the only one that ends the same.
func closest(name string, known []string) string {
	if near := contract.Nearest(name, known); near != "" {
		return near
	}
	last := name[strings.LastIndexByte(name, '.')+1:]
	var found string
	for _, k := range known {
		switch {
		case !strings.HasSuffix(k, "."+last):
		case strings.HasPrefix(k, entries+"."): // one for each entry
		case found != "":
			return ""
		default:
			found = k
		}
	}
	return found
}
