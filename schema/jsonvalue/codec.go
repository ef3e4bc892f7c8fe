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
func (codec) Bind(text string, t reflect.Type) (schema.Binding, error) {
	bound, err := compile(text)
	if err != nil {
		return nil, diag.New(diag.SchemaInvalid, "%v", err)
	}
	w := walker{seen: make(map[pair]bool)}
	w.bind(bound, t)
	if err := w.faults.Err(); err != nil {
		return nil, err
	}
	return &binding{schema: bound, of: t, names: newNames(t)}, nil
}

// binding is one Go struct under one schema.
type binding struct {
	schema *jsonschema.Schema
	of     reflect.Type
	names  *names
}

// Append encodes v behind dst and refuses what the schema does not allow.
func (b *binding) Append(dst []byte, v any) ([]byte, error) {
	if err := b.check(v); err != nil {
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

// Reader returns a decoder for values written under another schema text. JSON
// carries its own structure, so the writer's schema is only checked to be one;
// values are held to the bound schema.
func (b *binding) Reader(writer string) (schema.Decode, error) {
	if _, err := compile(writer); err != nil {
		return nil, err
	}
	return b.decode, nil
}

func (b *binding) decode(data []byte, v any) error {
	if err := b.check(v); err != nil {
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

// Key returns a top-level property of v as a record key.
func (b *binding) Key(v any, field string) ([]byte, error) {
	if err := b.check(v); err != nil {
		return nil, fmt.Errorf("read key %s: %w", field, err)
	}
	f, ok := b.names.field(field)
	if !ok {
		return nil, fmt.Errorf("read key %s: schema has no such property at its top level", field)
	}
	value, err := reflect.ValueOf(v).Elem().FieldByIndexErr(f.index)
	if err != nil {
		return nil, fmt.Errorf("read key %s: %w", field, err)
	}
	key, err := schema.KeyBytes(value)
	if err != nil {
		return nil, fmt.Errorf("read key %s: %w", field, err)
	}
	return key, nil
}

// check refuses anything but a pointer to the bound type.
func (b *binding) check(v any) error {
	if t := reflect.TypeOf(v); t != reflect.PointerTo(b.of) {
		return fmt.Errorf("got a %v, want a *%v", t, b.of)
	}
	if reflect.ValueOf(v).IsNil() {
		return fmt.Errorf("got a nil *%v", b.of)
	}
	return nil
}
