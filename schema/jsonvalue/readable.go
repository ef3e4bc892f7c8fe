package jsonvalue

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"reflect"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/slipway-go/slipway/schema"
)

// Readable returns nil if no value is known that one schema lets be written and
// another does not let be read, and else an error that names the properties at
// fault and the reasons.
//
// Not all of JSON Schema can be decided. What is told is certain: a type that
// is not read, a property that may be missing or is not accepted, a value
// outside of an enumeration or a bound. Where the writer's schema combines
// others (allOf, anyOf, if …) nothing is told of that place, nor of properties
// that it does not name, although it may leave them open.
func Readable(writer, reader schema.Source) error {
	faults, err := Unreadable(writer, reader)
	if err != nil || len(faults) == 0 {
		return err
	}
	told := make([]string, min(len(faults), maxFaults))
	for i := range told {
		told[i] = faults[i].String()
	}
	return errors.New(strings.Join(told, "; "))
}

// A Fault is one reason why a value that may be written cannot be read.
type Fault struct {
	Path string // the property, such as lines[].price; empty for the value as a whole
	Text string // the reason
}

// Missing reports whether the property is required to be read and may be
// missing.
func (f Fault) Missing() bool { return f.Text == missing }

// String is the fault on one line.
func (f Fault) String() string {
	if f.Path == "" {
		return "the value: " + f.Text
	}
	return "field " + f.Path + ": " + f.Text
}

// Unreadable returns what [Readable] tells, fault by fault, and more than a few
// of them. The error says which of the schemas cannot be parsed.
func Unreadable(writer, reader schema.Source) ([]Fault, error) {
	w, err := document(writer)
	if err != nil {
		return nil, fmt.Errorf("the writer's schema: %w", err)
	}
	r, err := document(reader)
	if err != nil {
		return nil, fmt.Errorf("the reader's schema: %w", err)
	}
	c := comparison{writer: w, reader: r, seen: map[[2]uintptr]bool{}}
	c.compare(w, r, "")
	return c.faults, nil
}

// document is a schema that compiles, as a tree.
func document(source schema.Source) (any, error) {
	if _, err := compile(source); err != nil {
		return nil, err
	}
	return jsonschema.UnmarshalJSON(strings.NewReader(source.Schema))
}

// maxFaults is how many reasons [Readable] tells: who reads them changes the
// schema after the first. A comparison ends at mostFaults.
const (
	maxFaults  = 5
	mostFaults = 100
)

// A comparison walks two schemas side by side.
type comparison struct {
	writer, reader any                 // the whole documents, which references lead into
	seen           map[[2]uintptr]bool // pairs of places: a schema may contain itself
	faults         []Fault
}

func (c *comparison) fault(path, format string, args ...any) {
	if len(c.faults) < mostFaults {
		c.faults = append(c.faults, Fault{Path: strings.TrimPrefix(path, "."), Text: fmt.Sprintf(format, args...)})
	}
}

// combining are the keywords by which a schema accepts less than its others
// say.
var combining = []string{
	"$ref", "$dynamicRef", "$recursiveRef", "allOf", "anyOf", "oneOf", "not", "if",
	"dependentRequired", "dependentSchemas", "dependencies", "patternProperties", "propertyNames",
	"unevaluatedProperties", "unevaluatedItems", "contains", "prefixItems",
}

// compare looks at the schemas of one place.
func (c *comparison) compare(w, r any, path string) {
	w, r = follow(c.writer, w), follow(c.reader, r)
	reader, ok := r.(map[string]any)
	switch {
	case w == false || len(c.faults) == mostFaults:
		return
	case r == false:
		c.fault(path, "it is not accepted")
		return
	case !ok:
		return
	}
	writer, _ := w.(map[string]any)
	at := [2]uintptr{reflect.ValueOf(writer).Pointer(), reflect.ValueOf(reader).Pointer()}
	if c.seen[at] {
		return
	}
	c.seen[at] = true
	for _, keyword := range combining {
		if _, found := writer[keyword]; found {
			return
		}
	}
	if values, finite := values(writer); finite {
		c.enumerated(values, reader, path)
		return
	}
	if !c.types(writer, reader, path) || !c.enumeration(writer, reader, path) {
		return
	}
	c.numbers(writer, reader, path)
	c.lengths(writer, reader, path)
	c.properties(writer, reader, path)
	if items, found := writer["items"]; found && may(writer, "array") && reader["prefixItems"] == nil && reader["items"] != nil {
		c.compare(items, reader["items"], path+"[]")
	}
}

// follow goes where a reference within the document leads, if the reference is
// all there is at its place.
func follow(root, s any) any {
	for range 20 {
		m, _ := s.(map[string]any)
		ref, ok := m["$ref"].(string)
		if !ok || len(m) > 1 || !strings.HasPrefix(ref, "#/") {
			return s
		}
		at := root
		for step := range strings.SplitSeq(ref[len("#/"):], "/") {
			step = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
			inner, _ := at.(map[string]any)
			if at, ok = inner[step]; !ok {
				return s
			}
		}
		s = at
	}
	return s
}

// values are all that a schema accepts, if it lists them.
func values(s map[string]any) ([]any, bool) {
	if v, ok := s["const"]; ok {
		return []any{v}, true
	}
	v, ok := s["enum"].([]any)
	return v, ok
}

