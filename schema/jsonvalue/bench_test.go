package jsonvalue_test

import (
	"reflect"
	"testing"

	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/jsonvalue"
)

// The order of the benchmarks is the same in every codec's package.
const orderPlaced = `{"type":"object","required":["order_id","customer","total","lines"],"properties":{
	"order_id":{"type":"string"},"customer":{"type":"string"},"total":{"type":"integer"},
	"lines":{"type":"array","items":{"type":"object","required":["sku","count","price"],"properties":{
		"sku":{"type":"string"},"count":{"type":"integer","minimum":0,"maximum":1000000},"price":{"type":"integer"}}}}}}`

type orderPlacedEvent struct {
	OrderID  string      `json:"order_id"`
	Customer string      `json:"customer"`
	Total    int64       `json:"total"`
	Lines    []orderLine `json:"lines"`
}

type orderLine struct {
	SKU   string `json:"sku"`
	Count int32  `json:"count"`
	Price int64  `json:"price"`
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
	binding, err := jsonvalue.Codec().Bind(source, reflect.TypeFor[orderPlacedEvent]())
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
