package compat

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/avro"

	"github.com/slipway-go/slipway/schema"
	avrocodec "github.com/slipway-go/slipway/schema/avro"
)

func unreadableAvro(writer, reader schema.Source) ([]Fault, error) {
	w, err := parseAvro("written", writer)
	if err != nil {
		return nil, err
	}
	r, err := parseAvro("read", reader)
	if err != nil {
		return nil, err
	}
	c := avroComparison{seen: map[[2]string]bool{}, writer: named{}, reader: named{}}
	c.compare(w.Root(), r.Root(), "")
	return c.faults, nil
}

func parseAvro(role string, source schema.Source) (*avro.Schema, error) {
	text, err := avrocodec.Whole(source)
	if err != nil {
		return nil, fmt.Errorf("parse the schema that is %s: %w", role, err)
	}
	s, err := avro.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("parse the schema that is %s: %w", role, err)
	}
	return s, nil
}

// named resolves references to named types, each once.
type named map[string]*avro.SchemaNode

// avroKinds are Avro's own types; any other is the name of a named one.
var avroKinds = []string{
	"null", "boolean", "int", "long", "float", "double", "string", "bytes",
	"enum", "fixed", "array", "map", "record", "union",
}

// resolve follows a reference to the definition.
func (n named) resolve(node *avro.SchemaNode) *avro.SchemaNode {
	if node.Type == "error" { // what Avro's protocols call a record
		node.Type = "record"
	}
	if slices.Contains(avroKinds, node.Type) {
		return node
	}
	if known := n[node.Type]; known != nil {
		return known
	}
	s, err := node.Schema()
	if err != nil {
		panic("compat: reference without definition in a parsed schema: " + node.Type)
	}
	n[node.Type] = s.Root()
	return n[node.Type]
}

// An avroComparison walks two schemas side by side, as a decoder would.
type avroComparison struct {
	writer, reader named
	seen           map[[2]string]bool // pairs of named types: a schema may contain itself
	faults         []Fault
}

func (c *avroComparison) fault(kind Kind, path, written, read, format string, args ...any) {
	c.faults = append(c.faults, Fault{kind, path, written, read, fmt.Sprintf(format, args...)})
}

// compare looks at the types of one place.
func (c *avroComparison) compare(w, r *avro.SchemaNode, path string) {
	w, r = c.writer.resolve(w), c.reader.resolve(r)
	switch {
	case w.Type == "union":
		c.written(w, r, path)
	case r.Type == "union":
		c.branch(w, r, path)
	case w.Type == r.Type:
		c.alike(w, r, path)
	case !slices.Contains(promotions[w.Type], r.Type):
		c.fault(Type, path, describe(w), describe(r), "it is written as %s and read as %s", describe(w), describe(r))
	}
}

// promotions are what a type may be read as beside itself.
var promotions = map[string][]string{
	"int":    {"long", "float", "double"},
	"long":   {"float", "double"},
	"float":  {"double"},
	"string": {"bytes"},
	"bytes":  {"string"},
}

// written takes each branch of a union that is written by itself.
func (c *avroComparison) written(w, r *avro.SchemaNode, path string) {
	for i := range w.Branches {
		b := c.writer.resolve(&w.Branches[i])
		switch {
		case r.Type == "union":
			c.branch(b, r, path)
		case b.Type == "null" && r.Type != "null":
			c.fault(Null, path, describe(w), describe(r), "it may be written as null and is read as %s", describe(r))
		default:
			c.compare(b, r, path)
		}
	}
}

// branch finds the branch of a union that a type is read as: the one of the
// same name, else of the same last name, else the first that it can be
// promoted to.
func (c *avroComparison) branch(w, r *avro.SchemaNode, path string) {
	branches := make([]*avro.SchemaNode, len(r.Branches))
	for i := range r.Branches {
		branches[i] = c.reader.resolve(&r.Branches[i])
	}
	for _, fits := range []func(w, r *avro.SchemaNode) bool{sameName, sameLastName, promotes} {
		if i := slices.IndexFunc(branches, func(b *avro.SchemaNode) bool { return fits(w, b) }); i >= 0 {
			c.compare(w, branches[i], path)
			return
		}
	}
	kind := Type
	if w.Type == "null" {
		kind = Null
	}
	c.fault(kind, path, describe(w), describe(r), "it may be written as %s and is read as %s", describe(w), describe(r))
}

func hasName(n *avro.SchemaNode) bool {
	return n.Type == "record" || n.Type == "enum" || n.Type == "fixed"
}

func sameName(w, r *avro.SchemaNode) bool {
	if w.Type != r.Type || w.Type == "fixed" && w.Size != r.Size {
		return false
	}
	return !hasName(w) || fullName(w) == fullName(r) || slices.Contains(fullAliases(r), fullName(w))
}

