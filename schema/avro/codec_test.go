package avro_test

import (
	"math"
	"math/big"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	twmb "github.com/twmb/avro"

	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/avro"
)

// one is an event with one field.
type one[T any] struct {
	F T `avro:"f"`
}

type (
	name    string
	cents   int64
	octets  []byte
	enabled bool
)

// trip is a field's type and values that must survive a round trip.
type trip interface {
	run(t *testing.T, typ string)
}

type trips[T any] []T

func (values trips[T]) run(t *testing.T, typ string) {
	t.Helper()
	text := record(field("f", typ))
	b := bind[one[T]](t, text)
	decode := reader(t, b, text)
	for _, v := range values {
		data, err := b.Append([]byte("head"), &one[T]{v})
		if err != nil {
			t.Errorf("Append(%v) = %v", v, err)
			continue
		}
		var got one[T]
		if err := decode(data[len("head"):], &got); err != nil {
			t.Errorf("decode of %v = %v", v, err)
		}
		if diff := cmp.Diff(v, got.F, comparers()...); diff != "" {
			t.Errorf("round trip (-want +got):\n%s", diff)
		}
	}
}

func comparers() []cmp.Option {
	return []cmp.Option{
		cmp.Comparer(func(a, b *big.Rat) bool { return a == b || a != nil && b != nil && a.Cmp(b) == 0 }),
		cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	}
}

func bind[T any](t testing.TB, text string) schema.Binding {
	t.Helper()
	b, err := avro.Codec().Bind(schema.Source{Schema: text}, reflect.TypeFor[T]())
	if err != nil {
		t.Fatalf("Bind: %v", err)
	}
	return b
}

func reader(t testing.TB, b schema.Binding, text string) schema.Decode {
	t.Helper()
	d, err := b.Reader(schema.Source{Schema: text})
	if err != nil {
		t.Fatalf("Reader: %v", err)
	}
	return d
}

// TestEveryTypeOfTheTableSurvivesARoundTrip is the table of the package's
// documentation, at the ends of each type.
func TestEveryTypeOfTheTableSurvivesARoundTrip(t *testing.T) {
	t.Parallel()
	instant := time.Date(2026, 11, 21, 12, 30, 15, 123_000_000, time.UTC)
	decimal := `{"type":"bytes","logicalType":"decimal","precision":30,"scale":2}`
	for typ, values := range map[string][]trip{
		`"boolean"`:                            {trips[bool]{true, false}, trips[enabled]{true}},
		`"int"`:                                {trips[int32]{0, math.MinInt32, math.MaxInt32}},
		`"long"`:                               {trips[int64]{0, math.MinInt64, math.MaxInt64}, trips[int]{math.MinInt, math.MaxInt}, trips[cents]{-1}},
		`"float"`:                              {trips[float32]{0, math.MaxFloat32, -math.SmallestNonzeroFloat32, float32(math.Inf(1))}},
		`"double"`:                             {trips[float64]{0, math.MaxFloat64, -math.SmallestNonzeroFloat64, math.Inf(-1)}},
		`"string"`:                             {trips[string]{"", "ü\x00"}, trips[name]{"n"}, trips[netip.Addr]{netip.MustParseAddr("::1")}, trips[time.Time]{instant}},
		`"bytes"`:                              {trips[[]byte]{{}, {0, 255}}, trips[octets]{{1}}},
		`{"type":"fixed","name":"F","size":3}`: {trips[[3]byte]{{1, 2, 3}}},
		`{"type":"enum","name":"E","symbols":["A","B"]}`:   {trips[string]{"A", "B"}, trips[name]{"B"}},
		`{"type":"array","items":"long"}`:                  {trips[[]int64]{{}, {1, -2}}},
		`{"type":"map","values":["null","string"]}`:        {trips[map[string]*string]{{}, {"a": new("x"), "b": nil}}, trips[map[name]*string]{{"a": nil}}},
		`["null","long"]`:                                  {trips[*int64]{nil, new(int64(0)), new(int64(7))}},
		`["string","null"]`:                                {trips[*string]{nil, new("")}},
		`["null",{"type":"array","items":"string"}]`:       {trips[*[]string]{nil, {}, {"a"}}},
		`["string","long","null"]`:                         {trips[any]{"x", int64(7), nil}},
		`{"type":"long","logicalType":"timestamp-millis"}`: {trips[time.Time]{{}, instant}},
		`{"type":"long","logicalType":"timestamp-micros"}`: {trips[time.Time]{{}, instant.Add(time.Microsecond)}},
		`{"type":"long","logicalType":"timestamp-nanos"}`:  {trips[time.Time]{instant.Add(time.Nanosecond)}},
		`["null",{"type":"int","logicalType":"date"}]`:     {trips[*time.Time]{nil, new(instant.Truncate(24 * time.Hour))}},
		`{"type":"int","logicalType":"time-millis"}`:       {trips[time.Duration]{0, 25 * time.Millisecond}},
		`{"type":"long","logicalType":"time-micros"}`:      {trips[time.Duration]{0, 25 * time.Microsecond}},
		decimal:                                  {trips[*big.Rat]{new(big.Rat), big.NewRat(-12345, 100)}},
		`["null",` + decimal + `]`:               {trips[*big.Rat]{nil, big.NewRat(5, 100)}},
		`{"type":"string","logicalType":"uuid"}`: {trips[string]{"0f0e0d0c-0b0a-0908-0706-050403020100"}, trips[[16]byte]{{15: 1}}},
		`{"type":"fixed","name":"D","size":12,"logicalType":"duration"}`:                                      {trips[[12]byte]{{1}}, trips[twmb.Duration]{{Months: 1, Days: 2, Milliseconds: 3}}},
		`{"type":"array","items":["null",{"type":"record","name":"I","fields":[{"name":"f","type":"int"}]}]}`: {trips[[]*one[int32]]{{nil, {F: 3}}}},
	} {
		for _, v := range values {
			t.Run(typ, func(t *testing.T) {
				t.Parallel()
				v.run(t, typ)
			})
		}
	}
}

