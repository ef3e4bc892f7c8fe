package asyncapi

import (
	"strconv"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// definitions is where a JSON Schema keeps what it refers to.
const definitions = "definitions"

// A bundle is a JSON Schema that is taken out of a document, with all that it refers
// to there.
type bundle struct {
	*reader
	place string            // of the schema; what begins with it is within
	names map[string]string // of definitions, by pointer
	parts []*contract.Tree
}

// bundle makes a schema stand for itself.
func (r *reader) bundle(schema *contract.Tree, place string) *contract.Tree {
	b := &bundle{reader: r, place: place, names: map[string]string{}}
	for _, c := range children(child(schema, definitions)) {
		b.names["taken "+c.Key] = c.Key
	}
	out := b.walk(schema)
	if len(b.parts) == 0 {
		return out
	}
	for _, c := range out.Children {
		if c.Key == definitions && c.Kind == contract.TreeMapping {
			c.Children = append(c.Children, b.parts...)
			return out
		}
	}
	out.Children = append(out.Children, &contract.Tree{Key: definitions, Kind: contract.TreeMapping, Children: b.parts})
	return out
}

func (b *bundle) walk(t *contract.Tree) *contract.Tree {
	out := *t
	out.Children = make([]*contract.Tree, len(t.Children))
	for i, c := range t.Children {
		out.Children[i] = b.walk(c)
		if c.Key == "$ref" && c.Kind == contract.TreeText && t.Kind == contract.TreeMapping {
			out.Children[i].Text = b.target(c)
		}
	}
	return &out
}

// target is where a reference leads within the bundle.
func (b *bundle) target(link *contract.Tree) string {
	if b.place != "" {
		if rest, within := strings.CutPrefix(link.Text, b.place); within && (rest == "" || rest[0] == '/') {
			return "#" + rest
		}
	}
	found := b.find(link.Text)
	if found == nil {
		b.fault(link, diag.AsyncAPIReference, "%s", nowhere(link.Text))
		return link.Text
	}
	name, known := b.names[link.Text]
	if !known {
		name = b.name(link.Text[strings.LastIndexByte(link.Text, '/')+1:])
		b.names[link.Text] = name
		part := &contract.Tree{}
		b.parts = append(b.parts, part)
		*part = *b.walk(found)
		part.Key = name
	}
	return pointer(definitions, name)
}

// name is a free name of a definition.
func (b *bundle) name(like string) string {
	for n := 1; ; n++ {
		name := like
		if n > 1 {
			name += strconv.Itoa(n)
		}
		if _, taken := b.names["taken "+name]; !taken {
			b.names["taken "+name] = name
			return name
		}
	}
}