func sameLastName(w, r *avro.SchemaNode) bool {
	if w.Type != r.Type || !hasName(w) || w.Type == "fixed" && w.Size != r.Size {
		return false
	}
	last := lastName(fullName(w))
	return last == lastName(fullName(r)) || slices.Contains(r.Aliases, last)
}

func promotes(w, r *avro.SchemaNode) bool { return slices.Contains(promotions[w.Type], r.Type) }

// alike compares two of the same type.
func (c *avroComparison) alike(w, r *avro.SchemaNode, path string) {
	if hasName(w) {
		if !sameName(w, r) && !sameLastName(w, r) && !(w.Type == "fixed" && lastName(fullName(w)) == lastName(fullName(r))) {
			c.fault(Name, path, fullName(w), fullName(r), "%s %s is written and %s is read", w.Type, fullName(w), fullName(r))
			return
		}
		pair := [2]string{fullName(w), fullName(r)}
		if w.Type == "record" && c.seen[pair] {
			return
		}
		c.seen[pair] = true
	}
	switch w.Type {
	case "record":
		c.record(w, r, path)
		return
	case "enum":
		c.enum(w, r, path)
	case "array":
		c.compare(w.Items, r.Items, path+"[]")
	case "map":
		c.compare(w.Values, r.Values, path+"{}")
	}
	switch {
	case w.Type == "fixed" && w.Size != r.Size:
		c.fault(Size, path, describe(w), describe(r), "%d bytes are written and %d are read", w.Size, r.Size)
	case w.LogicalType == "decimal" && r.LogicalType == "decimal" && (w.Precision != r.Precision || w.Scale != r.Scale):
		c.fault(Size, path, describe(w), describe(r), "it is written as %s and read as %s", describe(w), describe(r))
	}
}

func (c *avroComparison) record(w, r *avro.SchemaNode, path string) {
	fields := map[string]*avro.SchemaField{}
	for i := range w.Fields {
		fields[w.Fields[i].Name] = &w.Fields[i]
	}
	for i := range r.Fields {
		rf := &r.Fields[i]
		at := join(path, rf.Name)
		wf := fields[rf.Name]
		for _, alias := range rf.Aliases {
			if other := fields[alias]; wf == nil {
				wf = other
			} else if other != nil && other != wf {
				c.fault(Twice, at, "", "", "%s and %s are written, and both are read as it", wf.Name, other.Name)
			}
		}
		switch {
		case wf != nil:
			c.compare(&wf.Type, &rf.Type, at)
		case !rf.HasDefault:
			read := describe(c.reader.resolve(&rf.Type))
			c.fault(Missing, at, "", read, "it is read as %s without a default, and not written", read)
		}
	}
}

func (c *avroComparison) enum(w, r *avro.SchemaNode, path string) {
	if r.HasEnumDefault {
		return
	}
	for _, s := range w.Symbols {
		if !slices.Contains(r.Symbols, s) {
			c.fault(Symbol, path, s, describe(r), "symbol %s may be written, and enum %s is read without it and without a default", s, lastName(r.Name))
		}
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// fullName is a type's name with its namespace, which a name with a dot brings
// along.
func fullName(n *avro.SchemaNode) string {
	if n.Namespace == "" || strings.Contains(n.Name, ".") {
		return n.Name
	}
	return n.Namespace + "." + n.Name
}

func lastName(full string) string { return full[strings.LastIndexByte(full, '.')+1:] }

func spaceOf(full string) string { return full[:max(strings.LastIndexByte(full, '.'), 0)] }

// fullAliases are a type's other names, those without a dot in its namespace.
func fullAliases(n *avro.SchemaNode) []string {
	all := slices.Clone(n.Aliases)
	for i, a := range all {
		if space := spaceOf(fullName(n)); !strings.Contains(a, ".") && space != "" {
			all[i] = space + "." + a
		}
	}
	return all
}

// describe names a type in a message.
func describe(n *avro.SchemaNode) string {
	switch {
	case n.Type == "union":
		var names []string
		for i := range n.Branches {
			names = append(names, describe(&n.Branches[i]))
		}
		return strings.Join(names, " or ")
	case n.LogicalType == "decimal":
		return fmt.Sprintf("decimal(%d,%d)", n.Precision, n.Scale)
	case n.LogicalType != "":
		return n.LogicalType
	case n.Type == "array":
		return "array of " + describe(n.Items)
	case n.Type == "map":
		return "map of " + describe(n.Values)
	case n.Type == "fixed":
		return fmt.Sprintf("fixed(%d) %s", n.Size, lastName(n.Name))
	case hasName(n):
		return n.Type + " " + lastName(n.Name)
	}
	return n.Type
}
