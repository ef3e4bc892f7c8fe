package avro_test

import (
	"errors"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/avro"
)

// record is a schema of one record with fields.
func record(fields ...string) string {
	return `{"type":"record","name":"R","fields":[` + strings.Join(fields, ",") + `]}`
}

// field is a field of a record.
func field(name, typ string) string { return `{"name":"` + name + `","type":` + typ + `}` }

// faults binds and returns the messages of its faults.
func faults(t *testing.T, text string, goType reflect.Type) []string {
	t.Helper()
	_, err := avro.Codec().Bind(schema.Source{Schema: text}, goType)
	var got []string
	for _, d := range diag.Of(err) {
		if d.Code != diag.SchemaTypeMismatch {
			t.Errorf("code is %s, want %s", d.Code, diag.SchemaTypeMismatch)
		}
		got = append(got, strings.NewReplacer("avro_test.", "").Replace(d.Message))
	}
	return got
}

func TestBindReportsEveryFaultWithItsPathAndTheWantedType(t *testing.T) {
	t.Parallel()
	type Line struct {
		SKU   string `avro:"sku"`
		Price int64  `avro:"price"`
		Extra string
	}
	type Order struct {
		OrderID string
		Lines   []Line           `avro:"lines"`  // empty in the zero value
		Parent  *Order           `avro:"parent"` // nil in the zero value
		Rates   map[string]Line  `avro:"rates"`  // nil in the zero value
		Note    string           `avro:"note"`   // nullable in the schema
		Placed  int64            `avro:"placed"` // a timestamp
		Total   float64          `avro:"total"`  // a decimal
		Status  int              `avro:"status"` // an enum
		Choice  string           `avro:"choice"` // a union of two
		Secret  string           `avro:"-"`      // no part of the event
		Tags    map[int]string   `avro:"tags"`   // keys are strings
		Sum     []byte           `avro:"sum"`    // fixed
		Left    *Line            `avro:"left"`   // not nullable
		Many    [2]string        `avro:"many"`   // an array has no fixed length
		Nested  *[]*Line         `avro:"nested"` // null elements
		Later   *time.Time       `avro:"later"`  // right
		Amount  *big.Rat         `avro:"amount"` // right
		Labels  map[string][]any `avro:"labels"` // any is not int
		private string
	}
	_ = Order{}.private
	line := `{"type":"record","name":"Line","fields":[` + field("sku", `"string"`) + `,` + field("price", `"int"`) + `]}`
	text := record(
		field("order_id", `"string"`),
		field("lines", `{"type":"array","items":`+line+`}`),
		field("parent", `["null","R"]`),
		field("rates", `{"type":"map","values":"Line"}`),
		field("note", `["null","string"]`),
		field("placed", `{"type":"long","logicalType":"timestamp-millis"}`),
		field("total", `{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}`),
		field("status", `{"type":"enum","name":"Status","symbols":["NEW"]}`),
		field("choice", `["string","int"]`),
		field("tags", `{"type":"map","values":"string"}`),
		field("sum", `{"type":"fixed","name":"Sum","size":4}`),
		field("left", `"Line"`),
		field("many", `{"type":"array","items":"string"}`),
		field("nested", `["null",{"type":"array","items":"Line"}]`),
		field("later", `["null",{"type":"long","logicalType":"timestamp-micros"}]`),
		field("amount", `["null",{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}]`),
		field("labels", `{"type":"map","values":{"type":"array","items":"int"}}`),
		field("absent", `["null","Line"]`),
	)
	want := []string{
		"schema field order_id has no field in Order: if OrderID is meant, tag it `avro:\"order_id\"`",
		"schema field lines[].price is int and the Go type is int64: want int32",
		"Go field Line.Extra stands for schema field lines[].Extra, which record Line does not have: its value would be lost; add the field to the schema, or tag it `avro:\"-\"`",
		"schema field note is a union of null and string and the Go type is string: want *string",
		"schema field placed is long (timestamp-millis) and the Go type is int64: want time.Time",
		"schema field total is bytes (decimal) and the Go type is float64: want *big.Rat",
		"schema field status is enum Status and the Go type is int: want string",
		"schema field choice is a union of string and int and the Go type is string: want any, because the union has several types",
		"schema field tags is map and the Go type is map[int]string: want map[string]string",
		"schema field sum is fixed Sum and the Go type is []uint8: want [4]byte",
		"schema field left is record Line and the Go type is *Line: want a struct for record Line",
		"schema field many is array and the Go type is [2]string: want []string",
		"schema field nested[] is record Line and the Go type is *Line: want a struct for record Line",
		"schema field labels{}[] is int and the Go type is any: want int32",
		"schema field absent has no field in Order: add one of type a pointer to a struct for record Line tagged `avro:\"absent\"`",
	}
	if diff := cmp.Diff(want, faults(t, text, reflect.TypeFor[Order]())); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
}

