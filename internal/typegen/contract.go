package typegen

import (
	"cmp"
	"maps"
	"slices"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/schema"
)

// A Contract is what code is generated from.
type Contract struct {
	Service  string
	Consumes []Entry // handled ones; tables are read, not handled
	Produces []Entry
}

// An Entry is one consumed entry or produced topic.
type Entry struct {
	Name     string // of the entry; of a produced topic its own
	Topic    string
	Position diag.Position
	Schema   *Schema // nil means bytes
}

// A Schema is a schema with all that it builds on.
type Schema struct {
	Format contract.Format
	schema.Source
	File string // as its contract names it
}

// From returns what the contract of a service in an estate leads to. A consumed
// entry without a schema of its own is read with the owner's.
func From(e *contract.Estate, s *contract.Service) (Contract, error) {
	c := Contract{Service: s.Name}
	var faults diag.List
	for _, name := range slices.Sorted(maps.Keys(s.Consumes)) {
		in := s.Consumes[name]
		if in.As == contract.Table {
			continue
		}
		entry := Entry{Name: name, Topic: in.Topic, Position: s.Position("consumes", name)}
		var err error
		if in.Schema != nil {
			entry.Schema, err = schemaOf(s, in.Schema)
		} else {
			entry.Schema, err = owners(e, in.Topic)
		}
		if err != nil {
			faults.Add(diag.New(diag.PlanSchemaMissing, "the schema of %s is not there: %v", name, err).At(entry.Position))
		}
		c.Consumes = append(c.Consumes, entry)
	}
	for _, topic := range slices.Sorted(maps.Keys(s.Produces)) {
		entry := Entry{Name: topic, Topic: topic, Position: s.Position("produces", topic)}
		var err error
		if entry.Schema, err = owners(e, topic); err != nil {
			faults.Add(diag.New(diag.PlanSchemaMissing, "the schema of %s is not there: %v", topic, err).At(entry.Position))
		}
		c.Produces = append(c.Produces, entry)
	}
	return c, faults.Err()
}

// owners is the schema of a topic's owner, nil if it has none.
func owners(e *contract.Estate, topic string) (*Schema, error) {
	for _, s := range e.Services {
		if t := s.Topics[topic]; t != nil && t.Schema != nil {
			return schemaOf(s, t.Schema)
		}
	}
	if e.External != nil {
		if t := e.External.Topics[topic]; t != nil && t.Schema != nil {
			return schemaOf(e.External, t.Schema)
		}
	}
	return nil, nil
}

// holder is a file that names schemas.
type holder interface {
	SchemaText(*contract.Schema) (string, error)
	Imports(*contract.Schema) ([]contract.Import, error)
}

func schemaOf(from holder, declared *contract.Schema) (*Schema, error) {
	source, err := schema.SourceOf(from, declared, "")
	if err != nil {
		return nil, err
	}
	return &Schema{Format: cmp.Or(declared.Format, contract.Avro), Source: source, File: declared.File}, nil
}
