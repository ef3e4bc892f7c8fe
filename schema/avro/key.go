package avro

import (
	"fmt"

	"github.com/twmb/avro"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/schema"
)

var _ schema.Keyer = (*binding)(nil)

// Record is the full name of the record that a schema is.
func Record(source schema.Source) (string, error) {
	s, err := parse(source)
	if err != nil {
		return "", diag.New(diag.SchemaInvalid, "%v", err)
	}
	return fullName(s.Root()), nil
}

// KeySchema returns the schema of keys that are a field of a record: the
// field's own, complete in itself.
func KeySchema(source schema.Source, field string) (string, error) {
	s, err := parse(source)
	if err != nil {
		return "", diag.New(diag.SchemaInvalid, "%v", err)
	}
	key, err := keyOf(s, field)
	if err != nil {
		return "", err
	}
	return key.String(), nil
}

// keyOf is the schema of a top-level field. What has no one form of bytes, or
// may be nothing, is no key: two keys that are equal would not be the same.
func keyOf(s *avro.Schema, field string) (*avro.Schema, error) {
	root := s.Root()
	for i := range root.Fields {
		f := &root.Fields[i]
		if f.Name != field {
			continue
		}
		switch f.Type.Type {
		case "union", "map", "array", "null", "float", "double":
			return nil, diag.New(diag.SchemaKey, "key %s is %s, whose bytes do not tell equal keys", field, describe(&f.Type)).
				WithFix("use a field of type string, int, long, bytes, fixed, enum or a record of these")
		}
		return f.Type.Schema()
	}
	return nil, diag.New(diag.SchemaKey, "key %s: schema has no such field at its top level", field)
}

// KeySchema is the schema of a field.
func (b *binding) KeySchema(field string) (string, error) {
	key, err := b.keySchema(field)
	if err != nil {
		return "", err
	}
	return key.String(), nil
}

// AppendKey encodes a field of v.
func (b *binding) AppendKey(dst []byte, v any, field string) ([]byte, error) {
	value, err := b.Field(v, field)
	if err != nil {
		return nil, fmt.Errorf("encode key %s: %w", field, err)
	}
	return b.EncodeKey(dst, field, value.Interface())
}

// EncodeKey encodes a key that stands alone.
func (b *binding) EncodeKey(dst []byte, field string, key any) ([]byte, error) {
	s, err := b.keySchema(field)
	if err != nil {
		return nil, err
	}
	out, err := s.AppendEncode(dst, key)
	if err != nil {
		return nil, fmt.Errorf("encode key %s: %w", field, err)
	}
	return out, nil
}

func (b *binding) keySchema(field string) (*avro.Schema, error) {
	if key, ok := b.keys.Load(field); ok {
		return key.(*avro.Schema), nil
	}
	key, err := keyOf(b.schema, field)
	if err == nil {
		b.keys.Store(field, key)
	}
	return key, err
}