// enumerated checks a writer that lists its values against a reader that does.
func (c *comparison) enumerated(written []any, reader map[string]any, path string) {
	read, finite := values(reader)
	if !finite {
		return
	}
	for _, v := range written {
		if !slices.ContainsFunc(read, func(r any) bool { return same(r, v) }) {
			c.fault(path, "%.100s is written and not read", text(v))
		}
	}
}

// types reports whether it is worth to look further.
func (c *comparison) types(writer, reader map[string]any, path string) bool {
	read := words(reader["type"])
	written := words(writer["type"])
	if len(read) == 0 {
		return true
	}
	if len(written) == 0 {
		c.fault(path, "any type may be written, and it is read as %s", strings.Join(read, " or "))
		return false
	}
	for _, t := range written {
		if !slices.Contains(read, t) && !(t == "integer" && slices.Contains(read, "number")) {
			c.fault(path, "it is written as %s and read as %s", strings.Join(written, " or "), strings.Join(read, " or "))
			return false
		}
	}
	return true
}

// enumeration finds a reader that takes listed values of a writer that lists
// none. Two booleans and null may well be all of them.
func (c *comparison) enumeration(writer, reader map[string]any, path string) bool {
	read, finite := values(reader)
	if !finite || !may(writer, "string") && !may(writer, "integer") && !may(writer, "object") && !may(writer, "array") {
		return true
	}
	c.fault(path, "any value may be written, and only %.100s is read", text(read))
	return false
}

// may reports whether a schema accepts values of a type.
func may(s map[string]any, typ string) bool {
	all := words(s["type"])
	return len(all) == 0 || slices.Contains(all, typ) || typ == "integer" && slices.Contains(all, "number")
}

// numbers compares the bounds of numbers, where each side has an inclusive and
// an exclusive one.
func (c *comparison) numbers(writer, reader map[string]any, path string) {
	if !may(writer, "integer") || writer["multipleOf"] != nil {
		return
	}
	for _, b := range []struct {
		inclusive, exclusive string
		sign                 int // 1 where a greater bound is looser
	}{{"maximum", "exclusiveMaximum", 1}, {"minimum", "exclusiveMinimum", -1}} {
		within := func(limit *big.Rat, strict bool) bool {
			in, hasIn := number(writer[b.inclusive])
			ex, hasEx := number(writer[b.exclusive])
			least := 0
			if strict {
				least = 1 // an inclusive bound must be stricter than an exclusive one
			}
			return hasIn && limit.Cmp(in)*b.sign >= least || hasEx && limit.Cmp(ex)*b.sign >= 0
		}
		if limit, ok := number(reader[b.inclusive]); ok && !within(limit, false) {
			c.fault(path, "%s %s is read, and more may be written", b.inclusive, limit.RatString())
		}
		if limit, ok := number(reader[b.exclusive]); ok && !within(limit, true) {
			c.fault(path, "%s %s is read, and more may be written", b.exclusive, limit.RatString())
		}
	}
}

// lengths compares the lengths of text. A pattern or a format may bound the
// writer's as well, and is not understood here.
func (c *comparison) lengths(writer, reader map[string]any, path string) {
	if !may(writer, "string") || writer["pattern"] != nil || writer["format"] != nil {
		return
	}
	if limit, ok := number(reader["maxLength"]); ok {
		if own, bounded := number(writer["maxLength"]); !bounded || own.Cmp(limit) > 0 {
			c.fault(path, "text of %s characters is read, and longer may be written", limit.RatString())
		}
	}
	if limit, ok := number(reader["minLength"]); ok && limit.Sign() > 0 {
		if own, bounded := number(writer["minLength"]); !bounded || own.Cmp(limit) < 0 {
			c.fault(path, "text of at least %s characters is read, and shorter may be written", limit.RatString())
		}
	}
}

const missing = "it is required to be read, and may be missing"

func (c *comparison) properties(writer, reader map[string]any, path string) {
	if !may(writer, "object") {
		return
	}
	always := words(writer["required"])
	for _, name := range words(reader["required"]) {
		if !slices.Contains(always, name) {
			c.fault(path+"."+name, missing)
		}
	}
	written, _ := writer["properties"].(map[string]any)
	read, _ := reader["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(written)) {
		s, declared := read[name]
		if !declared {
			s = reader["additionalProperties"]
		}
		if s != nil && (declared || reader["patternProperties"] == nil) {
			c.compare(written[name], s, path+"."+name)
		}
	}
}

// words are what a keyword lists that takes one or several.
func words(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, item := range v {
			if s, ok := item.(string); ok {
				all = append(all, s)
			}
		}
		return all
	}
	return nil
}

func number(v any) (*big.Rat, bool) {
	n, ok := v.(json.Number)
	if !ok || bounded(n.String()) != nil {
		return nil, false
	}
	return new(big.Rat).SetString(n.String())
}

// same compares values as JSON Schema does: 1 is 1.0.
func same(a, b any) bool {
	x, ok := number(a)
	y, both := number(b)
	if ok && both {
		return x.Cmp(y) == 0
	}
	return text(a) == text(b)
}

// text is a value as JSON, with the keys of objects in order.
func text(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(data)
}
