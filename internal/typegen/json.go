package typegen

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// json declares the types of an entry's JSON Schema and returns that of its
// values.
func (u *universe) json(e Entry) expr {
	root, err := document(e.Schema.Schema)
	if err != nil {
		u.fault(diag.SchemaInvalid, e, "the schema of %s cannot be parsed: %v", e.Topic, err)
		return plain("any")
	}
	g := jsonTypes{universe: u, entry: e, root: root, open: map[string]*decl{}}
	at, _ := g.follow(root)
	if !slices.Equal(kindsOf(at), []string{"object"}) || combines(at) {
		u.fault(diag.GenerateType, e, "the schema of %s is no plain object at its root: an event has named fields", e.Topic)
		return plain("any")
	}
	return g.object(at, "#", topicName(e.Topic))
}

func document(text string) (any, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the schema")
	}
	return v, nil
}

// jsonTypes turns one schema into Go types.
type jsonTypes struct {
	*universe
	entry Entry
	root  any
	open  map[string]*decl // by place in the document
}

// combining are the keywords that leave no one structure to declare.
var combining = []string{"allOf", "anyOf", "oneOf", "not", "if", "$dynamicRef", "$recursiveRef"}

func combines(m map[string]any) bool {
	return slices.ContainsFunc(combining, func(keyword string) bool { return m[keyword] != nil })
}

// follow goes where references within the document lead. A reference to another
// document, as one that leads nowhere, gives nil: then anything may be there.
func (g *jsonTypes) follow(s any) (at map[string]any, place string) {
	for range 30 {
		m, _ := s.(map[string]any)
		to, ok := m["$ref"].(string)
		if !ok || m["type"] != nil {
			return m, place
		}
		if !strings.HasPrefix(to, "#") {
			return nil, ""
		}
		place, s = to, g.root
		for step := range strings.SplitSeq(strings.Trim(strings.TrimPrefix(to, "#"), "/"), "/") {
			if step == "" {
				continue
			}
			inner, _ := s.(map[string]any)
			s = inner[strings.NewReplacer("~1", "/", "~0", "~").Replace(step)]
		}
	}
	return nil, ""
}

func kindsOf(m map[string]any) []string {
	switch t := m["type"].(type) {
	case string:
		return []string{t}
	case []any:
		var all []string
		for _, one := range t {
			if s, ok := one.(string); ok {
				all = append(all, s)
			}
		}
		return all
	}
	return nil
}

// typ is the Go type that the codec binds to a schema, and whether a value of it
// may be null. name is what a type without a name of its own is called, and
// place where it stands.
func (g *jsonTypes) typ(s any, place, name string) (typ expr, null bool) {
	m, to := g.follow(s)
	if to != "" {
		place, name = to, exported(to[strings.LastIndexByte(to, '/')+1:])
		if to == "#" {
			name = topicName(g.entry.Topic)
		}
	}
	kinds := kindsOf(m)
	null = slices.Contains(kinds, "null")
	kinds = slices.DeleteFunc(kinds, func(k string) bool { return k == "null" })
	if len(kinds) != 1 || combines(m) {
		return plain("any"), true
	}
	switch kinds[0] {
	case "string":
		return g.text(m, place, name), null
	case "integer":
		return plain("int64"), null
	case "number":
		return plain("float64"), null
	case "boolean":
		return plain("bool"), null
	case "array":
		return g.element(m["items"], place+"/items", name+"Item").in("[]"), null
	case "object":
		if p, _ := m["properties"].(map[string]any); len(p) > 0 {
			return g.object(m, place, name), null
		}
		return g.element(m["additionalProperties"], place+"/additionalProperties", name+"Value").in("map[string]"), null
	}
	return plain("any"), true
}

// element is what an array or a map holds.
func (g *jsonTypes) element(s any, place, name string) expr {
	if _, ok := s.(map[string]any); !ok {
		return plain("any")
	}
	typ, null := g.typ(s, place, name)
	if null && typ.String() != "any" && !nilable(typ) {
		return typ.in("*")
	}
	return typ
}

// nilable reports whether a Go type has a nil that is JSON's null.
func nilable(t expr) bool {
	text := t.String()
	return strings.HasPrefix(text, "[]") || strings.HasPrefix(text, "map[") || strings.HasPrefix(text, "*") || t.base == "any"
}

// text is a string, one of a few, or a time.
func (g *jsonTypes) text(m map[string]any, place, name string) expr {
	values, _ := m["enum"].([]any)
	var symbols []string
	for _, v := range values {
		if s, ok := v.(string); ok {
			symbols = append(symbols, s)
		}
	}
	switch {
	case len(symbols) > 0:
		d, _ := g.declare(g.declaration(m, place, name))
		d.enum, d.symbols = true, symbols
		return expr{decl: d}
	case m["format"] == "date-time":
		return plain("time.Time")
	}
	return plain("string")
}

func (g *jsonTypes) declaration(m map[string]any, place, name string) decl {
	title, _ := m["title"].(string)
	if title != "" && len(words(title)) < 5 { // more is a sentence
		name = exported(title)
	}
	doc, _ := m["description"].(string)
	return decl{
		identity: fmt.Sprintf("json %s %s %s", name, encode(m), encode(g.definitions(m))), base: name, topic: topicName(g.entry.Name),
		says: at(place), part: true, doc: doc, entry: g.entry,
	}
}

// at names a place of a document.
func at(place string) string {
	if place == "#" {
		return "the value"
	}
	return "what is at " + place
}

// definitions is the document that references of a schema lead into, nil if it
// has none.
func (g *jsonTypes) definitions(s any) any {
	if strings.Contains(encode(s), `"$ref"`) {
		return g.root
	}
	return nil
}

func encode(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}

// object declares a struct.
func (g *jsonTypes) object(m map[string]any, place, name string) expr {
	if d := g.open[place]; d != nil {
		return expr{decl: d}
	}
	d, fresh := g.declare(g.declaration(m, place, name))
	g.open[place] = d
	if !fresh {
		return expr{decl: d}
	}
	properties, _ := m["properties"].(map[string]any)
	required, _ := m["required"].([]any)
	for _, p := range slices.Sorted(maps.Keys(properties)) {
		if !taggable(p) {
			g.fault(diag.GenerateType, g.entry, "property %q of %s has a name that no struct tag can spell", p, g.entry.Topic)
			continue
		}
		one := field{name: exported(p), tag: p}
		if p == "-" {
			one.tag = "-,"
		}
		var null bool
		one.typ, null = g.typ(properties[p], place+"/properties/"+p, d.base+exported(p))
		must := slices.Contains(required, any(p))
		if !nilable(one.typ) && (null || !must) {
			one.typ = one.typ.in("*")
		}
		if !must {
			one.tag = strings.TrimSuffix(one.tag, ",") + ",omitempty"
		}
		one.tag = fmt.Sprintf("json:%q", one.tag)
		if at, _ := g.follow(properties[p]); at != nil {
			one.doc, _ = at["description"].(string)
		}
		if must && !null && nilable(one.typ) && one.typ.base != "any" {
			one.note = "Nil would be written as null, which the schema refuses: make it empty."
		}
		d.fields = append(d.fields, one)
	}
	fieldNames(d.fields)
	return expr{decl: d}
}

// taggable reports whether encoding/json takes a name from a tag.
func taggable(name string) bool {
	for _, r := range name {
		if !strings.ContainsRune("!#$%&()*+-./:;<=>?@[]^_{|}~ ", r) && !isLetterOrDigit(r) {
			return false
		}
	}
	return name != ""
}
