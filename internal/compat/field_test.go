package compat_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/internal/compat"
)

func TestDiffSaysWhatBecameOfEachField(t *testing.T) {
	t.Parallel()
	object := func(properties, required string) compat.Schema {
		return jsonOf(`{"type":"object","properties":{` + properties + `},"required":[` + required + `]}`)
	}
	for name, tt := range map[string]struct {
		from, to compat.Schema
		want     []compat.Change
	}{
		"nothing": {avroOf(record("id string")), avroOf(record("id string")), nil},
		"added and removed": {
			avroOf(record("id string", "n long")), avroOf(record("id string", `m ["null","double"] = null`)),
			[]compat.Change{
				{"m", compat.Added, "field", "", "null or double, default null"},
				{"n", compat.Removed, "field", "long", ""},
			},
		},
		"a type, a default and a symbol": {
			avroOf(record("n long = 1", "s "+status)), avroOf(record("n double = 2", "s "+closed)),
			[]compat.Change{
				{"n", compat.Changed, "type", "long", "double"},
				{"n", compat.Changed, "default", "1", "2"},
				{"s", compat.Changed, "type", "enum Status (OPEN, PAID)", "enum Status (OPEN, PAID, CLOSED)"},
			},
		},
		"renamed by alias": {
			avroOf(record("n long")), avroOf(`{"type":"record","name":"Order","fields":[{"name":"m","type":"int","aliases":["n"]}]}`),
			[]compat.Change{
				{"m", compat.Renamed, "name", "n", "m"},
				{"m", compat.Changed, "type", "long", "int"},
			},
		},
		"within": {
			avroOf(record(`l {"type":"array","items":{"type":"record","name":"L","fields":[{"name":"n","type":"int"}]}}`)),
			avroOf(record(`l {"type":"array","items":{"type":"record","name":"L","fields":[{"name":"n","type":"long","doc":"How many."}]}}`)),
			[]compat.Change{
				{"l[].n", compat.Changed, "type", "int", "long"},
				{"l[].n", compat.Changed, "doc", "", "How many."},
			},
		},
		"json": {
			object(`"a":{"type":"string"},"b":{"type":["integer","null"],"maximum":3}`, `"a"`),
			object(`"a":{"type":"string"},"b":{"type":"integer","maximum":4},"c":{"$ref":"#/properties/a"}`, ``),
			[]compat.Change{
				{"a", compat.Changed, "type", "required string", "string"},
				{"b", compat.Changed, "type", "integer or null", "integer"},
				{"b", compat.Changed, "rules", `{"maximum":3}`, `{"maximum":4}`},
				{"c", compat.Added, "field", "", "string"},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := compat.Diff(tt.from, tt.to)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMoneyInFloatingPointIsFound(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		schema compat.Schema
		want   []string
	}{
		"a double":       {avroOf(record("total_amount double")), []string{"total_amount"}},
		"camel case":     {avroOf(record("unitPrice float")), []string{"unitPrice"}},
		"optional":       {avroOf(record(`tax ["null","double"] = null`)), []string{"tax"}},
		"a list of them": {avroOf(record(`fees {"type":"array","items":"double"}`)), []string{"fees"}},
		"within": {
			avroOf(record(`l {"type":"array","items":{"type":"record","name":"L","fields":[{"name":"price","type":"double"}]}}`)),
			[]string{"l[].price"},
		},
		"json":             {jsonOf(`{"type":"object","properties":{"amount":{"type":"number"},"n":{"type":"number"}}}`), []string{"amount"}},
		"minor units":      {avroOf(record("amount long")), nil},
		"a decimal":        {avroOf(record(`amount {"type":"bytes","logicalType":"decimal","precision":9,"scale":2}`)), nil},
		"no money":         {avroOf(record("temperature double")), nil},
		"a rate of it":     {avroOf(record("tax_rate double")), nil},
		"a part of a word": {avroOf(record("totality double")), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, err := compat.Money(tt.schema)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range found {
				got = append(got, f.Path)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
		})
	}
}
