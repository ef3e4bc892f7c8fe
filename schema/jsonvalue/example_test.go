package jsonvalue_test

import (
	"fmt"
	"reflect"

	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/jsonvalue"
)

// What is published keeps the schema, to the last bound.
func Example() {
	type Payment struct {
		OrderID string `json:"order_id"`
		Cents   int64  `json:"cents"`
	}
	binding, err := jsonvalue.Codec().Bind(schema.Source{Schema: `{
		"type": "object",
		"properties": {
			"order_id": {"type": "string"},
			"cents": {"type": "integer", "minimum": 1}
		},
		"required": ["order_id", "cents"]
	}`}, reflect.TypeFor[Payment]())
	if err != nil {
		panic(err)
	}
	for _, cents := range []int64{1250, 0} {
		data, err := binding.Append(nil, &Payment{"o-1", cents})
		fmt.Println(string(data), err)
	}
	// Output:
	// {"order_id":"o-1","cents":1250} <nil>
	//  encode json: value at /cents does not keep the schema's minimum
}
