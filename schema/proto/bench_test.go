package proto_test

import (
	"reflect"
	"testing"

	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/proto"
)

func event() *BenchOrder {
	return &BenchOrder{
		OrderId: "7f9c24e8-3b12-4fef-91e0-54c1a3b6a001", Customer: "c-102938", Total: 5997,
		Lines: []*BenchLine{
			{Sku: "SKU-1000001", Count: 1, Price: 1999}, {Sku: "SKU-1000002", Count: 2, Price: 1999}, {Sku: "SKU-1000003", Count: 3},
		},
	}
}

func benchmark(b *testing.B) (schema.Binding, schema.Decode, []byte) {
	b.Helper()
	source := schema.Source{Schema: file(b, "bench.proto")}
	binding, err := proto.Codec().Bind(source, reflect.TypeFor[BenchOrder]())
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
	var v BenchOrder
	for b.Loop() {
		if err := decode(data, &v); err != nil {
			b.Fatal(err)
		}
	}
}
