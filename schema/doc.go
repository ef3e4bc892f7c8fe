// Package schema is how values become bytes that other programs can read.
//
// A [Codec] handles one format (Avro, JSON, Protobuf); the codecs live in packages
// below this one, so that a service links only what it uses. Binding a codec
// to a schema and a Go type ([Codec.Bind]) checks the two against each other
// and reports every fault: a service whose types cannot hold its schema does
// not start.
//
// Values travel in Confluent's wire format: a zero byte, the schema's id in
// four bytes big endian, then the payload ([AppendHeader], [SplitHeader]).
// A record may name its schema in a header instead, by GUID ([Mark]); both are
// read. What a schema builds on comes with it ([Source]), so that a codec never
// asks anybody: [Source.Pin] and [Resolve] translate to and from the references
// of a registry.
//
// What an id means is asked of a [Registry] once and kept for ever: ids are
// immutable. [Client] is the registry over HTTP; it never registers anything,
// because services hold a read-only credential and only apply writes. The
// writing side is [Admin].
//
// A registry that is down is not a fault of the record: [ErrUnavailable] tells
// it apart from [ErrNotFound], and callers wait for the former. Decoders never
// panic on hostile bytes and never allocate more than a small multiple of the
// input.
package schema
