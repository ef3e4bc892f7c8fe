// Package avro reads and writes Avro values for Slipway.
//
// [Codec] binds a Go struct to an Avro schema and checks the two against each
// other before the first record: every field of the schema has a Go field of
// the type below and every exported Go field is in the schema. The check walks
// both structures and never encodes anything, so it also sees what is inside
// an empty slice or a nil pointer, and it reports every fault at once.
//
// A Go field stands for the schema field that its tag names, `avro:"order_id"`,
// else for the one with exactly its own name. There is no guessing: where a
// name would match but for its spelling, the fault says which tag to write.
// `avro:"-"` keeps a Go field out of the event. The fields of an embedded
// struct, or of one tagged `avro:",inline"`, belong to the record around it.
//
// Types are strict in both directions, because a service that can write what
// it cannot read, or read what it would round, finds out in production:
//
//	Avro                                  Go
//	boolean                               bool
//	int, long                             int32 · int64, or int where it has 64 bits
//	float, double                         float32 · float64
//	string                                string, or a type that marshals to and from text
//	bytes, fixed(n)                       []byte · [n]byte
//	enum                                  string
//	array, map                            []T · map[string]T
//	record                                struct
//	["null", T]                           *T
//	other unions                          any
//	timestamp-*, local-timestamp-*, date  time.Time
//	time-millis, time-micros              time.Duration
//	decimal                               *big.Rat, which is nil for null
//	uuid                                  string, [16]byte, or a type that marshals to and from text
//	duration                              [12]byte
//
// Named Go types of these kinds do as well. A time is truncated to the unit of
// its logical type when it is written.
//
// Values written under another version of the schema are resolved to the bound
// one as Avro's specification says: missing fields get their defaults, unknown
// ones are skipped, numbers are promoted. Input is never trusted: a length
// that the bytes cannot hold is an error before anything is allocated for it,
// and an array costs the same in one block or in a million.
package avro
