// Package jsonvalue reads and writes JSON values for Slipway, held to a JSON
// Schema.
//
// [Codec] binds a Go struct to a schema and checks the two against each other
// before the first record: every property has a Go field, every exported Go
// field is a property, and the types fit. Fields are named as encoding/json
// names them, by `json:"order_id"` or else by their own name.
//
//	JSON Schema                 Go
//	string                      string, or a type that marshals to and from text (time.Time)
//	integer                     int64, or int where it has 64 bits; smaller ones where minimum and maximum say they fit
//	number                      float64, json.Number
//	boolean                     bool
//	array of T                  []T
//	object with properties      struct
//	object with others          map[string]T
//	T or null                   *T
//	anything                    any, json.RawMessage
//
// A required property must always be written, so its tag has no omitempty or
// omitzero; a pointer whose null the schema does not allow needs one of them.
// Types with MarshalJSON and UnmarshalJSON are taken at their word. Where a
// schema combines others (allOf, anyOf, oneOf, not, if) there is no one
// structure to compare; such places are left to validation.
//
// Every value is validated against the bound schema, when it is written and
// when it is read: what a service publishes is what it promised, to the last
// pattern and bound. A nil slice or map is written as null by encoding/json,
// which a schema that wants an array or object refuses: make it empty.
//
// Reading is strict where readers of different make would disagree: a property
// that appears twice, or differs from a known one only in case, and data
// behind the value are errors. Nesting is bounded to 100, numbers to 100 digits
// and an exponent of 400. Properties that the schema does not know are ignored,
// so a writer may be ahead of its readers.
package jsonvalue
