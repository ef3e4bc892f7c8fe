package proto_test

import (
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	pb "google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/proto"
)

func file(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// source is the schema of the tests, with some of its text replaced.
func source(t testing.TB, replace ...string) schema.Source {
	t.Helper()
	return schema.Source{
		Schema:  strings.NewReplacer(replace...).Replace(file(t, "order.proto")),
		Imports: []schema.Import{{Name: "shop/money.proto", Schema: file(t, "shop/money.proto")}},
	}
}

func bind[T any](t testing.TB, s schema.Source) schema.Binding {
	t.Helper()
	b, err := proto.Codec().Bind(s, reflect.TypeFor[T]())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func reader(t testing.TB, b schema.Binding, s schema.Source) schema.Decode {
	t.Helper()
	decode, err := b.Reader(s)
	if err != nil {
		t.Fatal(err)
	}
	return decode
}

func placed() *OrderPlaced {
	return &OrderPlaced{
		OrderId: "o-1", Number: -7, Total: &Money{Currency: "EUR", Minor: 1999},
		Lines:   []*OrderPlaced_Line{{Sku: "a", Count: -2, Weights: []float64{0.5, 2}}},
		Placed:  timestamppb.New(time.Date(2026, 11, 22, 1, 2, 3, 4, time.UTC)),
		Labels:  map[string]string{"b": "2", "a": "1", "c": "3"},
		Note:    new(""),
		Channel: Channel_CHANNEL_PHONE, Payer: &OrderPlaced_Token{Token: []byte{0, 1}},
		Replaces: &OrderPlaced{OrderId: "o-0"},
	}
}

func TestAValueComesBackAsItWas(t *testing.T) {
	t.Parallel()
	s := source(t)
	b := bind[OrderPlaced](t, s)
	if b.Record() != "shop.v1.OrderPlaced" {
		t.Errorf("Record() = %s", b.Record())
	}
	data, err := b.Append([]byte("head"), placed())
	if err != nil {
		t.Fatal(err)
	}
	got := OrderPlaced{OrderId: "what was there before", Labels: map[string]string{"old": "x"}}
	if err := reader(t, b, s)(data[len("head"):], &got); err != nil {
		t.Fatal(err)
	}
	if !pb.Equal(&got, placed()) {
		t.Errorf("came back as %v", &got)
	}
}

func TestEqualValuesAreEqualBytes(t *testing.T) {
	t.Parallel()
	b := bind[OrderPlaced](t, source(t))
	first, err := b.Append(nil, placed())
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		if again, err := b.Append(nil, placed()); err != nil || string(again) != string(first) {
			t.Fatalf("%x, %v, want %x", again, err, first)
		}
	}
}

// TestTheMessageIndexesAreConfluents pins the bytes in front of a value: a
// zero for the first message, else the length of the path and its steps, as
// zigzag varints. The entry type that a map makes counts among the nested ones,
// as in descriptors.
func TestTheMessageIndexesAreConfluents(t *testing.T) {
	t.Parallel()
	second, nested := source(t), source(t)
	second.Message, nested.Message = "shop.v1.OrderClosed", "shop.v1.OrderPlaced.Line"
	first := source(t)
	first.Message = "shop.v1.OrderPlaced"
	for name, tt := range map[string]struct {
		binding schema.Binding
		value   any
		want    string
	}{
		"first":  {bind[OrderPlaced](t, first), &OrderPlaced{OrderId: "a"}, "\x00\x0a\x01a"},
		"second": {bind[OrderClosed](t, second), &OrderClosed{OrderId: "a"}, "\x02\x02\x0a\x01a"},
		"nested": {bind[OrderPlaced_Line](t, nested), &OrderPlaced_Line{Sku: "a"}, "\x04\x00\x02\x0a\x01a"},
	} {
		got, err := tt.binding.Append(nil, tt.value)
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: %x, %v, want %x", name, got, err, tt.want)
		}
		if indexes := tt.binding.(schema.Indexed).Indexes(); !strings.HasPrefix(tt.want, string(indexes)) {
			t.Errorf("%s: Indexes() = %x", name, indexes)
		}
	}
	var got OrderPlaced
	if err := reader(t, bind[OrderPlaced](t, first), first)([]byte("\x02\x00\x0a\x01a"), &got); err != nil || got.OrderId != "a" {
		t.Errorf("the first message in its long form: %v, %v", &got, err)
	}
}

func TestAnotherMessageIsToldWithBothNames(t *testing.T) {
	t.Parallel()
	closed := source(t)
	closed.Message = "shop.v1.OrderClosed"
	data, err := bind[OrderClosed](t, closed).Append(nil, &OrderClosed{OrderId: "a"})
	if err != nil {
		t.Fatal(err)
	}
	s := source(t)
	err = reader(t, bind[OrderPlaced](t, s), s)(data, new(OrderPlaced))
	if err == nil || !strings.Contains(err.Error(), "value is a shop.v1.OrderClosed, want a shop.v1.OrderPlaced") {
		t.Errorf("got %v", err)
	}
}

// TestTheWritersIndexesCount: in the writer's file the message stands elsewhere.
func TestTheWritersIndexesCount(t *testing.T) {
	t.Parallel()
	s := source(t)
	moved := source(t, "// An order was placed.", "message Before { string order_id = 1; }\n")
	decode := reader(t, bind[OrderPlaced](t, s), moved)
	var got OrderPlaced
	if err := decode([]byte("\x02\x02\x0a\x01a"), &got); err != nil || got.OrderId != "a" {
		t.Errorf("got %v, %v", &got, err)
	}
	if err := decode([]byte("\x00\x0a\x01a"), &got); err == nil || !strings.Contains(err.Error(), "shop.v1.Before") {
		t.Errorf("the message that stands first there: %v", err)
	}
}

