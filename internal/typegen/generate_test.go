package typegen_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/typegen"
	"github.com/slipway-go/slipway/schema"
)

func entry(name string, format contract.Format, text string) typegen.Entry {
	return typegen.Entry{Name: name, Topic: name, Schema: &typegen.Schema{Format: format, Source: schema.Source{Schema: text}}}
}

func avroEntry(name, text string) typegen.Entry { return entry(name, contract.Avro, text) }

func record(name, fields string) string {
	return fmt.Sprintf(`{"type":"record","name":%q,"fields":[%s]}`, name, fields)
}

func TestWhatHasNoNameOrNoTypeIsRefused(t *testing.T) {
	t.Parallel()
	one := record("n.One", `{"name":"id","type":"string"}`)
	other := record("n.One", `{"name":"id","type":"long"}`)
	for name, tt := range map[string]struct {
		consumes []typegen.Entry
		want     diag.Code
		says     string
	}{
		"two entries of one name": {
			[]typegen.Entry{avroEntry("orders.created.v1", one), avroEntry("orders-created", one)},
			diag.GenerateName, "orders.created.v1 and orders-created would both be OrdersCreated in Go",
		},
		"two types of one name": {
			[]typegen.Entry{avroEntry("one", record("n.A", `{"name":"x","type":`+one+`}`)), avroEntry("two", record("n.B", `{"name":"x","type":`+other+`},{"name":"y","type":`+record("m.TwoOne", "")+`}`))},
			diag.GenerateName, "the Go name TwoOne would be that of record m.TwoOne of two and record n.One of two",
		},
		"an enum at the root": {
			[]typegen.Entry{avroEntry("one", `{"type":"enum","name":"E","symbols":["A"]}`)},
			diag.GenerateType, "the schema of one is of type enum",
		},
		"a record within itself": {
			[]typegen.Entry{entry("one", contract.JSON, `{"type":"object","required":["a"],"properties":{"a":{"$ref":"#"}}}`)},
			diag.GenerateType, "contains itself",
		},
		"a list at the root":   {[]typegen.Entry{entry("one", contract.JSON, `{"type":"array"}`)}, diag.GenerateType, "no plain object"},
		"a name beyond a tag":  {[]typegen.Entry{entry("one", contract.JSON, `{"type":"object","properties":{"a\"b":{}}}`)}, diag.GenerateType, "no struct tag"},
		"not a schema":         {[]typegen.Entry{avroEntry("one", `{`)}, diag.SchemaInvalid, "cannot be parsed"},
		"not json":             {[]typegen.Entry{entry("one", contract.JSON, `{`)}, diag.SchemaInvalid, "cannot be parsed"},
		"not protobuf":         {[]typegen.Entry{entry("one", contract.Protobuf, `{`)}, diag.SchemaInvalid, "parse"},
		"protobuf, no message": {[]typegen.Entry{entry("one", contract.Protobuf, `syntax = "proto3";`)}, diag.SchemaMessage, "no message"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := typegen.Generate("p", typegen.Contract{Service: "s", Consumes: tt.consumes})
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want %s: %s", err, tt.want, tt.says)
			}
		})
	}
}

func TestTypesOfOneNameAreToldApartByWhereTheyComeFrom(t *testing.T) {
	t.Parallel()
	a := record("x.billing.Money", `{"name":"n","type":"long"}`)
	b := record("x.shop.Money", `{"name":"n","type":"int"}`)
	same := record("x.shop.Money", `{"name":"n","type":"int"}`)
	files, err := typegen.Generate("p", typegen.Contract{Service: "s", Produces: []typegen.Entry{
		avroEntry("a", record("A", `{"name":"m","type":`+a+`}`)),
		avroEntry("b", record("B", `{"name":"m","type":`+b+`}`)),
		avroEntry("c", record("Handlers", `{"name":"m","type":`+same+`}`)),
	}})
	if err != nil {
		t.Fatal(err)
	}
	text := string(files[typegen.TypesFile])
	for _, want := range []string{"type BillingMoney struct", "type ShopMoney struct", "type CHandlers struct"} {
		if strings.Count(text, want) != 1 {
			t.Errorf("%q is there %d times, want once:\n%s", want, strings.Count(text, want), text)
		}
	}
}

// A checker type-checks what is generated as a compiler would.
type checker struct {
	fset    *token.FileSet
	imports types.Importer
}

func newChecker() *checker {
	fset := token.NewFileSet()
	return &checker{fset, importer.ForCompiler(fset, "source", nil)}
}

