package jsonvalue_test

import (
	"strings"
	"testing"

	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/jsonvalue"
)

func TestReadableTellsOnlyWhatIsCertain(t *testing.T) {
	t.Parallel()
	n := func(s string) string { return `{"type":"object","properties":{"n":` + s + `}}` }
	for name, tt := range map[string]struct {
		writer, reader string
		want           string // the error; empty if nothing is known against it
	}{
		"anything":                       {`{}`, `true`, ""},
		"nothing":                        {`{}`, `false`, "the value: it is not accepted"},
		"a number for an integer":        {n(`{"type":"integer"}`), n(`{"type":"number"}`), ""},
		"an integer for a number":        {n(`{"type":"number"}`), n(`{"type":"integer"}`), "field n: it is written as number and read as integer"},
		"one type of two":                {n(`{"type":["string","null"]}`), n(`{"type":"string"}`), "field n: it is written as string or null and read as string"},
		"any type":                       {n(`{}`), n(`{"type":"string"}`), "field n: any type may be written, and it is read as string"},
		"a property nobody declared":     {`{"type":"object"}`, n(`{"type":"string"}`), ""},
		"a property that is not taken":   {n(`{"type":"string"}`), `{"type":"object","additionalProperties":false}`, "field n: it is not accepted"},
		"a property of a pattern":        {n(`{"type":"string"}`), `{"type":"object","additionalProperties":false,"patternProperties":{"n":{}}}`, ""},
		"a property that may be missing": {n(`{}`), `{"type":"object","required":["n"]}`, "field n: it is required to be read, and may be missing"},
		"required by what is combined":   {`{"type":"object","allOf":[{"required":["n"]}]}`, `{"type":"object","required":["n"]}`, ""},
		"a symbol that is unknown":       {n(`{"enum":["a","b"]}`), n(`{"enum":["a"]}`), `field n: "b" is written and not read`},
		"one is one":                     {n(`{"const":1}`), n(`{"enum":[1.0]}`), ""},
		"any text for symbols":           {n(`{"type":"string"}`), n(`{"enum":["a"]}`), `field n: any value may be written, and only ["a"] is read`},
		"both booleans":                  {n(`{"type":"boolean"}`), n(`{"enum":[true,false]}`), ""},
		"a lower maximum":                {n(`{"type":"integer","maximum":10}`), n(`{"type":"integer","maximum":9}`), "field n: maximum 9 is read, and more may be written"},
		"an exclusive maximum":           {n(`{"type":"integer","exclusiveMaximum":10}`), n(`{"type":"integer","maximum":10}`), ""},
		"an inclusive for an exclusive":  {n(`{"type":"integer","maximum":10}`), n(`{"type":"integer","exclusiveMaximum":10}`), "field n: exclusiveMaximum 10 is read, and more may be written"},
		"a higher minimum":               {n(`{"type":"number","minimum":0}`), n(`{"type":"number","minimum":0.5}`), "field n: minimum 1/2 is read, and more may be written"},
		"longer text":                    {n(`{"type":"string"}`), n(`{"type":"string","maxLength":3}`), "field n: text of 3 characters is read, and longer may be written"},
		"shorter text":                   {n(`{"type":"string","minLength":1}`), n(`{"type":"string","minLength":2}`), "field n: text of at least 2 characters is read, and shorter may be written"},
		"text of a format":               {n(`{"type":"string","format":"uuid"}`), n(`{"type":"string","minLength":36}`), ""},
		"items":                          {n(`{"type":"array","items":{"type":"string"}}`), n(`{"type":"array","items":{"type":"integer"}}`), "field n[]: it is written as string and read as integer"},
		"a definition": {
			`{"type":"object","properties":{"n":{"$ref":"#/$defs/n"}},"$defs":{"n":{"type":"string"}}}`,
			`{"type":"object","properties":{"n":{"$ref":"#/definitions/m"}},"definitions":{"m":{"type":"integer"}}}`,
			"field n: it is written as string and read as integer",
		},
		"a tree": {
			`{"type":"object","properties":{"l":{"$ref":"#"},"r":{"$ref":"#"},"v":{"type":"string"}}}`,
			`{"type":"object","properties":{"l":{"$ref":"#"},"r":{"$ref":"#"},"v":{"type":"integer"}}}`,
			"field v: it is written as string and read as integer",
		},
		"a broken reader": {`{}`, `{"type":"no"}`, "the reader's schema"},
		"a broken writer": {`{`, `{}`, "the writer's schema"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := jsonvalue.Readable(schema.Source{Schema: tt.writer}, schema.Source{Schema: tt.reader})
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("got %v", err)
			case tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.want)):
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// FuzzReadable also asks that a schema reads itself, whatever it is.
func FuzzReadable(f *testing.F) {
	f.Add(`{"type":"object","properties":{"l":{"$ref":"#"}},"required":["l"]}`)
	f.Add(`{"enum":[1,1.0,"a"],"maximum":1e300}`)
	f.Fuzz(func(t *testing.T, text string) {
		err := jsonvalue.Readable(schema.Source{Schema: text}, schema.Source{Schema: text})
		if err != nil && !strings.HasPrefix(err.Error(), "the writer's schema") {
			t.Errorf("%s: %v", text, err)
		}
	})
}
