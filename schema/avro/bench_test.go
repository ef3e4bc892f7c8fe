package avro_test

import (
	"reflect"
	"testing"

	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/avro"
)

// The order of the benchmarks is the same in every codec's package.
const orderPlaced = `{"type":"record","name":"OrderPlaced","fields":[
	{"name":"order_id","type":"string"},{"name":"customer","type":"string"},{"name":"total","type":"long"},
	{"name":"lines","type":{"type":"array","items":{"type":"record","name":"Line","fields":[
		{"name":"sku","type":"string"},{"name":"count","type":"int"},{"name":"price","type":"long"}]}}}]}`

type orderPlacedEvent struct {
	OrderID  string      `avro:"order_id"`
	Customer string      `avro:"customer"`
	Total    int64       `avro:"total"`
	Lines    []orderLine `avro:"lines"`
}

type orderLine struct {
	SKU   string `avro:"sku"`
	Count int32  `avro:"count"`
	Price int64  `avro:"price"`
}

func event() *orderPlacedEvent {
	return &orderPlacedEvent{
		OrderID: "7f9c24e8-3b12-4fef-91e0-54c1a3b6a001", Customer: "c-102938", Total: 5997,
		Lines: []orderLine{{"SKU-1000001", 1, 1999}, {"SKU-1000002", 2, 1999}, {"SKU-1000003", 3, 0}},
	}
}

func benchmark(b *testing.B) (schema.Binding, schema.Decode, []byte) {
	b.Helper()
	source := schema.Source{Schema: orderPlaced}
	binding, err := avro.Codec().Bind(source, reflect.TypeFor[orderPlacedEvent]())
	if err != nil {
		b.Fatal(err)
	}
	decode, err := binding.Reader(source)
	if err != nil {
		b.Fatal(err)
	}
	data, err := binding.Append(nil, event())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	return binding, decode, data
}

func BenchmarkAppend(b *testing.B) {
	binding, _, data := benchmark(b)
	v, buffer := event(), make([]byte, 0, 2*len(data))
	for b.Loop() {
		if _, err := binding.Append(buffer, v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	_, decode, data := benchmark(b)
	var v orderPlacedEvent
	for b.Loop() {
		if err := decode(data, &v); err != nil {
			b.Fatal(err)
		}
	}
}