func (c *checker) check(t failer, files map[string][]byte) {
	var parsed []*ast.File
	for name, text := range files {
		if name == typegen.HandlesFile {
			continue // needs Slipway itself; its shape does not depend on schemas
		}
		f, err := parser.ParseFile(c.fset, name, text, 0)
		if err != nil {
			t.Fatalf("%v:\n%s", err, text)
		}
		parsed = append(parsed, f)
	}
	conf := types.Config{Importer: c.imports}
	if _, err := conf.Check("p", c.fset, parsed, nil); err != nil {
		t.Fatalf("%v:\n%s", err, files[typegen.TypesFile])
	}
}

type failer interface {
	Fatalf(format string, args ...any)
}

// drawn is a random type of Avro. Names come from few, so that they meet.
func drawn(t *rapid.T, depth int, used map[string]bool) any {
	kinds := []string{"null", "boolean", "int", "long", "float", "double", "string", "bytes", "enum", "fixed", "time", "decimal"}
	if depth > 0 {
		kinds = append(kinds, "record", "record", "array", "map", "optional", "union")
	}
	kind := rapid.SampledFrom(kinds).Draw(t, "kind")
	name := rapid.SampledFrom([]string{"A", "a", "b_c", "BC", "Type", "Handlers", "n.A", "m.A", "x_1", "_", "time", "string"}).Draw(t, "name")
	if kind == "enum" || kind == "fixed" || kind == "record" {
		if used[name] {
			return name
		}
		used[name] = true
	}
	switch kind {
	case "enum":
		return map[string]any{"type": kind, "name": name, "symbols": []string{"A", "a", "_", "A_"}}
	case "fixed":
		return map[string]any{"type": kind, "name": name, "size": 3}
	case "time":
		return map[string]any{"type": "long", "logicalType": "timestamp-micros"}
	case "decimal":
		return map[string]any{"type": "bytes", "logicalType": "decimal", "precision": 5, "scale": 1}
	case "array":
		return map[string]any{"type": kind, "items": drawn(t, depth-1, used)}
	case "map":
		return map[string]any{"type": kind, "values": drawn(t, depth-1, used)}
	case "optional":
		return []any{"null", drawn(t, depth-1, used)}
	case "union":
		return []any{"string", "long", drawn(t, depth-1, used)}
	case "record":
		return drawnRecord(t, name, depth-1, used)
	}
	return kind
}

func drawnRecord(t *rapid.T, name string, depth int, used map[string]bool) any {
	names := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"id", "ID", "i_d", "_", "order_id", "orderId", "x1", "type"}), 0, 5, rapid.ID).Draw(t, "fields")
	fields := make([]any, len(names))
	for i, n := range names {
		fields[i] = map[string]any{"name": n, "type": drawn(t, depth, used), "doc": rapid.StringN(0, 40, 80).Draw(t, "doc")}
	}
	return map[string]any{"type": "record", "name": name, "fields": fields}
}

func TestWhateverIsGeneratedCompilesOrIsRefused(t *testing.T) {
	t.Parallel()
	c := newChecker()
	generated := 0
	rapid.Check(t, func(t *rapid.T) {
		var in typegen.Contract
		for _, topic := range []string{"one", "two"} {
			text, err := json.Marshal(drawnRecord(t, "Root", 3, map[string]bool{"Root": true}))
			if err != nil {
				t.Fatal(err)
			}
			in.Produces = append(in.Produces, avroEntry(topic, string(text)))
		}
		files, err := typegen.Generate("p", in)
		if err != nil {
			if len(diag.Of(err)) == 0 {
				t.Fatalf("an error without a code: %v", err)
			}
			return
		}
		generated++
		c.check(t, files)
	})
	if generated == 0 {
		t.Error("everything was refused")
	}
}

func FuzzGenerate(f *testing.F) {
	for _, file := range []string{"estate/shop/schemas/gallery.avsc", "estate/shop/schemas/gallery.json", "estate/mail/schemas/bounced.proto"} {
		text, err := os.ReadFile("testdata/" + file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	c := newChecker()
	f.Fuzz(func(t *testing.T, text string) {
		for _, format := range []contract.Format{contract.Avro, contract.JSON} {
			files, err := typegen.Generate("p", typegen.Contract{Service: "s", Produces: []typegen.Entry{entry("t", format, text)}})
			if err == nil {
				c.check(t, files)
			}
		}
	})
}
