package contract

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// decoder walks a document and collects every fault of it.
type decoder struct {
	file    string
	root    *node // the document in hand
	end     place // of the document, while it is read
	list    diag.List
	path    []string
	overlay *overlay // while an environment's block is read
}

// overlay is the contract that an environment's block is laid over.
type overlay struct {
	env  string
	base *node
	skip int // how many steps of the path lead to the block
}

// within runs f one step deeper.
func (d *decoder) within(step string, f func()) {
	d.path = append(d.path, step)
	f()
	d.path = d.path[:len(d.path)-1]
}

// counterpart is what the overlay in hand would change, or nil.
func (d *decoder) counterpart() *node {
	n, _, found := d.overlay.base.find(d.path[d.overlay.skip:])
	if !found {
		return nil
	}
	return n
}

// fault reports a problem at a place, named by the path walked. An empty fix
// leaves the catalogue's. After [maxFaults] it goes silent, having said so.
func (d *decoder) fault(at place, code diag.Code, fix, format string, args ...any) {
	if len(d.list) > maxFaults {
		return
	}
	pos := diag.Position{File: d.file, Line: at.line, Column: at.column}
	if len(d.list) == maxFaults {
		d.list.Add(diag.New(diag.ContractFaults, "%s has more than %d problems, the rest is not shown", d.file, maxFaults).At(pos))
		return
	}
	message := fmt.Sprintf(format, args...)
	if len(d.path) > 0 {
		message = strings.Join(d.path, "/") + ": " + message
	}
	out := diag.New(code, "%s", message).At(pos)
	out.Fix = fix
	d.list.Add(out)
}

// wrongType reports a node that is not what its key wants.
func (d *decoder) wrongType(n *node, want, fix string) {
	switch {
	case n.kind == refusedNode:
	case n.scalar() == nullScalar:
		d.fault(n.at, diag.ContractType, "remove the key, or "+fix, "there is no value, want %s", want)
	case n.kind == scalarNode:
		d.fault(n.at, diag.ContractType, fix, "%s is %s, want %s", quoteEmpty(n.text), n.scalar(), want)
	default:
		d.fault(n.at, diag.ContractType, fix, "this is %s, want %s", n.describe(), want)
	}
}

// wrongValue reports text that a scalar's parser refused.
func (d *decoder) wrongValue(n *node, err error) {
	if u, ok := errors.AsType[*unitError](err); ok {
		d.fault(n.at, diag.ContractUnit, u.fix, "%s: %s", n.text, u.cause)
		return
	}
	if v, ok := errors.AsType[*valueError](err); ok {
		d.fault(n.at, cmp.Or(v.code, diag.ContractValue), v.fix, "%s %s", quoteEmpty(n.text), v.cause)
		return
	}
	d.fault(n.at, diag.ContractValue, "", "%s: %v", quoteEmpty(n.text), err)
}

// valueError is a value of the right type that is not allowed, told as the
// rest of a sentence that begins with the value.
type valueError struct {
	cause, fix string
	code       diag.Code // ContractValue if empty
}

func (e *valueError) Error() string { return e.cause }

func quoteEmpty(s string) string {
	if s == "" || len(s) > 80 || strings.ContainsAny(s, " \n\t") {
		return fmt.Sprintf("%.80q", s)
	}
	return s
}

// readObject reads a mapping of known keys. Every key of the table is either
// read or given its default; a key that is not in the table is a fault.
func readObject(d *decoder, n *node, members []*member, into any) {
	if n.kind != mappingNode {
		d.wrongType(n, "a mapping of keys", "write a mapping of keys; {} is one with every default")
		return
	}
	for _, e := range n.entries {
		if len(d.list) > maxFaults {
			return
		}
		if !slices.ContainsFunc(members, func(m *member) bool { return m.name == e.key }) {
			d.unknown(e, memberNames(members))
		}
	}
	for _, m := range members {
		e := n.get(m.name)
		switch {
		case e == nil && d.overlay != nil:
		case e == nil && m.required:
			d.fault(n.at, diag.ContractRequired, fmt.Sprintf("add %s: %s  # %s", m.name, m.shape.placeholder(), m.doc), "%s is missing", m.name)
		case e == nil:
			d.within(m.name, func() { m.absent(d, into) })
		case d.overlay != nil && m.fixed:
			d.fault(e.at, diag.ContractOverlay, "remove it here; change it for all environments at once", "%s is the same in every environment", m.name)
		case d.overlay != nil && e.value.scalar() == nullScalar:
		default:
			d.within(m.name, func() { m.read(d, e.value, into) })
		}
	}
}

// unknown reports a key that no table has.
func (d *decoder) unknown(e entry, known []string) {
	fix := "remove it; known here: " + strings.Join(known, ", ")
	if near := nearest(e.key, known); near != "" {
		fix = fmt.Sprintf("did you mean %s?", near)
	}
	d.fault(e.at, diag.ContractUnknownKey, fix, "unknown key %s", quoteEmpty(e.key))
}

// readMap reads a mapping whose keys are names; place makes the place of a name's
// value. It reports whether the node is such a mapping.
func readMap(d *decoder, n *node, names *nameRule, item *kind, place func(name string) any) bool {
	if n.kind != mappingNode {
		d.wrongType(n, "a mapping by "+names.noun, "write each "+names.noun+" as a key with its settings below")
		return false
	}
	for _, e := range n.entries {
		if err := names.check(e.key); err != nil {
			d.fault(e.at, diag.ContractName, names.remedy(e.key), "%v", err)
			continue
		}
		if d.overlay != nil && !d.changes(e, names) {
			continue
		}
		value := place(e.key)
		d.within(e.key, func() { item.read(d, e.value, value) })
	}
	return true
}

// changes reports whether an overlay's entry changes one that exists; adding
// and removing are faults.
func (d *decoder) changes(e entry, names *nameRule) bool {
	base := d.counterpart()
	if base.get(e.key) == nil {
		fix := "add it outside of environments, with what all environments share"
		if near := nearest(e.key, entryKeys(base)); near != "" {
			fix = fmt.Sprintf("did you mean %s?", near)
		}
		d.fault(e.at, diag.ContractOverlay, fix, "environment %s changes %s, which the contract does not have", d.overlay.env, e.key)
		return false
	}
	if e.value.scalar() == nullScalar {
		d.fault(e.value.at, diag.ContractOverlay, "remove this line; every environment has the same set of "+names.noun+"s",
			"environment %s removes %s %s", d.overlay.env, names.noun, e.key)
		return false
	}
	return true
}

func entryKeys(n *node) []string {
	if n == nil {
		return nil
	}
	keys := make([]string, len(n.entries))
	for i, e := range n.entries {
		keys[i] = e.key
	}
	return keys
}

func memberNames(members []*member) []string {
	names := make([]string, len(members))
	for i, m := range members {
		names[i] = m.name
	}
	return names
}
