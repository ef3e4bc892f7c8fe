package schema

import "reflect"

// A Codec reads and writes one schema format. Codecs are stateless and safe
// for concurrent use.
type Codec interface {
	// Format is the contract's name of the format: "avro", "json".
	Format() string

	// Bind checks that values of type t can be written and read under the
	// schema, and returns what does it. The error lists every field at fault,
	// not the first.
	Bind(source Source, t reflect.Type) (Binding, error)
}

// A Binding writes and reads one Go type under one schema. It is safe for
// concurrent use.
type Binding interface {
	// Append encodes v, a pointer to the bound type, behind dst.
	Append(dst []byte, v any) ([]byte, error)

	// Reader returns a decoder for values that were written under the given
	// schema, resolved to the bound one. It fails if the two cannot be
	// resolved. Callers keep the result for each schema id.
	Reader(writer Source) (Decode, error)

	// Record is the full name of what the schema describes: of an Avro record
	// or a message, the title of a JSON Schema. It may be empty.
	Record() string

	// Key returns the bytes of a field of v as a record key: the text of a
	// string, a number in decimal, bytes as they are.
	Key(v any, field string) ([]byte, error)
}

// Decode reads data into v, a pointer to the bound type. v is overwritten
// whole; nothing in it refers to data afterwards.
type Decode func(data []byte, v any) error

// An Indexed binding puts bytes between the schema's id and the value: those by
// which Protobuf names one message of several. [Binding.Append] writes them in
// front of the value and [Decode] reads them there.
type Indexed interface {
	Indexes() []byte
}

// A Keyer writes keys that have a schema of their own: the part of the bound
// schema that describes the key's field.
type Keyer interface {
	// KeySchema returns the schema of a field, complete in itself.
	KeySchema(field string) (string, error)

	// AppendKey encodes a field of v, a pointer to the bound type, behind dst.
	AppendKey(dst []byte, v any, field string) ([]byte, error)

	// EncodeKey encodes a key that has no value with it, such as that of a
	// tombstone, behind dst.
	EncodeKey(dst []byte, field string, key any) ([]byte, error)
}
