package jsonvalue

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/schema"
)

// Codec returns the codec for JSON values, for serve.Main and slipway.New.
func Codec() schema.Codec { return codec{} }

type codec struct{}

// Format returns "json".
func (codec) Format() string { return "json" }

// Bind checks that values of type t can be written and read under the schema.
// The error holds one diagnostic for each property at fault.
func (codec) Bind(source schema.Source, t reflect.Type) (schema.Binding, error) {
	bound, err := compile(source)
	if err != nil {
		return nil, diag.New(diag.SchemaInvalid, "%v", err)
	}
	w := walker{seen: make(map[pair]bool)}
	w.bind(bound, t)
	if err := w.faults.Err(); err != nil {
		return nil, err
	}
	names := newNames(t)
	return &binding{schema: bound, Target: schema.Target{Type: t, Fields: names.indexes()}, names: names}, nil
}

// Record is the title of a schema.
func Record(source schema.Source) (string, error) {
	s, err := compile(source)
	if err != nil {
		return "", diag.New(diag.SchemaInvalid, "%v", err)
	}
	return s.Title, nil
}

// binding is one Go struct under one schema.
type binding struct {
	schema.Target
	schema *jsonschema.Schema
	names  *names
}

// Record is the schema's title.
func (b *binding) Record() string { return b.schema.Title }

// Append encodes v behind dst and refuses what the schema does not allow.
func (b *binding) Append(dst []byte, v any) ([]byte, error) {
	if err := b.Check(v); err != nil {
		return nil, fmt.Errorf("encode json: %w", err)
	}
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode json: %w", err)
	}
	tree, err := parse(data)
	if err == nil {
		err = validate(b.schema, tree)
	}
	if err != nil {
		return nil, fmt.Errorf("encode json: %w", err)
	}
	return append(dst, data...), nil
}

// Reader returns a decoder for values written under another schema. JSON
// carries its own structure, so the writer's schema is only checked to be one;
// values are held to the bound schema.
func (b *binding) Reader(writer schema.Source) (schema.Decode, error) {
	if _, err := compile(writer); err != nil {
		return nil, err
	}
	return b.decode, nil
}

func (b *binding) decode(data []byte, v any) error {
	if err := b.Check(v); err != nil {
		return fmt.Errorf("decode json: %w", err)
	}
	reflect.ValueOf(v).Elem().SetZero()
	tree, err := parse(data)
	if err == nil {
		err = validate(b.schema, tree)
	}
	if err == nil {
		err = b.names.exact(tree, "")
	}
	if err == nil {
		err = json.Unmarshal(data, v)
	}
	if err != nil {
		return fmt.Errorf("decode json: %w", err)
	}
	return nil
}
