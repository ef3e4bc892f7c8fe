package schema

import "reflect"

// A Codec reads and writes one schema format. Codecs are stateless and safe
// for concurrent use.
type Codec interface {
	// Format is the contract's name of the format: "avro", "json".
	Format() string

	// Bind checks that values of type t can be written and read under the
	// schema text, and returns what does it. The error lists every field at
	// fault, not the first.
	Bind(text string, t reflect.Type) (Binding, error)
}

// A Binding writes and reads one Go type under one schema. It is safe for
// concurrent use.
type Binding interface {
	// Append encodes v, a pointer to the bound type, behind dst.
	Append(dst []byte, v any) ([]byte, error)

	// Reader returns a decoder for values that were written under the given
	// schema text, resolved to the bound schema. It fails if the two cannot
	// be resolved. Callers keep the result for each schema id.
	Reader(writer string) (Decode, error)

	// Key returns the bytes of a field of v as a record key: the text of a
	// string, a number in decimal, bytes as they are.
	Key(v any, field string) ([]byte, error)
}

// Decode reads data into v, a pointer to the bound type. v is overwritten
// whole; nothing in it refers to data afterwards.
type Decode func(data []byte, v any) error
