package avro_test

import (
	"strings"
	"testing"

	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/avro"
)

func TestReadableNamesTheFieldAndTheReason(t *testing.T) {
	t.Parallel()
	record := func(fields string) string { return `{"type":"record","name":"R","fields":[` + fields + `]}` }
	id := `{"name":"id","type":"string"}`
	for name, tt := range map[string]struct {
		writer, reader string
		want           []string // of the error; nil if it can be read
	}{
		"the same":                 {record(id), record(id), nil},
		"a projection":             {record(id + `,{"name":"n","type":"int"}`), record(id), nil},
		"a promotion":              {record(`{"name":"n","type":"int"}`), record(`{"name":"n","type":"double"}`), nil},
		"an alias":                 {record(`{"name":"key","type":"string"}`), record(`{"name":"id","type":"string","aliases":["key"]}`), nil},
		"a missing field":          {record(id), record(id + `,{"name":"n","type":"int"}`), []string{"field ", "n"}},
		"a narrower type":          {record(`{"name":"n","type":"long"}`), record(`{"name":"n","type":"int"}`), []string{"n", "written as long, read as int"}},
		"a field within":           {record(`{"name":"in","type":` + strings.Replace(record(id), `"R"`, `"I"`, 1) + `}`), record(`{"name":"in","type":` + strings.Replace(record(id+`,{"name":"n","type":"int"}`), `"R"`, `"I"`, 1) + `}`), []string{"in", "n"}},
		"a symbol that is unknown": {`{"type":"enum","name":"E","symbols":["A","B"]}`, `{"type":"enum","name":"E","symbols":["A"]}`, []string{"B"}},
		"a reader that is broken":  {record(id), `{"type":"no"}`, []string{"the reader's schema"}},
		"a writer that is broken":  {`{`, record(id), []string{"the writer's schema"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := avro.Readable(schema.Source{Schema: tt.writer}, schema.Source{Schema: tt.reader})
			if (err == nil) != (tt.want == nil) {
				t.Fatalf("got %v", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q lacks %q", err, want)
				}
			}
		})
	}
}