func TestEmbeddedAndInlinedFieldsBelongToTheRecordAroundThem(t *testing.T) {
	t.Parallel()
	type Base struct {
		ID string `avro:"id"`
	}
	type Audit struct {
		By string `avro:"by"`
	}
	type Event struct {
		Base
		Audit *Audit `avro:",inline"`
		Named Base   `avro:"named"`
	}
	text := record(field("id", `"string"`), field("by", `"string"`),
		field("named", `{"type":"record","name":"Base","fields":[`+field("id", `"string"`)+`]}`))
	if got := faults(t, text, reflect.TypeFor[Event]()); len(got) > 0 {
		t.Errorf("faults = %q, want none", got)
	}
}

func TestTwoGoFieldsForOneSchemaFieldAreAFault(t *testing.T) {
	t.Parallel()
	type Base struct {
		ID string `avro:"id"`
	}
	type Event struct {
		Base
		Own string `avro:"id"`
	}
	want := []string{"Go fields Base.ID and Own of Event both stand for schema field id: tag one of them `avro:\"-\"`"}
	if diff := cmp.Diff(want, faults(t, record(field("id", `"string"`)), reflect.TypeFor[Event]())); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
}

func TestAFieldThatCannotBeSetIsAFault(t *testing.T) {
	t.Parallel()
	type base struct {
		ID string `avro:"id"`
	}
	type Event struct{ *base }
	want := []string{"Go field Event.base.ID cannot be set through the embedded pointer to a type that is not exported: embed the struct itself"}
	if diff := cmp.Diff(want, faults(t, record(field("id", `"string"`)), reflect.TypeFor[Event]())); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
}

func TestAJSONTagIsOnlyAHint(t *testing.T) {
	t.Parallel()
	type Event struct {
		Number string `json:"order_id,omitempty"`
	}
	want := []string{"schema field order_id has no field in Event: if Number is meant, tag it `avro:\"order_id\"`"}
	if diff := cmp.Diff(want, faults(t, record(field("order_id", `"string"`)), reflect.TypeFor[Event]())); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
}

func TestAnEventIsARecordBoundToAStruct(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		text   string
		goType reflect.Type
		want   string
	}{
		"a string":     {`"string"`, reflect.TypeFor[string](), "the schema's root is of type string, want a record: an event has named fields"},
		"a union":      {`["null","string"]`, reflect.TypeFor[*string](), "the schema's root is of type a union of null and string, want a record: an event has named fields"},
		"to a map":     {record(), reflect.TypeFor[map[string]any](), "record R is bound to map[string]any, want a struct"},
		"to a pointer": {record(), reflect.TypeFor[*struct{}](), "record R is bound to *struct {}, want a struct"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff([]string{tt.want}, faults(t, tt.text, tt.goType)); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatIsNoSchemaIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "{", `{"type":"nope"}`, record(field("a", `"missing.Type"`)), record(`{"name":"a","type":"int","default":"x"}`)} {
		if _, err := avro.Codec().Bind(schema.Source{Schema: text}, reflect.TypeFor[struct{}]()); !errors.Is(err, diag.SchemaInvalid) {
			t.Errorf("Bind(%q) = %v, want %s", text, err, diag.SchemaInvalid)
		}
	}
}

func TestLogicalTypesOnOtherTypesAreIgnoredAsAvroSays(t *testing.T) {
	t.Parallel()
	type Event struct {
		A string `avro:"a"`
		B int64  `avro:"b"`
	}
	text := record(field("a", `{"type":"string","logicalType":"date"}`), field("b", `{"type":"long","logicalType":"x-vendor"}`))
	if got := faults(t, text, reflect.TypeFor[Event]()); len(got) > 0 {
		t.Errorf("faults = %q, want none", got)
	}
}