func TestWhatTheReaderDoesNotKnowIsKept(t *testing.T) {
	t.Parallel()
	s := source(t)
	b := bind[OrderPlaced](t, s)
	ahead := source(t, "OrderPlaced replaces = 11;", "OrderPlaced replaces = 11; string later = 12;")
	data := protowire.AppendString(protowire.AppendTag([]byte("\x00\x0a\x01a"), 12, protowire.BytesType), "new")
	var got OrderPlaced
	if err := reader(t, b, ahead)(data, &got); err != nil {
		t.Fatal(err)
	}
	if again, err := b.Append(nil, &got); err != nil || string(again) != string(data) {
		t.Errorf("written again as %x, %v, want %x", again, err, data)
	}
}

// TestANumberThatChangedItsTypeIsNotRead: the bytes would decode as something.
func TestANumberThatChangedItsTypeIsNotRead(t *testing.T) {
	t.Parallel()
	b := bind[OrderPlaced](t, source(t))
	_, err := b.Reader(source(t, "int64 number = 2", "sint64 number = 2"))
	if err == nil || !strings.Contains(err.Error(), "field number: number 2 is written as sint64 and read as int64") {
		t.Errorf("got %v", err)
	}
}

func TestADecodedValueDoesNotAliasItsInput(t *testing.T) {
	t.Parallel()
	s := source(t)
	b := bind[OrderPlaced](t, s)
	data, err := b.Append(nil, placed())
	if err != nil {
		t.Fatal(err)
	}
	var got OrderPlaced
	if err := reader(t, b, s)(data, &got); err != nil {
		t.Fatal(err)
	}
	clear(data)
	if !pb.Equal(&got, placed()) {
		t.Errorf("the value changed with its input to %v", &got)
	}
}

func TestAKeyIsAFieldByItsNameInTheFile(t *testing.T) {
	t.Parallel()
	b := bind[OrderPlaced](t, source(t))
	for field, want := range map[string]string{"order_id": "o-1", "number": "-7", "token": "\x00\x01", "note": ""} {
		if got, err := b.Key(placed(), field); err != nil || string(got) != want {
			t.Errorf("Key(%s) = %q, %v, want %q", field, got, err, want)
		}
	}
	for _, field := range []string{"OrderId", "lines", "total", "channel", "nope", "labels"} {
		if got, err := b.Key(placed(), field); err == nil {
			t.Errorf("Key(%s) = %q, want an error", field, got)
		}
	}
	for _, field := range []string{"customer", "note"} {
		if _, err := b.Key(&OrderPlaced{}, field); !errors.Is(err, schema.ErrNilKey) {
			t.Errorf("Key(%s) of nothing = %v, want %v", field, err, schema.ErrNilKey)
		}
	}
}

func TestOnlyPointersToTheBoundTypeAreTaken(t *testing.T) {
	t.Parallel()
	s := source(t)
	b := bind[OrderPlaced](t, s)
	decode := reader(t, b, s)
	for name, v := range map[string]any{"another message": &OrderClosed{}, "nil": (*OrderPlaced)(nil), "nothing": nil} {
		if _, err := b.Append(nil, v); err == nil {
			t.Errorf("%s: Append takes it", name)
		}
		if err := decode([]byte{0}, v); err == nil {
			t.Errorf("%s: the decoder takes it", name)
		}
		if _, err := b.Key(v, "order_id"); err == nil {
			t.Errorf("%s: Key takes it", name)
		}
	}
}

func TestMessagesAreNamedOrToldOf(t *testing.T) {
	t.Parallel()
	s := source(t)
	s.Message = "shop.v1.Nope"
	_, err := proto.Codec().Bind(s, reflect.TypeFor[OrderPlaced]())
	if !errors.Is(err, diag.SchemaMessage) {
		t.Errorf("Bind = %v, want %v", err, diag.SchemaMessage)
	}
	if _, err := proto.Record(schema.Source{Schema: `syntax = "proto3";`}); !errors.Is(err, diag.SchemaMessage) {
		t.Errorf("a file without messages: %v, want %v", err, diag.SchemaMessage)
	}
	s = source(t)
	s.Imports = nil
	if _, err := proto.Codec().Bind(s, reflect.TypeFor[OrderPlaced]()); !errors.Is(err, diag.SchemaInvalid) || !strings.Contains(err.Error(), "shop/money.proto") {
		t.Errorf("without what it imports: %v, want %v", err, diag.SchemaInvalid)
	}
	if _, err := proto.Codec().Bind(source(t), reflect.TypeFor[struct{ OrderID string }]()); !errors.Is(err, diag.SchemaTypeMismatch) {
		t.Errorf("a struct that is no message: %v, want %v", err, diag.SchemaTypeMismatch)
	}
}

func TestJSONShowsAValueWithoutItsType(t *testing.T) {
	t.Parallel()
	got, err := proto.JSON(source(t), []byte("\x02\x02\x0a\x01a"))
	if err != nil || strings.ReplaceAll(string(got), " ", "") != `{"order_id":"a","reason":0}` {
		t.Errorf("JSON = %s, %v", got, err)
	}
	if _, err := proto.JSON(source(t), []byte("\x02\x08")); err == nil {
		t.Error("a message that is not there is shown")
	}
}
