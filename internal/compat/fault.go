package compat

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/slipway-go/slipway/schema"
)

// A Kind is what is wrong at a place, whoever breaks by it.
type Kind string

// The kinds.
const (
	Missing  Kind = "missing"  // what is read is not written, and has no default
	Type     Kind = "type"     // another type is written than can be read
	Symbol   Kind = "symbol"   // a symbol is written that cannot be read
	Null     Kind = "null"     // null is written and cannot be read
	Name     Kind = "name"     // a named type has another name
	Size     Kind = "size"     // a fixed or a decimal has another size
	Twice    Kind = "twice"    // two written fields would be read as one
	Number   Kind = "number"   // a field number of Protobuf means something else
	Accepted Kind = "accepted" // a value that may be written is not accepted
	Format   Kind = "format"   // the schemas are of different formats
)

// A Fault is one reason why values that are written with one schema cannot all
// be read with another.
type Fault struct {
	Kind    Kind
	Path    string // the field, such as lines[].price; empty for the value as a whole
	Written string // what is written there, if anything is
	Read    string // what is read there, if anything is
	Text    string // the reason, for people; does not repeat the path
}

// String is the fault on one line.
func (f Fault) String() string { return f.Where() + ": " + f.Text }

// Where names the place.
func (f Fault) Where() string {
	if f.Path == "" {
		return "the value"
	}
	return "field " + f.Path
}

// A Schema is a schema with all that it builds on, and the contract's name of its
// format; none means Avro.
type Schema struct {
	Format string
	schema.Source
}

// format is the schema's own, or Avro.
func (s Schema) format() string { return cmp.Or(s.Format, "avro") }

// maxFaults bounds what is told of two schemas: who sees a hundred faults has
// compared two schemas that have nothing in common.
const maxFaults = 100

// Unreadable returns why values written with one schema cannot all be read with
// another, in the order of their places; nothing if they can. The error says
// which of the two cannot be parsed.
func Unreadable(writer, reader Schema) ([]Fault, error) {
	if writer.format() != reader.format() {
		return []Fault{{
			Kind: Format, Written: writer.format(), Read: reader.format(),
			Text: fmt.Sprintf("it is written in %s and read in %s", writer.format(), reader.format()),
		}}, nil
	}
	compare := comparers[reader.format()]
	if compare == nil {
		return nil, fmt.Errorf("compare schemas: format %q is not known", reader.format())
	}
	faults, err := compare(writer.Source, reader.Source)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(faults, func(a, b Fault) int { return cmp.Compare(a.Path, b.Path) })
	faults = slices.Compact(faults)
	return faults[:min(len(faults), maxFaults)], nil
}

// comparers decide by format.
var comparers = map[string]func(writer, reader schema.Source) ([]Fault, error){
	"avro":     unreadableAvro,
	"json":     unreadableJSON,
	"protobuf": unreadableProto,
}
