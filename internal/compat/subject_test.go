package compat_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/compat"
	"github.com/slipway-go/slipway/schema"
)

func protoOf(text string) compat.Schema {
	return compat.Schema{Format: "protobuf", Source: schema.Source{Schema: text}}
}

func codes(found []compat.Finding) string {
	var all []string
	for _, f := range found {
		all = append(all, strings.TrimSuffix(string(f.Code)+"@"+f.Field, "@"))
	}
	return strings.Join(all, " ")
}

func TestASchemaIsJudgedAlone(t *testing.T) {
	t.Parallel()
	message := `syntax = "proto3"; package shop; message Order { string id = 1; double price = 2; repeated string tags = 3; }`
	object := `{"type":"object","properties":{"id":{"type":"string"},"flag":{"type":"boolean"}}}`
	for name, tt := range map[string]struct {
		schema compat.Schema
		key    string
		want   string
	}{
		"sound":               {avroOf(record("id string")), "id", ""},
		"without a key":       {avroOf(record("id string")), "", ""},
		"an optional key":     {avroOf(record(`id ["null","string"]`)), "id", ""},
		"no such field":       {avroOf(record("id string")), "order_id", string(diag.SchemaKeyField) + "@order_id"},
		"a list for a key":    {avroOf(record(`id {"type":"array","items":"string"}`)), "id", string(diag.SchemaKeyField) + "@id"},
		"a fraction":          {avroOf(record("id double")), "id", string(diag.SchemaKeyField) + "@id"},
		"a field further in":  {avroOf(record(`a {"type":"record","name":"A","fields":[{"name":"id","type":"string"}]}`)), "id", string(diag.SchemaKeyField) + "@id"},
		"json":                {jsonOf(object), "id", ""},
		"json, a flag":        {jsonOf(object), "flag", string(diag.SchemaKeyField) + "@flag"},
		"protobuf, and money": {protoOf(message), "id", string(diag.SchemaMoney) + "@Order.price"},
		"protobuf, a list":    {protoOf(message), "tags", string(diag.SchemaKeyField) + "@tags " + string(diag.SchemaMoney) + "@Order.price"},
		"no schema":           {avroOf("{"), "id", string(diag.SchemaInvalid)},
		"no json":             {jsonOf(`{"type":"x"}`), "id", string(diag.SchemaInvalid)},
		"no protobuf":         {protoOf("message {"), "id", string(diag.SchemaInvalid)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, _ := compat.Subject{Name: "orders-value", Topic: "orders", Key: tt.key, Schema: tt.schema}.Lint()
			if got := codes(found); got != tt.want {
				t.Errorf("got %q, want %q: %v", got, tt.want, found)
			}
		})
	}
}

func TestTheSameFaultOfSeveralVersionsIsToldOnce(t *testing.T) {
	t.Parallel()
	s := compat.Subject{Name: "orders-value", Topic: "orders", Level: contract.BackwardTransitive, Schema: avroOf(record("id long"))}
	old := avroOf(record("id string"))
	found, err := s.Follow([]compat.Version{{Number: 1, Schema: old}, {Number: 2, Schema: old}}, []string{"the registry's words"})
	if err != nil || len(found) != 1 || found[0].Code != diag.SchemaBreaks {
		t.Fatalf("got %v, %v, want one finding", found, err)
	}
	want := "programs with the new schema cannot read what was written with versions 1, 2; the level is backward_transitive"
	if !slices.Equal(found[0].Evidence, []string{want}) {
		t.Errorf("evidence %q, want %q", found[0].Evidence, want)
	}
}

// Not everything that a registry refuses is a field.
func TestTheRegistryHasTheLastWord(t *testing.T) {
	t.Parallel()
	s := compat.Subject{Name: "orders-value", Level: contract.Backward, Schema: jsonOf(`{"not":{"type":"string"}}`)}
	found, err := s.Follow([]compat.Version{{Number: 1, Schema: jsonOf(`{"not":{"type":"integer"}}`)}}, []string{"keyword not is not checked"})
	if err != nil || codes(found) != string(diag.SchemaIncompatible) || !slices.Equal(found[0].Evidence, []string{"keyword not is not checked"}) {
		t.Errorf("got %v, %v, want the registry's reasons", found, err)
	}
}

func TestAConsumerMustReadWhatIsWrittenAndWhatWas(t *testing.T) {
	t.Parallel()
	reader := compat.Consumer{Service: "billing", Schema: avroOf(record("id string", "n long")), Position: diag.Position{File: "billing.yaml", Line: 3}}
	for name, tt := range map[string]struct {
		next     string
		history  []string
		evidence string
	}{
		"all have it":        {record("id string", "n long"), []string{record("id string", "n int")}, ""},
		"it is new":          {record("id string", "n long"), []string{record("id string")}, "written with version 1"},
		"it goes":            {record("id string"), []string{record("id string", "n long")}, "written with the owner's schema"},
		"it was never there": {record("id string"), []string{record("id string"), record("id string", "m long = 0")}, "written with the owner's schema, version 1, version 2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := compat.Subject{Name: "orders-value", Topic: "orders", Schema: avroOf(tt.next), Consumers: []compat.Consumer{reader}}
			var history []compat.Version
			for i, text := range tt.history {
				history = append(history, compat.Version{Number: i + 1, Schema: avroOf(text)})
			}
			found, err := s.Read(history)
			switch {
			case err != nil:
				t.Fatal(err)
			case tt.evidence == "" && len(found) > 0:
				t.Errorf("got %v, want nothing", found)
			case tt.evidence != "" && (codes(found) != string(diag.SchemaUnreadable)+"@n" || found[0].Evidence[0] != tt.evidence || found[0].Position != reader.Position):
				t.Errorf("got %+v, want %q at the consumer's place", found, tt.evidence)
			}
		})
	}
}

func TestProtobufIsComparedByNumber(t *testing.T) {
	t.Parallel()
	file := func(fields string) compat.Schema {
		return protoOf(`syntax = "proto3"; package shop; message Order { ` + fields + ` }`)
	}
	breaks, err := compat.Check(contract.Backward, file("string id = 1; string n = 2;"), []compat.Version{{Number: 1, Schema: file("string id = 1; int64 n = 2;")}})
	if err != nil || len(breaks) != 1 || breaks[0].Path != "n" || breaks[0].Kind != compat.Number {
		t.Errorf("got %v, %v, want that number 2 changed its type", breaks, err)
	}
	changes, err := compat.Diff(file("string id = 1; int64 n = 2;"), file("string id = 1; repeated int64 n = 3; // How many.\n"))
	want := []compat.Change{
		{"Order.n", compat.Changed, "type", "int64", "repeated int64"},
		{"Order.n", compat.Changed, "rules", "= 2", "= 3"},
	}
	if err != nil || !slices.Equal(changes, want) {
		t.Errorf("got %v, %v, want %v", changes, err, want)
	}
}
