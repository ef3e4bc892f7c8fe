package proto_test

import (
	"fmt"
	"reflect"

	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/proto"
)

// A generated type is held against the text that the registry has, and values
// carry the index of their message.
func Example() {
	money := schema.Source{Schema: `
syntax = "proto3";
package shop;
message Money {
  string currency = 1;
  int64 minor = 2;
}`}
	binding, err := proto.Codec().Bind(money, reflect.TypeFor[Money]())
	if err != nil {
		panic(err)
	}
	value, err := binding.Append(schema.AppendHeader(nil, 7), &Money{Currency: "EUR", Minor: 1999})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%x\n", value)

	money.Schema = `syntax = "proto3"; package shop; message Money { string currency = 1; double amount = 2; }`
	_, err = proto.Codec().Bind(money, reflect.TypeFor[Money]())
	fmt.Println(err)
	// Output:
	// 0000000007000a0345555210cf0f
	// SLP-SCH-002: field amount (number 2): the name is amount in the schema and minor in the Go type: generate the code again
	// SLP-SCH-002: field amount (number 2): the type is double in the schema and int64 in the Go type: generate the code again
}
