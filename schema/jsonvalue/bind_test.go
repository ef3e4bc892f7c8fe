package jsonvalue_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/jsonvalue"
)

func bind[T any](t testing.TB, text string) schema.Binding {
	t.Helper()
	b, err := jsonvalue.Codec().Bind(schema.Source{Schema: text}, reflect.TypeFor[T]())
	if err != nil {
		t.Fatalf("Bind: %v", err)
	}
	return b
}

// faults binds and returns the messages of its faults.
func faults(t *testing.T, text string, goType reflect.Type) []string {
	t.Helper()
	_, err := jsonvalue.Codec().Bind(schema.Source{Schema: text}, goType)
	var got []string
	for _, d := range diag.Of(err) {
		if d.Code != diag.SchemaTypeMismatch {
			t.Errorf("code is %s, want %s", d.Code, diag.SchemaTypeMismatch)
		}
		got = append(got, strings.ReplaceAll(d.Message, "jsonvalue_test.", ""))
	}
	return got
}

// object is a schema with properties, some of them required.
func object(properties string, required ...string) string {
	names, err := json.Marshal(append([]string{}, required...))
	if err != nil {
		panic(err)
	}
	return `{"type":"object","properties":{` + properties + `},"required":` + string(names) +
		`,"$defs":{"line":{"type":"object","properties":{"sku":{"type":"string"},"price":{"type":"integer"}}}}}`
}

func TestBindReportsEveryFaultWithItsPathAndTheWantedType(t *testing.T) {
	t.Parallel()
	type Line struct {
		SKU   string  `json:"sku"`
		Price float64 `json:"price"`
		Extra string
	}
	type Order struct {
		Lines  []Line            `json:"lines"`
		Rates  map[string]Line   `json:"rates"`
		Note   string            `json:"note"`
		Count  int32             `json:"count"`
		Small  int8              `json:"small"`
		Unsure uint              `json:"unsure"`
		When   string            `json:"when"`
		ID     string            `json:"id,omitempty"`
		Left   *string           `json:"left"`
		Right  *string           `json:"right,omitempty"`
		Text   int64             `json:"text,string"`
		Blob   []byte            `json:"blob"`
		Secret string            `json:"-"`
		Any    json.RawMessage   `json:"any"`
		Free   any               `json:"free"`
		Either string            `json:"either"`
		Keys   map[string]string `json:"keys"`
	}
	text := object(`
		"lines":{"type":"array","items":{"$ref":"#/$defs/line"}},
		"rates":{"type":"object","additionalProperties":{"$ref":"#/$defs/line"}},
		"note":{"type":["string","null"]},
		"count":{"type":"integer"},
		"small":{"type":"integer","minimum":-128,"maximum":127},
		"unsure":{"type":"integer","minimum":0},
		"when":{"type":"boolean"},
		"id":{"type":"string"},
		"left":{"type":"string"},
		"right":{"type":"string"},
		"text":{"type":"integer"},
		"blob":{"type":"array","items":{"type":"integer"}},
		"any":{"type":"object"},
		"free":{},
		"either":{"anyOf":[{"type":"string"},{"type":"integer"}]},
		"keys":{"type":"object"},
		"absent":{"type":["object","null"],"properties":{"a":{}}}`, "id", "left")
	want := []string{
		"property absent has no field in Order: add one of type a pointer to a struct tagged `json:\"absent\"`",
		"property blob is array and the Go type is []uint8: want []int64",
		"property count is integer and the Go type is int32: want int64",
		"property id is required and Go field ID may be left out: remove omitempty and omitzero",
		"Go field Left writes null when it is nil, which property left does not allow: use string",
		"property lines[].price is integer and the Go type is float64: want int64",
		"Go field Line.Extra is written as property lines[].Extra, which the schema does not have: add the property to the schema, or tag the field `json:\"-\"`",
		"property note may be null and the Go type is string: want a pointer to it",
		"Go field Text has the option \"string\", which writes property text as text: remove it",
		"property unsure is integer and the Go type is uint: want int64",
		"property when is boolean and the Go type is string: want bool",
	}
	if diff := cmp.Diff(want, faults(t, text, reflect.TypeFor[Order]())); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
}

func TestTypesOfTheTableFit(t *testing.T) {
	t.Parallel()
	type Base struct {
		ID string `json:"id"`
	}
	type Tree struct {
		Base
		At       time.Time          `json:"at"`
		Number   json.Number        `json:"number"`
		Share    float64            `json:"share"`
		Children []*Tree            `json:"children,omitempty"`
		Maybe    *int64             `json:"maybe"`
		Labels   map[string]*string `json:"labels,omitempty"`
	}
	text := `{"type":"object","properties":{
		"id":{"type":"string"},"at":{"type":"string","format":"date-time"},"number":{"type":"number"},"share":{"type":"number"},
		"children":{"type":"array","items":{"$ref":"#"}},"maybe":{"type":["null","integer"]},
		"labels":{"type":"object","additionalProperties":{"type":["null","string"]}}}}`
	if got := faults(t, text, reflect.TypeFor[Tree]()); len(got) > 0 {
		t.Errorf("faults = %q, want none", got)
	}
}

func TestAnEventIsAnObjectBoundToAStruct(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		text   string
		goType reflect.Type
		want   string
	}{
		"a string":      {`{"type":"string"}`, reflect.TypeFor[string](), "the schema's root is string, want type object: an event has named fields"},
		"no type":       {`{}`, reflect.TypeFor[struct{}](), "the schema's root is of no type, want type object: an event has named fields"},
		"a combination": {`{"type":"object","anyOf":[{"type":"object"}]}`, reflect.TypeFor[struct{}](), "the schema's root combines others, want one object with properties: an event has named fields"},
		"to a map":      {`{"type":"object"}`, reflect.TypeFor[map[string]any](), "the schema's object is bound to map[string]interface {}, want a struct"},
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
	for name, text := range map[string]string{
		"empty": "", "cut": `{"type":`, "unknown type": `{"type":"strin"}`, "bad pattern": `{"pattern":"("}`,
		"a file": `{"$ref":"file:///etc/passwd"}`, "an address": `{"$ref":"http://192.0.2.1/x.json"}`,
	} {
		if _, err := jsonvalue.Codec().Bind(schema.Source{Schema: text}, reflect.TypeFor[struct{}]()); !errors.Is(err, diag.SchemaInvalid) {
			t.Errorf("%s: Bind = %v, want %s", name, err, diag.SchemaInvalid)
		}
	}
}
