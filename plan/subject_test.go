package plan_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/plan"
	"github.com/slipway-go/slipway/schema"
)

// building is a service whose schemas build on each other over two steps.
var building = map[string]string{
	"a": `topics:
  a.placed.v1:
    key: {field: customer, format: avro}
    schema: {file: order.avsc, subject: record, references: {shop.Price: price.avsc, shop.Money: {file: money.avsc, subject: money}}}
  a.closed.v1:
    key: id
    schema: {file: closed.proto, subject: topic-record, message: shop.Closed, references: {money.proto: money.proto}}
produces: {a.placed.v1: {}, a.closed.v1: {}}
`,
	"a/order.avsc": `{"type":"record","name":"Order","namespace":"shop","fields":[
		{"name":"customer","type":{"type":"record","name":"Customer","fields":[{"name":"id","type":"long"}]}},
		{"name":"price","type":"shop.Price"}]}`,
	"a/price.avsc":   `{"type":"record","name":"Price","namespace":"shop","fields":[{"name":"net","type":"shop.Money"},{"name":"tax","type":"shop.Money"}]}`,
	"a/money.avsc":   `{"type":"record","name":"Money","namespace":"shop","fields":[{"name":"minor","type":"long"}]}`,
	"a/closed.proto": `syntax = "proto3"; package shop; import "money.proto"; message Closed { string id = 1; Money paid = 2; }`,
	"a/money.proto":  `syntax = "proto3"; package shop; message Money { int64 minor = 1; }`,
}

func subjects(want *plan.Desired) []string {
	var names []string
	for _, s := range want.Subjects {
		names = append(names, s.Name+" "+string(s.Format)+" "+string(s.Level))
	}
	return names
}

func TestSubjectsFollowStrategyReferencesAndKey(t *testing.T) {
	t.Parallel()
	got := subjects(derive(t, estate(t, "dev", building), contract.Embedded))
	want := []string{
		"a.closed.v1-shop.Closed protobuf backward_transitive",
		"a.placed.v1-key avro full_transitive",
		"money avro backward_transitive",
		"money.proto protobuf backward_transitive",
		"shop.Order avro backward_transitive",
		"shop.Price avro backward_transitive",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("subjects (-want +got):\n%s", d)
	}
}

// TestSchemasAreRegisteredBehindWhatTheyBuildOn applies to an empty registry,
// and again: then nothing is left to do.
func TestSchemasAreRegisteredBehindWhatTheyBuildOn(t *testing.T) {
	t.Parallel()
	r := start(t)
	want := derive(t, estate(t, "dev", building), contract.Embedded)
	if err := plan.Apply(t.Context(), r.target(), r.plan(t, want), nil); err != nil {
		t.Fatal(err)
	}
	if again := r.plan(t, want); !again.Empty() {
		t.Errorf("after apply there is left:\n%s", text(again))
	}
	got, err := r.registry.Latest(t.Context(), "shop.Order")
	if err != nil || !slices.Equal(got.References, []schema.Reference{{Name: "shop.Price", Subject: "shop.Price", Version: 1}}) {
		t.Errorf("references of shop.Order: %+v, %v", got.References, err)
	}
}

func TestSubjectsThatCannotBeAreToldWithTheirPlace(t *testing.T) {
	t.Parallel()
	declare := func(schema, key string) string {
		return "topics: {a.b.v1: {key: " + key + ", schema: " + schema + "}}\nproduces: {a.b.v1: {}}\n"
	}
	const record = `{"type":"record","name":"R","fields":[{"name":"id","type":["null","string"]}]}`
	for name, tt := range map[string]struct {
		files map[string]string
		want  diag.Code
	}{
		"two schemas of one record": {map[string]string{
			"a":        "topics: {a.b.v1: {key: id, schema: {file: r.avsc, subject: record}}, a.c.v1: {key: id, schema: {file: s.avsc, subject: record}}}\nproduces: {a.b.v1: {}, a.c.v1: {}}\n",
			"a/r.avsc": record, "a/s.avsc": strings.Replace(record, "id", "no", 1),
		}, diag.SchemaSubject},
		"a record without a name":  {map[string]string{"a": declare("{file: r.json, subject: record}", "id"), "a/r.json": `{"type":"object"}`}, diag.SchemaSubject},
		"a key that may be null":   {map[string]string{"a": declare("{file: r.avsc}", "{field: id, format: avro}"), "a/r.avsc": record}, diag.SchemaKey},
		"a key that is not there":  {map[string]string{"a": declare("{file: r.avsc}", "{field: nope, format: avro}"), "a/r.avsc": record}, diag.SchemaKey},
		"a key of JSON":            {map[string]string{"a": declare("{file: r.json}", "{field: id, format: avro}"), "a/r.json": `{"type":"object"}`}, diag.SchemaKey},
		"a record in the registry": {map[string]string{"a": declare("{file: r.avsc, subject: record, references: {x.Y: {subject: y, version: 1}}}", "id"), "a/r.avsc": record}, diag.SchemaReference},
		"no schema":                {map[string]string{"a": declare("{file: r.avsc, subject: record}", "id"), "a/r.avsc": `{"type":"nope"}`}, diag.SchemaInvalid},
		"no message":               {map[string]string{"a": declare("{file: r.proto, subject: record, message: x.Y}", "id"), "a/r.proto": `syntax = "proto3";`}, diag.SchemaMessage},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := plan.Derive(estate(t, "dev", tt.files), contract.Embedded)
			if !errors.Is(err, tt.want) {
				t.Fatalf("Derive = %v, want %v", err, tt.want)
			}
			for _, d := range diag.Of(err) {
				if d.Position.File != "a/slipway.yaml" {
					t.Errorf("%v has no place", d)
				}
			}
		})
	}
}

// TestAReaderOfProtobufKeepsAnOwnerFromBreakingIt asks before registering.
func TestAReaderOfProtobufKeepsAnOwnerFromBreakingIt(t *testing.T) {
	t.Parallel()
	r := start(t)
	want := derive(t, estate(t, "dev", map[string]string{
		"a":            "topics: {a.b.v1: {key: id, schema: {file: o.proto}}}\nproduces: {a.b.v1: {}}\n",
		"a/o.proto":    `syntax = "proto3"; message O { string id = 1; sint64 total = 2; }`,
		"b":            "consumes: {a.b.v1: {schema: {file: seen.proto, message: O}}}\n",
		"b/seen.proto": `syntax = "proto3"; message O { string id = 1; int64 total = 2; }`,
	}), contract.Embedded)
	p := r.plan(t, want)
	if got := text(p); !strings.Contains(got, "b (b/slipway.yaml") || !strings.Contains(got, "field total: number 2 is written as sint64 and read as int64") {
		t.Errorf("the plan does not say who could not read what:\n%s", got)
	}
}
