package proto_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/proto"
)

// TestEveryDifferenceOfCodeAndFileIsTold changes the file under the generated
// code, one thing at a time.
func TestEveryDifferenceOfCodeAndFileIsTold(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		replace []string
		want    string
	}{
		"number":       {[]string{"number = 2", "number = 20"}, "field number has number 20 in the schema and the Go type has no such number, but number with number 2"},
		"type":         {[]string{"int64 number", "uint64 number"}, "field number (number 2): the type is uint64 in the schema and int64 in the Go type"},
		"label":        {[]string{"repeated Line", "Line"}, "the label is none in the schema and repeated in the Go type"},
		"optional":     {[]string{"optional string note", "string note"}, "field note (number 7): the label is none in the schema and optional"},
		"name":         {[]string{"string order_id = 1;\n  int64", "string id = 1;\n  int64"}, "field id (number 1): the name is id in the schema and order_id"},
		"new":          {[]string{"replaces = 11;", "replaces = 11; string later = 12;"}, "field later has number 12 in the schema and the Go type has no such number"},
		"gone":         {[]string{"  int64 number = 2;\n", ""}, "field number of the Go type has number 2, which the schema does not have"},
		"oneof":        {[]string{"oneof payer", "oneof buyer"}, "the oneof is buyer in the schema and payer"},
		"out of oneof": {[]string{"    bytes token = 10;\n  }", "  }\n  bytes token = 10;"}, "field token (number 10): the oneof is none in the schema and payer"},
		"nested":       {[]string{"sint32 count", "int32 count"}, "field lines.count (number 2): the type is int32 in the schema and sint32"},
		"map":          {[]string{"map<string, string>", "map<string, int32>"}, "the type is map<string, int32> in the schema and map<string, string>"},
		"enum":         {[]string{"CHANNEL_WEB = 1", "CHANNEL_WEB = 4"}, "field channel: value CHANNEL_WEB = 4 of enum shop.v1.Channel is not in the Go type"},
		"enum gone":    {[]string{"  CHANNEL_PHONE = 2;\n", ""}, "value CHANNEL_PHONE = 2 of enum shop.v1.Channel is not in the schema"},
		"message":      {[]string{"package shop.v1", "package shop.v2"}, "the schema's message is shop.v2.OrderPlaced and the Go type is of message shop.v1.OrderPlaced"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := proto.Codec().Bind(source(t, tt.replace...), reflect.TypeFor[OrderPlaced]())
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Bind = %v\nwant %s", err, tt.want)
			}
		})
	}
	_, err := proto.Codec().Bind(source(t, "int64 number = 2", "uint64 count = 2", "optional string note", "string note"), reflect.TypeFor[OrderPlaced]())
	if n := strings.Count(err.Error(), "generate the code again"); n != 3 {
		t.Errorf("%d differences of 3 are told:\n%v", n, err)
	}
}

func TestReadableTellsWhatWouldBeReadWrong(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		writer []string
		want   string // empty for readable
	}{
		"the same":          {nil, ""},
		"a new field":       {[]string{"replaces = 11;", "replaces = 11; string later = 12;"}, ""},
		"a field less":      {[]string{"  int64 number = 2;\n", ""}, ""},
		"another name":      {[]string{"number = 2", "count = 2"}, ""},
		"varints alike":     {[]string{"int64 number", "uint32 number"}, ""},
		"text and bytes":    {[]string{"string customer", "bytes customer"}, ""},
		"one of a list":     {[]string{"repeated Line", "Line"}, ""},
		"zigzag":            {[]string{"int64 number", "sint64 number"}, "field number: number 2 is written as sint64 and read as int64"},
		"another width":     {[]string{"int64 number", "fixed64 number"}, "written as fixed64 and read as int64"},
		"a list as one":     {[]string{"string order_id = 1;\n  int64", "repeated string order_id = 1;\n  int64"}, "written as repeated string and read as none string"},
		"inside":            {[]string{"sint32 count", "string count"}, "field lines.count: number 2 is written as string and read as sint32"},
		"no message":        {[]string{"shop.Money total", "string total"}, "field total: number 4 is written as string and read as shop.Money"},
		"another message":   {[]string{"shop.Money total", "Line total"}, "written as shop.v1.OrderPlaced.Line and read as shop.Money"},
		"into a oneof":      {[]string{"    bytes token = 10;\n  }", "  }\n  bytes token = 10;"}, "field payer: fields that were written beside each other are read as one oneof"},
		"values of the map": {[]string{"map<string, string>", "map<string, int32>"}, "field labels.value: number 2 is written as int32 and read as string"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := proto.Readable(source(t, tt.writer...), source(t))
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("got %v, want readable", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
	required := func(label string) schema.Source {
		return schema.Source{Schema: "syntax = \"proto2\"; message A { " + label + " string id = 1; }"}
	}
	if err := proto.Readable(required("optional"), required("required")); err == nil || !strings.Contains(err.Error(), "it is required and may be missing") {
		t.Errorf("a required field that may be missing: %v", err)
	}
	if err := proto.Readable(required("required"), required("optional")); err != nil {
		t.Errorf("a field that is required no more: %v", err)
	}
}
