// Package proto reads and writes Protocol Buffers for Slipway, in Confluent's
// wire format with its message indexes.
//
// The Go types are those that protoc-gen-go writes; the contract names the
// .proto file, and the message where the file has several. [Codec] holds the
// two against each other before the first record: the descriptor that the
// generated code brings and the text that the registry has must agree in every
// field, its number, name, type, label and oneof, at every depth. Generated code
// that lags behind its file, or a file that lags behind the code, is a service
// that does not start, with each difference told.
//
// A value begins with the path to its message in the file: how many steps there
// are, and for each the index among its siblings, as zigzag varints; the first
// message of a file is one zero byte. A value of another message than the bound
// one is an error that names both, because any bytes decode as some message.
//
// Values written under another version of the schema are read by number, as
// Protobuf does: fields that the reader does not know are kept and written
// again. Where a number has changed its type, no value of that version is read
// at all, for what came out would be wrong in silence ([Readable]).
//
// What a file imports is google/protobuf/… or listed under references in the
// contract. Input is never trusted: nesting is bounded to 100, and what is
// allocated grows with the input by no more than the size of the Go structs.
// The encoding is deterministic, so that equal values are equal bytes to one
// version of a program.
package proto
