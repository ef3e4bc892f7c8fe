package avro

import "github.com/slipway-go/slipway/schema"

// Whole returns a schema as one text, with the definition of each imported type
// in the place where it is first used: what tools that know Avro alone can read.
func Whole(source schema.Source) (string, error) { return inline(source) }
