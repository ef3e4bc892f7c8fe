// Package typegen writes Go types and typed handles for a contract, from its
// schemas. The same contract gives the same bytes.
//
// Two files come out of a contract. types.gen.go holds a struct for each record
// or object of its schemas and a type for each enum, such that the codec's Bind
// takes them. handles.gen.go holds what the contract does with them: an
// interface with a method for each consumed entry, Mount, which registers it,
// and a struct with a producer for each produced topic. Types of Protobuf are
// not written here but by protoc-gen-go; the handles name them.
//
// A schema becomes a tree of expressions over declarations; declarations get
// their names when all are known, because a name is given away only once. Two
// schemas may use one type: it is declared once if both define it alike to the
// last attribute. If not, each is named after its namespace too, or after the
// topic it came with. What then still has the name of another is refused: a
// number behind a name would move from one type to the other when a third one
// comes.
//
// Where a schema leaves a choice (a union of several types, a combination of
// schemas) the field is an any, and says of what.
package typegen
