package contract

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// place is where something stands in a file, counted from 1.
type place struct{ line, column int }

// nodeKind is what a node holds.
type nodeKind int

const (
	scalarNode nodeKind = iota
	listNode
	mappingNode
	refusedNode // an alias: its fault is told, what it stands for is not looked at
)

// node is one value of a document with its place. Documents have no anchors,
// so nodes form a tree; they are never changed once read, so that a merged
// document may share them.
type node struct {
	kind    nodeKind
	at      place
	text    string  // of a scalar
	quoted  bool    // a scalar in quotes, or a block: always text
	entries []entry // of a mapping, in the order of the file
	items   []*node // of a list
}

// entry is one key of a mapping.
type entry struct {
	key   string
	at    place
	value *node
}

// get returns the entry of a key, or nil. Mappings of a contract are small,
// and a scan keeps the order of the file.
func (n *node) get(key string) *entry {
	if n == nil {
		return nil
	}
	for i := range n.entries {
		if n.entries[i].key == key {
			return &n.entries[i]
		}
	}
	return nil
}

// find follows a path as far as it exists and returns where that is: the key
// of a mapping's entry, the value of a list's item. found tells whether the
// whole path exists.
func (n *node) find(path []string) (value *node, at place, found bool) {
	at = n.at
	for _, step := range path {
		if e := n.get(step); e != nil {
			n, at = e.value, e.at
			continue
		}
		i, err := strconv.Atoi(step)
		if n.kind != listNode || err != nil || i < 0 || i >= len(n.items) {
			return n, at, false
		}
		n, at = n.items[i], n.items[i].at
	}
	return n, at, true
}

// merged lays patch over n as RFC 7396 does: mappings are merged key by key,
// null removes, anything else replaces.
func (n *node) merged(patch *node) *node {
	if n == nil || n.kind != mappingNode || patch.kind != mappingNode {
		return patch.withoutNulls()
	}
	out := &node{kind: mappingNode, at: n.at, entries: slices.Clone(n.entries)}
	for _, p := range patch.entries {
		old := out.get(p.key)
		switch {
		case p.value.scalar() == nullScalar:
			out.entries = slices.DeleteFunc(out.entries, func(e entry) bool { return e.key == p.key })
		case old == nil:
			out.entries = append(out.entries, entry{p.key, p.at, p.value.withoutNulls()})
		default:
			*old = entry{p.key, p.at, old.value.merged(p.value)}
		}
	}
	return out
}

// withoutNulls is what a patch leaves where there was nothing to lay it over.
func (n *node) withoutNulls() *node {
	if n.kind != mappingNode {
		return n
	}
	return (&node{kind: mappingNode, at: n.at}).merged(n)
}

// scalarKind is what a scalar says without quotes, by the rules of YAML 1.2:
// yes and NO are text, 010 is a number.
type scalarKind string

const (
	notScalar     scalarKind = ""
	nullScalar    scalarKind = "nothing"
	boolScalar    scalarKind = "a boolean"
	integerScalar scalarKind = "a number"
	floatScalar   scalarKind = "a number with a point or an exponent"
	textScalar    scalarKind = "text"
)

var (
	integerForm = regexp.MustCompile(`^[-+]?([0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$`)
	floatForm   = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$|^[-+]?\.(inf|Inf|INF)$|^\.(nan|NaN|NAN)$`)
)

// scalar tells what the node's text means, or notScalar for other nodes.
func (n *node) scalar() scalarKind {
	if n.kind != scalarNode {
		return notScalar
	}
	if n.quoted {
		return textScalar
	}
	switch n.text {
	case "", "~", "null", "Null", "NULL":
		return nullScalar
	case "true", "True", "TRUE", "false", "False", "FALSE":
		return boolScalar
	}
	if n.text == "" || !strings.Contains("+-.0123456789", n.text[:1]) {
		return textScalar
	}
	switch {
	case integerForm.MatchString(n.text):
		return integerScalar
	case floatForm.MatchString(n.text):
		return floatScalar
	default:
		return textScalar
	}
}

// describe names what the node is, for a message.
func (n *node) describe() string {
	switch n.kind {
	case listNode:
		return "a list"
	case mappingNode:
		return "a mapping"
	default:
		return string(n.scalar())
	}
}
