package proto_test

import (
	"runtime"
	"testing"

	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/proto"
)

// FuzzDecode reads hostile values: the decoder does not panic, and what it
// takes it can write again.
func FuzzDecode(f *testing.F) {
	s := source(f)
	b := bind[OrderPlaced](f, s)
	decode := reader(f, b, s)
	data, err := b.Append(nil, placed())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte{})
	f.Add([]byte("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"))
	f.Add([]byte("\xfe\xff\xff\xff\x0f\x00"))
	f.Add([]byte("\x02\x02\x0a\x01a"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var v OrderPlaced
		if decode(data, &v) != nil {
			return
		}
		if _, err := b.Append(nil, &v); err != nil {
			t.Errorf("a value that was read cannot be written: %v", err)
		}
	})
}

// FuzzParse reads hostile schemas. What parses is readable with itself.
func FuzzParse(f *testing.F) {
	f.Add(file(f, "order.proto"))
	f.Add("syntax = \"proto2\"; message A { extensions 1 to max; optional group G = 1 {} }")
	f.Add("edition = \"2023\"; message A { A a = 1; }")
	f.Add("import \"slipway.schema.proto\";")
	f.Fuzz(func(t *testing.T, text string) {
		s := schema.Source{Schema: text}
		if _, err := proto.Parse(s); err != nil {
			return
		}
		if err := proto.Readable(s, s); err != nil {
			t.Errorf("%q does not read itself: %v", text, err)
		}
	})
}

// TestHostileValuesCostNoMoreThanTheirStructs builds the worst case: empty
// messages, of two bytes each.
func TestHostileValuesCostNoMoreThanTheirStructs(t *testing.T) {
	s := source(t)
	decode := reader(t, bind[OrderPlaced](t, s), s)
	data := []byte{0}
	for range 200_000 {
		data = append(data, 0x1a, 0x00) // a line without anything
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var v OrderPlaced
	if err := decode(data, &v); err != nil || len(v.Lines) != 200_000 {
		t.Fatalf("%d lines, %v", len(v.Lines), err)
	}
	runtime.ReadMemStats(&after)
	if spent := after.TotalAlloc - before.TotalAlloc; spent > 80*uint64(len(data)) {
		t.Errorf("%d bytes of input allocated %d", len(data), spent)
	}
}

func TestNestingIsBounded(t *testing.T) {
	t.Parallel()
	s := source(t)
	decode := reader(t, bind[OrderPlaced](t, s), s)
	var inner []byte
	for range 200 {
		head := []byte{0x5a}
		n := len(inner)
		for n >= 0x80 {
			head = append(head, byte(n)|0x80)
			n >>= 7
		}
		inner = append(append(head, byte(n)), inner...)
	}
	if err := decode(append([]byte{0}, inner...), new(OrderPlaced)); err == nil {
		t.Error("200 messages within each other are read")
	}
}
