package avro

import (
	"errors"
	"fmt"
	"reflect"
	"sync"

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
func (codec) Bind(source schema.Source, t reflect.Type) (schema.Binding, error) {
	bound, err := parse(source)
	if err != nil {
		return nil, diag.New(diag.SchemaInvalid, "%v", err)
	}
	w := walker{seen: make(map[pair]bool)}
	w.bind(bound, t)
	if err := w.faults.Err(); err != nil {
		return nil, err
	}
	return &binding{schema: bound, Target: schema.Target{Type: t, Fields: w.keys}}, nil
}

// binding is one Go struct under one schema.
type binding struct {
	schema.Target
	schema *avro.Schema
	keys   sync.Map // from field to its *avro.Schema
}

// Record is the record's full name.
func (b *binding) Record() string { return fullName(b.schema.Root()) }

// errTrailing reports bytes behind a complete value: the writer used another
// schema than the header says.
var errTrailing = errors.New("bytes are left over behind the value")

// Append encodes v behind dst.
func (b *binding) Append(dst []byte, v any) ([]byte, error) {
	if err := b.Check(v); err != nil {
		return nil, fmt.Errorf("encode avro: %w", err)
	}
	out, err := b.schema.AppendEncode(dst, v)
	if err != nil {
		return nil, fmt.Errorf("encode avro: %w", err)
	}
	return out, nil
}

// Reader returns a decoder for values written under another schema.
func (b *binding) Reader(writer schema.Source) (schema.Decode, error) {
	written, err := parse(writer)
	if err != nil {
		return nil, err
	}
	resolved, err := avro.Resolve(written, b.schema)
	if err != nil {
		return nil, fmt.Errorf("resolve the writer's schema to %s: %w", b.Type, err)
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
	if err := b.Check(v); err != nil {
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