type orderV1 struct {
	ID    string `avro:"id"`
	Count int32  `avro:"count"`
	Gone  string `avro:"gone"`
}

type orderV2 struct {
	ID    string  `avro:"id"`
	Total int64   `avro:"total"`
	Note  *string `avro:"note"`
}

const (
	v1 = `{"type":"record","name":"Order","fields":[{"name":"id","type":"string"},{"name":"count","type":"int"},{"name":"gone","type":"string"}]}`
	v2 = `{"type":"record","name":"Order","fields":[{"name":"id","type":"string"},{"name":"total","type":"long","aliases":["count"]},{"name":"note","type":["null","string"],"default":null}]}`
)

func TestOldValuesAreResolvedToTheBoundSchema(t *testing.T) {
	t.Parallel()
	old := bind[orderV1](t, v1)
	data, err := old.Append(nil, &orderV1{ID: "o1", Count: 7, Gone: "x"})
	if err != nil {
		t.Fatal(err)
	}
	decode := reader(t, bind[orderV2](t, v2), v1)
	got := orderV2{Note: new("from the value before")}
	if err := decode(data, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(orderV2{ID: "o1", Total: 7}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWritersThatCannotBeReadAreRefusedBeforeAnyValue(t *testing.T) {
	t.Parallel()
	b := bind[orderV2](t, v2)
	for name, writer := range map[string]string{
		"no schema":    `{"type":`,
		"other record": `{"type":"record","name":"Payment","fields":[]}`,
		"other type":   strings.Replace(v2, `"long"`, `"string"`, 1),
	} {
		if _, err := b.Reader(schema.Source{Schema: writer}); err == nil {
			t.Errorf("%s: Reader accepts it", name)
		}
	}
}

func TestBytesThatAreNoValueAreAnErrorAndLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	b := bind[orderV1](t, v1)
	decode := reader(t, b, v1)
	data, err := b.Append(nil, &orderV1{ID: "o1", Count: 7, Gone: "x"})
	if err != nil {
		t.Fatal(err)
	}
	for cut := range data {
		got := orderV1{Gone: "from the value before"}
		if err := decode(data[:cut], &got); err == nil {
			t.Errorf("decode accepts %d of %d bytes", cut, len(data))
		}
		if got.Gone != "" {
			t.Errorf("after %d bytes the value before shows through: %+v", cut, got)
		}
	}
	if err := decode(append(data, 0), new(orderV1)); err == nil {
		t.Error("decode accepts a byte behind the value")
	}
}

func TestAValueDoesNotAliasItsBytes(t *testing.T) {
	t.Parallel()
	type event struct {
		S string `avro:"s"`
		B []byte `avro:"b"`
	}
	text := record(field("s", `"string"`), field("b", `"bytes"`))
	b := bind[event](t, text)
	data, err := b.Append(nil, &event{"abc", []byte("def")})
	if err != nil {
		t.Fatal(err)
	}
	var got event
	if err := reader(t, b, text)(data, &got); err != nil {
		t.Fatal(err)
	}
	clear(data)
	if got.S != "abc" || string(got.B) != "def" {
		t.Errorf("the value changed with the buffer: %q %q", got.S, got.B)
	}
}

func TestAnotherTypeThanTheBoundOneIsRefused(t *testing.T) {
	t.Parallel()
	b := bind[orderV1](t, v1)
	decode := reader(t, b, v1)
	for name, v := range map[string]any{
		"value": orderV1{}, "other": new(orderV2), "nil": nil, "nil pointer": (*orderV1)(nil), "pointer to pointer": new(*orderV1),
	} {
		if _, err := b.Append(nil, v); err == nil {
			t.Errorf("%s: Append accepts it", name)
		}
		if err := decode(nil, v); err == nil || !strings.Contains(err.Error(), "orderV1") {
			t.Errorf("%s: decode = %v, want an error that names the bound type", name, err)
		}
		if _, err := b.Key(v, "id"); err == nil {
			t.Errorf("%s: Key accepts it", name)
		}
	}
}

func TestAValueOutsideItsTypeIsNotWritten(t *testing.T) {
	t.Parallel()
	b := bind[one[string]](t, record(field("f", `{"type":"enum","name":"E","symbols":["A"]}`)))
	if _, err := b.Append(nil, &one[string]{}); err == nil {
		t.Error("an enum without symbol is written")
	}
	d := bind[one[*big.Rat]](t, record(field("f", `{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}`)))
	for _, v := range []*big.Rat{nil, big.NewRat(1, 3), big.NewRat(1_000_000, 1)} {
		if _, err := d.Append(nil, &one[*big.Rat]{v}); err == nil {
			t.Errorf("decimal %v is written as decimal(4,2)", v)
		}
	}
}

func TestKeysAreReadFromTheirField(t *testing.T) {
	t.Parallel()
	type Base struct {
		ID string `avro:"id"`
	}
	type event struct {
		*Base
		Seq int64   `avro:"seq"`
		Opt *string `avro:"opt"`
		X   float64 `avro:"x"`
	}
	b := bind[event](t, record(field("id", `"string"`), field("seq", `"long"`), field("opt", `["null","string"]`), field("x", `"double"`)))
	v := &event{Base: &Base{"o1"}, Seq: -5}
	for name, want := range map[string]string{"id": "o1", "seq": "-5"} {
		if got, err := b.Key(v, name); err != nil || string(got) != want {
			t.Errorf("Key(%s) = %q, %v, want %q", name, got, err, want)
		}
	}
	for _, name := range []string{"opt", "x", "ID", "nope"} {
		if got, err := b.Key(v, name); err == nil || !strings.Contains(err.Error(), "key "+name) {
			t.Errorf("Key(%s) = %q, %v, want an error that names it", name, got, err)
		}
	}
	if _, err := b.Key(new(event), "id"); err == nil {
		t.Error("a key is read through a nil embedded pointer")
	}
}

func BenchmarkRoundTrip(b *testing.B) {
	type line struct {
		SKU   string `avro:"sku"`
		Price int64  `avro:"price"`
	}
	type order struct {
		ID    string `avro:"id"`
		Lines []line `avro:"lines"`
	}
	text := record(field("id", `"string"`), field("lines",
		`{"type":"array","items":{"type":"record","name":"Line","fields":[`+field("sku", `"string"`)+`,`+field("price", `"long"`)+`]}}`))
	binding := bind[order](b, text)
	decode := reader(b, binding, text)
	v := &order{ID: "o-1", Lines: []line{{"a", 1}, {"b", 2}}}
	var buf []byte
	var err error
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
