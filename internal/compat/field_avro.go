package compat

import (
	"encoding/json"
	"strings"

	"github.com/twmb/avro"

	"github.com/slipway-go/slipway/schema"
)

func avroFields(source schema.Source) ([]Field, error) {
	s, err := parseAvro("listed", source)
	if err != nil {
		return nil, err
	}
	l := avroLister{named: named{}, open: map[string]bool{}}
	l.inside(s.Root(), "")
	return l.fields, nil
}

// An avroLister walks a schema.
type avroLister struct {
	named  named
	open   map[string]bool // records around the place
	fields []Field
}

// inside lists the fields of the records that a type is made of.
func (l *avroLister) inside(n *avro.SchemaNode, path string) {
	n = l.named.resolve(n)
	switch n.Type {
	case "record":
		name := fullName(n)
		if l.open[name] {
			return
		}
		l.open[name] = true
		for i := range n.Fields {
			l.field(&n.Fields[i], path)
		}
		delete(l.open, name)
	case "array":
		l.inside(n.Items, path+"[]")
	case "map":
		l.inside(n.Values, path+"{}")
	case "union":
		for i := range n.Branches {
			l.inside(&n.Branches[i], path)
		}
	}
}

func (l *avroLister) field(f *avro.SchemaField, path string) {
	at := join(path, f.Name)
	one := Field{Path: at, Type: l.spell(&f.Type), Doc: f.Doc, Was: f.Aliases, floating: l.floating(&f.Type)}
	if f.HasDefault {
		one.Default = literal(f.Default)
	}
	l.fields = append(l.fields, one)
	l.inside(&f.Type, at)
}

// spell is describe with the symbols of enums.
func (l *avroLister) spell(n *avro.SchemaNode) string {
	n = l.named.resolve(n)
	switch n.Type {
	case "union":
		var parts []string
		for i := range n.Branches {
			parts = append(parts, l.spell(&n.Branches[i]))
		}
		return strings.Join(parts, " or ")
	case "array":
		return "array of " + l.spell(n.Items)
	case "map":
		return "map of " + l.spell(n.Values)
	case "enum":
		text := "enum " + lastName(n.Name) + " (" + strings.Join(n.Symbols, ", ")
		if n.HasEnumDefault {
			text += "; default " + n.EnumDefault
		}
		return text + ")"
	}
	return describe(n)
}

// floating reports whether a type is, or may be, a floating-point number.
func (l *avroLister) floating(n *avro.SchemaNode) bool {
	n = l.named.resolve(n)
	for i := range n.Branches {
		if l.floating(&n.Branches[i]) {
			return true
		}
	}
	return n.Type == "float" || n.Type == "double" ||
		n.Type == "array" && l.floating(n.Items) || n.Type == "map" && l.floating(n.Values)
}

// literal is a default as JSON.
func literal(v any) string {
	if b, ok := v.([]byte); ok {
		v = string(b)
	}
	text, err := json.Marshal(v)
	if err != nil { // NaN and the infinities
		return "a number that JSON does not have"
	}
	return string(text)
}
