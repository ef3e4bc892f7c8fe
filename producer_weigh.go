package slipway

import (
	"encoding"
	"encoding/json"
	"reflect"
)

// A weigher returns how many bytes a value takes at least once it is encoded,
// whatever the format. It stops counting above the limit, so that refusing a
// huge value costs neither its time nor its memory.
//
// It counts what no format makes smaller: long strings and byte slices, and
// the elements of lists. Short strings may be names of an enum, which are
// encoded as a number, and types that encode themselves may do anything: both
// count as nothing.
type weigher func(v reflect.Value, limit int) int

// longText is the length from which on text is counted: beyond the names of
// enums, ids and times in words.
const longText = 256

// weigherOf makes the weigher of a type; nil if its values weigh nothing.
func weigherOf(t reflect.Type) weigher { return make(weighers).of(t) }

// weighers are those of a type's parts. A type that contains itself finds
// itself here.
type weighers map[reflect.Type]*weigher

func (m weighers) of(t reflect.Type) weigher {
	if known := m[t]; known != nil {
		return func(v reflect.Value, limit int) int {
			if *known == nil {
				return 0
			}
			return (*known)(v, limit)
		}
	}
	if encodesItself(t) {
		return nil
	}
	w := new(weigher)
	m[t] = w
	*w = m.build(t)
	return *w
}

func (m weighers) build(t reflect.Type) weigher {
	switch t.Kind() {
	case reflect.String:
		return weighText
	case reflect.Slice:
		return m.slice(t)
	case reflect.Pointer:
		return optional(m.of(t.Elem()))
	case reflect.Struct:
		return m.fields(t)
	case reflect.Map:
		return m.entries(t)
	case reflect.Interface:
		return weighAny
	default:
		return nil
	}
}

func weighText(v reflect.Value, _ int) int {
	if n := v.Len(); n >= longText {
		return n
	}
	return 0
}

func optional(of weigher) weigher {
	if of == nil {
		return nil
	}
	return func(v reflect.Value, limit int) int {
		if v.IsNil() {
			return 0
		}
		return of(v.Elem(), limit)
	}
}

// weighAny weighs what an interface holds, if that is text.
func weighAny(v reflect.Value, limit int) int {
	switch e := v.Elem(); e.Kind() {
	case reflect.String:
		return weighText(e, limit)
	case reflect.Slice:
		if e.Type().Elem().Kind() == reflect.Uint8 {
			return weighText(e, limit)
		}
	}
	return 0
}

// slice weighs elements: a number or a text takes a byte at least.
func (m weighers) slice(t reflect.Type) weigher {
	elem := t.Elem()
	if elem.Kind() == reflect.Uint8 {
		return weighText
	}
	least := 0
	switch k := elem.Kind(); {
	case encodesItself(elem):
	case k >= reflect.Bool && k <= reflect.Float64, k == reflect.String:
		least = 1
	}
	each := m.of(elem)
	return func(v reflect.Value, limit int) int {
		n := v.Len() * least
		for i := 0; each != nil && i < v.Len() && n <= limit; i++ {
			n += each(v.Index(i), limit)
		}
		return n
	}
}

func (m weighers) entries(t reflect.Type) weigher {
	each := m.of(t.Elem())
	if each == nil {
		return nil
	}
	return func(v reflect.Value, limit int) int {
		n := 0
		for it := v.MapRange(); it.Next() && n <= limit; {
			n += each(it.Value(), limit)
		}
		return n
	}
}

// fields weighs what is exported and not left out by a tag.
func (m weighers) fields(t reflect.Type) weigher {
	type field struct {
		index int
		of    weigher
	}
	var all []field
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() || f.Tag.Get("json") == "-" || f.Tag.Get("avro") == "-" {
			continue
		}
		if of := m.of(f.Type); of != nil {
			all = append(all, field{i, of})
		}
	}
	if all == nil {
		return nil
	}
	return func(v reflect.Value, limit int) int {
		n := 0
		for _, f := range all {
			if n += f.of(v.Field(f.index), limit); n > limit {
				break
			}
		}
		return n
	}
}

// encodesItself reports whether values of a type have a say in their encoding.
func encodesItself(t reflect.Type) bool {
	for _, by := range []reflect.Type{
		reflect.TypeFor[json.Marshaler](), reflect.TypeFor[encoding.TextMarshaler](), reflect.TypeFor[encoding.BinaryMarshaler](),
	} {
		if t.Implements(by) || t.Kind() != reflect.Interface && reflect.PointerTo(t).Implements(by) {
			return true
		}
	}
	return false
}
