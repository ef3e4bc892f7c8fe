package avro

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/twmb/avro"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/schema"
)

// Codec returns the codec for Avro values, for serve.Main and slipway.New.
func Codec() schema.Codec { return codec{} }

type codec struct{}

// Format returns "avro".
func (codec) Format() string { return "avro" }

// Bind checks that values of type t can be written and read under the schema.
// The error holds one diagnostic for each field at fault.
func (codec) Bind(text string, t reflect.Type) (schema.Binding, error) {
	bound, err := parse(text)
	if err != nil {
		return nil, diag.New(diag.SchemaInvalid, "%v", err)
	}
	w := walker{seen: make(map[pair]bool)}
	w.bind(bound, t)
	if err := w.faults.Err(); err != nil {
		return nil, err
	}
	return &binding{schema: bound, of: t, fields: w.keys}, nil
}

// parse is avro.Parse with an error that begins the same everywhere.
func parse(text string) (*avro.Schema, error) {
	s, err := avro.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("parse avro schema: %w", err)
	}
	return s, nil
}

// binding is one Go struct under one schema.
type binding struct {
	schema *avro.Schema
	of     reflect.Type
	fields map[string][]int // top-level schema field to Go field
}

// errTrailing reports bytes behind a complete value: the writer used another
// schema than the header says.
var errTrailing = errors.New("bytes are left over behind the value")

// Append encodes v behind dst.
func (b *binding) Append(dst []byte, v any) ([]byte, error) {
	if err := b.check(v); err != nil {
		return nil, fmt.Errorf("encode avro: %w", err)
	}
	out, err := b.schema.AppendEncode(dst, v)
	if err != nil {
		return nil, fmt.Errorf("encode avro: %w", err)
	}
	return out, nil
}

// Reader returns a decoder for values written under another schema text.
func (b *binding) Reader(writer string) (schema.Decode, error) {
	written, err := parse(writer)
	if err != nil {
		return nil, err
	}
	resolved, err := avro.Resolve(written, b.schema)
	if err != nil {
		return nil, fmt.Errorf("resolve the writer's schema to %s: %w", b.of, err)
	}
	values := shapeOf(written)
	return func(data []byte, v any) error {
		if err := b.decode(resolved, values, data, v); err != nil {
			return fmt.Errorf("decode avro: %w", err)
		}
		return nil
	}, nil
}

func (b *binding) decode(resolved *avro.Schema, values *shape, data []byte, v any) error {
	if err := b.check(v); err != nil {
		return err
	}
	reflect.ValueOf(v).Elem().SetZero()
	if values != nil {
		var err error
		if data, err = joined(values, data); err != nil {
			return err
		}
	}
	rest, err := resolved.Decode(data, v)
	if err == nil && len(rest) > 0 {
		err = errTrailing
	}
	return err
}

// joined scans a value, and puts arrays that came in several blocks into one.
func joined(values *shape, data []byte) ([]byte, error) {
	var c scanner
	if _, err := c.skip(values, data, 0); err != nil || !c.split {
		return data, err
	}
	data, rest := values.join(make([]byte, 0, len(data)), data)
	return append(data, rest...), nil
}

// Key returns a top-level field of v as a record key.
func (b *binding) Key(v any, field string) ([]byte, error) {
	if err := b.check(v); err != nil {
		return nil, fmt.Errorf("read key %s: %w", field, err)
	}
	index, ok := b.fields[field]
	if !ok {
		return nil, fmt.Errorf("read key %s: schema has no such field at its top level", field)
	}
	value, err := reflect.ValueOf(v).Elem().FieldByIndexErr(index)
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
