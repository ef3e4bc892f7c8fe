package schema

import (
	"errors"
	"fmt"
	"reflect"
)

// A Target is the Go struct that a [Binding] writes and reads. Codecs build
// theirs on it, so that all refuse the same values and find keys alike.
type Target struct {
	Type   reflect.Type
	Fields map[string][]int // the schema's fields, at its top level, to those of the struct
}

// Check refuses anything but a pointer to the bound type.
func (t Target) Check(v any) error {
	if got := reflect.TypeOf(v); got != reflect.PointerTo(t.Type) {
		return fmt.Errorf("got a %v, want a *%v", got, t.Type)
	}
	if reflect.ValueOf(v).IsNil() {
		return fmt.Errorf("got a nil *%v", t.Type)
	}
	return nil
}

// Field returns the value of a field of the schema.
func (t Target) Field(v any, field string) (reflect.Value, error) {
	if err := t.Check(v); err != nil {
		return reflect.Value{}, err
	}
	index, ok := t.Fields[field]
	if !ok {
		return reflect.Value{}, errors.New("schema has no such field at its top level")
	}
	return reflect.ValueOf(v).Elem().FieldByIndexErr(index)
}

// Key is [Binding.Key].
func (t Target) Key(v any, field string) ([]byte, error) {
	value, err := t.Field(v, field)
	if err != nil {
		return nil, fmt.Errorf("read key %s: %w", field, err)
	}
	key, err := KeyBytes(value)
	if err != nil {
		return nil, fmt.Errorf("read key %s: %w", field, err)
	}
	return key, nil
}
