package contract_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

const referring = `topics:
  x.y.v1:
    key: id
    schema:
      file: s.proto
      message: shop.v1.Order
      references:
        shop/money.proto: money.proto
        base.proto: {subject: base, version: 3}
        copy.proto: {file: money.proto, subject: elsewhere, version: 2}
produces: {x.y.v1: {}}
`

func TestASchemaBringsWhatItRefersTo(t *testing.T) {
	t.Parallel()
	s, list := contract.Parse(fstest.MapFS{
		"slipway.yaml": {Data: []byte(minimal + referring)}, "s.proto": {Data: []byte("order")}, "money.proto": {Data: []byte("money")},
	}, "slipway.yaml")
	if list.Failed() {
		t.Fatal(list)
	}
	declared := s.Topics["x.y.v1"].Schema
	if declared.Format != contract.Protobuf || declared.Message != "shop.v1.Order" || declared.Subject != contract.SubjectTopic || declared.ID != contract.IDPrefix {
		t.Errorf("schema %+v", declared)
	}
	got, err := s.Imports(declared)
	if err != nil {
		t.Fatal(err)
	}
	want := []contract.Import{
		{Name: "base.proto", Subject: "base", Version: 3},
		{Name: "copy.proto", Subject: "elsewhere", Version: 2, Text: "money"},
		{Name: "shop/money.proto", Subject: "shop/money.proto", Text: "money"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	var files []string
	for name := range s.Files() {
		files = append(files, name)
	}
	if d := cmp.Diff([]string{"money.proto", "s.proto"}, files); d != "" {
		t.Errorf("what is part of the contract: %s", d)
	}
}

func TestReferencesThatLeadNowhereAreTold(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		declared string
		want     diag.Code
	}{
		"no file and no subject": {"{file: s.avsc, references: {a.B: {version: 1}}}", diag.SchemaReference},
		"a subject alone":        {"{file: s.avsc, references: {a.B: {subject: b}}}", diag.SchemaReference},
		"a file that is missing": {"{file: s.avsc, references: {a.B: b.avsc}}", diag.ContractFileMissing},
		"a message of Avro":      {"{file: s.avsc, message: a.B}", diag.SchemaMessage},
		"no message's name":      {"{file: s.avsc, message: a/B}", diag.ContractValue},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := minimal + "topics: {x.y.v1: {key: id, schema: " + tt.declared + "}}\nproduces: {x.y.v1: {}}\n"
			_, list := contract.Parse(fstest.MapFS{"slipway.yaml": {Data: []byte(text)}, "s.avsc": {Data: []byte(`"string"`)}}, "slipway.yaml")
			if !errors.Is(list.Err(), tt.want) || !strings.Contains(list.Err().Error(), "slipway.yaml") {
				t.Errorf("Parse: %v, want %v with its place", list, tt.want)
			}
		})
	}
}
