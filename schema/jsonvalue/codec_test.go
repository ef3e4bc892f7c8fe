package jsonvalue_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/slipway-go/slipway/schema"
)

type line struct {
	SKU   string `json:"sku"`
	Price int64  `json:"price"`
}

type order struct {
	ID    string          `json:"id"`
	Seq   int64           `json:"seq"`
	Lines []line          `json:"lines"`
	Note  *string         `json:"note,omitempty"`
	Rates map[string]line `json:"rates,omitempty"`
}

const lineSchema = `{"type":"object","properties":{"sku":{"type":"string","minLength":1},"price":{"type":"integer","minimum":0}},"required":["sku"]}`

const orderSchema = `{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","properties":{
	"id":{"type":"string","pattern":"^o-[0-9]+$"},"seq":{"type":"integer"},
	"lines":{"type":"array","items":` + lineSchema + `},"note":{"type":"string"},
	"rates":{"type":"object","additionalProperties":` + lineSchema + `}},"required":["id","lines"]}`

func TestValuesSurviveARoundTrip(t *testing.T) {
	t.Parallel()
	b := bind[order](t, orderSchema)
	decode, err := b.Reader(schema.Source{Schema: orderSchema})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]order{
		"least": {ID: "o-1", Lines: []line{}},
		"all": {ID: "o-2", Seq: 9007199254740993, Lines: []line{{"a", 1}, {"b<&>", 0}}, Note: new(""),
			Rates: map[string]line{"x": {"c", 3}}},
	} {
		data, err := b.Append([]byte("head"), &want)
		if err != nil {
			t.Errorf("%s: Append = %v", name, err)
			continue
		}
		got := order{Note: new("from the value before")}
		if err := decode(data[len("head"):], &got); err != nil {
			t.Errorf("%s: decode = %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestWhatTheSchemaDoesNotAllowIsNeitherWrittenNorRead(t *testing.T) {
	t.Parallel()
	b := bind[order](t, orderSchema)
	for want, v := range map[string]order{
		"value at /id does not keep the schema's pattern":            {ID: "secret", Lines: []line{}},
		"value at /lines does not keep the schema's type":            {ID: "o-1"},
		"value at /lines/0/sku does not keep the schema's minLength": {ID: "o-1", Lines: []line{{}}},
		"value at /rates/x/price does not keep the schema's minimum": {ID: "o-1", Lines: []line{}, Rates: map[string]line{"x": {"a", -1}}},
	} {
		_, err := b.Append(nil, &v)
		if err == nil || err.Error() != "encode json: "+want {
			t.Errorf("Append = %v, want %s", err, want)
		}
	}
	decode, err := b.Reader(schema.Source{Schema: `{"type":"object"}`})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]string{
		"missing property":      `{"id":"o-1"}`,
		"wrong type":            `{"id":"o-1","lines":{}}`,
		"too large":             `{"id":"o-1","lines":[],"seq":9223372036854775808}`,
		"an attack by exponent": `{"id":"o-1","lines":[],"x":1e999999}`,
		"an attack by digits":   `{"id":"o-1","lines":[],"x":` + strings.Repeat("9", 200) + `}`,
		"a fraction":            `{"id":"o-1","lines":[],"seq":1.5}`,
		"twice":                 `{"id":"o-1","lines":[],"id":"o-2"}`,
		"twice deep inside":     `{"id":"o-1","lines":[{"sku":"a","sku":"b"}]}`,
		"twice by escape":       `{"id":"o-1","lines":[],"\u0069d":"o-2"}`,
		"another case":          `{"id":"o-1","lines":[],"ID":"o-2"}`,
		"another case deep":     `{"id":"o-1","lines":[{"sku":"a","Price":3}]}`,
		"another case in a map": `{"id":"o-1","lines":[],"rates":{"x":{"sku":"a","PRICE":3}}}`,
		"two values":            `{"id":"o-1","lines":[]} {}`,
		"cut":                   `{"id":"o-1","lines":[`,
		"empty":                 ``,
		"no json":               `<xml/>`,
		"too deep":              `{"id":"o-1","lines":[],"x":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`,
		"far too deep":          strings.Repeat("[", 1_000_000),
	} {
		got := order{Note: new("from the value before")}
		if err := decode([]byte(data), &got); err == nil || !strings.HasPrefix(err.Error(), "decode json: ") {
			t.Errorf("%s: decode = %v, want an error", name, err)
		}
		if got.Note != nil {
			t.Errorf("%s: the value before shows through", name)
		}
	}
}

func TestAnErrorDoesNotShowTheValue(t *testing.T) {
	t.Parallel()
	_, err := bind[order](t, orderSchema).Append(nil, &order{ID: "4111 1111 1111 1111", Lines: []line{}})
	if err == nil || strings.Contains(err.Error(), "4111") {
		t.Errorf("Append = %v, want an error without the value", err)
	}
}

func TestAWriterMayBeAheadOfItsReaders(t *testing.T) {
	t.Parallel()
	decode, err := bind[order](t, orderSchema).Reader(schema.Source{Schema: `{"type":"object","properties":{"new":{"type":"string"}}}`})
	if err != nil {
		t.Fatal(err)
	}
	var got order
	if err := decode([]byte(`{"id":"o-1","lines":[{"sku":"a","colour":"red"}],"new":{"a":[1]}}`), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(order{ID: "o-1", Lines: []line{{SKU: "a"}}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAWritersSchemaMustBeOne(t *testing.T) {
	t.Parallel()
	if _, err := bind[order](t, orderSchema).Reader(schema.Source{Schema: `{"type":"record"}`}); err == nil {
		t.Error("Reader accepts an Avro schema")
	}
}

func TestKeysAreReadFromTheirProperty(t *testing.T) {
	t.Parallel()
	b := bind[order](t, orderSchema)
	v := &order{ID: "o-1", Seq: -5}
	for name, want := range map[string]string{"id": "o-1", "seq": "-5"} {
		if got, err := b.Key(v, name); err != nil || string(got) != want {
			t.Errorf("Key(%s) = %q, %v, want %q", name, got, err, want)
		}
	}
	for _, name := range []string{"note", "lines", "ID", "nope"} {
		if got, err := b.Key(v, name); err == nil || !strings.Contains(err.Error(), "key "+name) {
			t.Errorf("Key(%s) = %q, %v, want an error that names it", name, got, err)
		}
	}
}

func TestAnotherTypeThanTheBoundOneIsRefused(t *testing.T) {
	t.Parallel()
	b := bind[order](t, orderSchema)
	decode, err := b.Reader(schema.Source{Schema: orderSchema})
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]any{"value": order{}, "other": new(line), "nil": nil, "nil pointer": (*order)(nil)} {
		if _, err := b.Append(nil, v); err == nil {
			t.Errorf("%s: Append accepts it", name)
		}
		if err := decode([]byte(`{"id":"o-1","lines":[]}`), v); err == nil {
			t.Errorf("%s: decode accepts it", name)
		}
	}
}

func FuzzDecode(f *testing.F) {
	b := bind[order](f, orderSchema)
	decode, err := b.Reader(schema.Source{Schema: orderSchema})
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"id":"o-1","seq":1e2,"lines":[{"sku":"a","price":1}],"note":"n","rates":{"x":{"sku":"\ud800"}}}`))
	f.Add([]byte(`{"id":"o-1","lines":[],"":[{"":null}]}`))
	f.Add([]byte(strings.Repeat(`{"rates":`, 1000)))
	f.Add([]byte(`{"id":"o-1","lines":[],"seq":1e999999999,"x":1e-400}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var v, again order
		if decode(data, &v) != nil {
			return
		}
		back, err := b.Append(nil, &v)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if err := decode(back, &again); err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if diff := cmp.Diff(v, again, cmpopts.EquateEmpty()); diff != "" { // omitempty
			t.Fatalf("(-read +read again):\n%s", diff)
		}
	})
}

func BenchmarkRoundTrip(b *testing.B) {
	binding := bind[order](b, orderSchema)
	decode, err := binding.Reader(schema.Source{Schema: orderSchema})
	if err != nil {
		b.Fatal(err)
	}
	v := &order{ID: "o-1", Lines: []line{{"a", 1}, {"b", 2}}}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		if buf, err = binding.Append(buf[:0], v); err != nil {
			b.Fatal(err)
		}
		if err := decode(buf, v); err != nil {
			b.Fatal(err)
		}
	}
}
