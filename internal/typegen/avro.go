package typegen

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/avro"

	"github.com/slipway-go/slipway/diag"
	codec "github.com/slipway-go/slipway/schema/avro"
)

// avro declares the types of an entry's schema and returns that of its values.
func (u *universe) avro(e Entry) expr {
	text, err := codec.Whole(e.Schema.Source)
	if err == nil {
		var s *avro.Schema
		if s, err = avro.Parse(text); err == nil {
			root := s.Root()
			if root.Type == "record" {
				g := avroTypes{u, e, map[string]*avro.SchemaNode{}, map[string]*decl{}}
				return g.typ(root)
			}
			u.fault(diag.GenerateType, e, "the schema of %s is of type %s, want a record: an event has named fields", e.Topic, root.Type)
			return plain("any")
		}
	}
	u.fault(diag.SchemaInvalid, e, "the schema of %s cannot be parsed: %v", e.Topic, err)
	return plain("any")
}

// avroTypes turns one schema into Go types.
type avroTypes struct {
	*universe
	entry Entry
	named map[string]*avro.SchemaNode
	met   map[string]*decl // by full name
}

// avroGo are the Go types of Avro's own, by type and logical type.
var avroGo = map[string]string{
	"null": "any", "boolean": "bool", "int": "int32", "long": "int64", "float": "float32", "double": "float64",
	"string": "string", "bytes": "[]byte",
	"long timestamp-millis": "time.Time", "long timestamp-micros": "time.Time", "long timestamp-nanos": "time.Time",
	"long local-timestamp-millis": "time.Time", "long local-timestamp-micros": "time.Time", "long local-timestamp-nanos": "time.Time",
	"int date": "time.Time", "int time-millis": "time.Duration", "long time-micros": "time.Duration",
	"bytes decimal": "*big.Rat", "fixed decimal": "*big.Rat", "bytes big-decimal": "*big.Rat",
}

// resolve follows a reference to the definition.
func (g *avroTypes) resolve(n *avro.SchemaNode) *avro.SchemaNode {
	switch n.Type {
	case "record", "enum", "fixed", "array", "map", "union":
		return n
	case "error":
		n.Type = "record"
		return n
	}
	if avroGo[n.Type] != "" {
		return n
	}
	if g.named[n.Type] == nil {
		s, err := n.Schema()
		if err != nil {
			panic("typegen: reference without definition in a parsed schema: " + n.Type)
		}
		g.named[n.Type] = s.Root()
	}
	return g.named[n.Type]
}

// typ is the Go type that the codec binds to a node.
func (g *avroTypes) typ(n *avro.SchemaNode) expr {
	n = g.resolve(n)
	if known := avroGo[n.Type+" "+n.LogicalType]; known != "" {
		return plain(known)
	}
	switch n.Type {
	case "record":
		return g.record(n)
	case "enum":
		d, _ := g.meet(n)
		d.enum, d.symbols = true, n.Symbols
		return expr{decl: d}
	case "fixed":
		return plain(fmt.Sprintf("[%d]byte", n.Size))
	case "array":
		return g.typ(n.Items).in("[]")
	case "map":
		return g.typ(n.Values).in("map[string]")
	case "union":
		return g.union(n)
	}
	return plain(avroGo[n.Type])
}

// union is a pointer for what may be null, and any for several types.
func (g *avroTypes) union(n *avro.SchemaNode) expr {
	if len(n.Branches) != 2 {
		return plain("any")
	}
	for i := range n.Branches {
		if n.Branches[i].Type == "null" && n.Branches[1-i].Type != "null" {
			inner := g.typ(&n.Branches[1-i])
			if inner.base == "*big.Rat" && inner.before == "" {
				return inner
			}
			return inner.in("*")
		}
	}
	return plain("any")
}

// meet declares a named type without what is in it. A name means one thing
// within a schema; whether another schema means the same its whole text says.
func (g *avroTypes) meet(n *avro.SchemaNode) (d *decl, fresh bool) {
	full := n.Name
	if n.Namespace != "" && !strings.Contains(full, ".") {
		full = n.Namespace + "." + full
	}
	at := strings.LastIndexByte(full, '.')
	if d := g.met[full]; d != nil {
		return d, false
	}
	identity := full
	if s, err := n.Schema(); err == nil {
		identity += " " + s.String()
	}
	d, fresh = g.declare(decl{
		identity: "avro " + identity, base: exported(full[at+1:]), space: lastSegment(full[:max(at, 0)]), topic: topicName(g.entry.Name),
		says: n.Type + " " + full, doc: n.Doc, entry: g.entry,
	})
	g.met[full] = d
	return d, fresh
}

func (g *avroTypes) record(n *avro.SchemaNode) expr {
	d, fresh := g.meet(n)
	if !fresh {
		return expr{decl: d}
	}
	for i := range n.Fields {
		f := &n.Fields[i]
		one := field{name: exported(f.Name), typ: g.typ(&f.Type), tag: fmt.Sprintf("avro:%q", f.Name), doc: f.Doc}
		if n := g.resolve(&f.Type); n.Type == "union" && strings.HasSuffix(one.typ.String(), "any") {
			one.note = g.branches(n)
		}
		d.fields = append(d.fields, one)
	}
	fieldNames(d.fields)
	return expr{decl: d}
}

// branches tells what a union may hold.
func (g *avroTypes) branches(n *avro.SchemaNode) string {
	var names []string
	for i := range n.Branches {
		b := g.resolve(&n.Branches[i])
		name := avroGo[b.Type+" "+b.LogicalType]
		if name == "" {
			name = avroGo[b.Type]
		}
		switch {
		case b.Type == "null":
			name = "nil"
		case b.Type == "enum":
			name = "string"
		case name == "":
			name = strings.TrimSpace(b.Type + " " + b.Name)
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return "One of " + strings.Join(names, ", ") + "."
}
