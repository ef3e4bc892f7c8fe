package schema

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strconv"
)

// ErrNilKey reports a key field that holds nothing. A record without key has
// no place in an order.
var ErrNilKey = errors.New("key field is null")

// KeyBytes returns what a field's value is as a record key: the text of a
// string or of a type that marshals to text, an integer in decimal, bytes as
// they are. Pointers are followed. Codecs use it for [Binding.Key].
func KeyBytes(field reflect.Value) ([]byte, error) {
	for field.Kind() == reflect.Pointer {
		if field.IsNil() {
			return nil, ErrNilKey
		}
		field = field.Elem()
	}
	if m, ok := marshaler(field); ok {
		return m.MarshalText()
	}
	switch field.Kind() {
	case reflect.String:
		return []byte(field.String()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.AppendInt(nil, field.Int(), 10), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return strconv.AppendUint(nil, field.Uint(), 10), nil
	case reflect.Slice, reflect.Array:
		if field.Type().Elem().Kind() == reflect.Uint8 {
			return bytesOf(field), nil
		}
	}
	return nil, fmt.Errorf("a %s cannot be a key: want a string, an integer or bytes", field.Type())
}

// bytesOf copies a slice or array of bytes, of a named byte type too.
func bytesOf(v reflect.Value) []byte {
	b := make([]byte, v.Len())
	for i := range b {
		b[i] = byte(v.Index(i).Uint())
	}
	return b
}

// marshaler finds MarshalText on a value or on its address.
func marshaler(v reflect.Value) (encoding.TextMarshaler, bool) {
	if v.CanAddr() {
		v = v.Addr()
	}
	return reflect.TypeAssert[encoding.TextMarshaler](v)
}
