package avro_test

import (
	"fmt"
	"reflect"
	"time"

	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/avro"
)

const reserved = `{"type":"record","name":"StockReserved","fields":[
	{"name":"order_id","type":"string"},
	{"name":"reserved_at","type":{"type":"long","logicalType":"timestamp-millis"}},
	{"name":"note","type":["null","string"],"default":null}]}`

// A type that fits its schema writes and reads values; one that does not is
// told everything that is wrong with it.
func Example() {
	type StockReserved struct {
		OrderID    string    `avro:"order_id"`
		ReservedAt time.Time `avro:"reserved_at"`
		Note       *string   `avro:"note"`
	}
	binding, err := avro.Codec().Bind(schema.Source{Schema: reserved}, reflect.TypeFor[StockReserved]())
	if err != nil {
		panic(err)
	}
	data, err := binding.Append(nil, &StockReserved{OrderID: "o-1", ReservedAt: time.UnixMilli(1_700_000_000_000)})
	if err != nil {
		panic(err)
	}
	decode, err := binding.Reader(schema.Source{Schema: reserved})
	if err != nil {
		panic(err)
	}
	var got StockReserved
	if err := decode(data, &got); err != nil {
		panic(err)
	}
	fmt.Println(len(data), "bytes:", got.OrderID, got.ReservedAt)

	type Wrong struct {
		OrderID    string
		ReservedAt int64  `avro:"reserved_at"`
		Note       string `avro:"note"`
	}
	_, err = avro.Codec().Bind(schema.Source{Schema: reserved}, reflect.TypeFor[Wrong]())
	fmt.Println(err)
	// Output:
	// 11 bytes: o-1 2023-11-14 22:13:20 +0000 UTC
	// SLP-SCH-002: schema field order_id has no field in avro_test.Wrong: if OrderID is meant, tag it `avro:"order_id"`
	// SLP-SCH-002: schema field reserved_at is long (timestamp-millis) and the Go type is int64: want time.Time
	// SLP-SCH-002: schema field note is a union of null and string and the Go type is string: want *string
}
