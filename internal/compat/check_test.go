package compat_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/compat"
	"github.com/slipway-go/slipway/schema"
)

func avroOf(text string) compat.Schema {
	return compat.Schema{Format: "avro", Source: schema.Source{Schema: text}}
}

func jsonOf(text string) compat.Schema {
	return compat.Schema{Format: "json", Source: schema.Source{Schema: text}}
}

// record is a record of fields, each "name type" or "name type default".
func record(fields ...string) string {
	for i, f := range fields {
		name, rest, _ := strings.Cut(f, " ")
		typ, def, has := strings.Cut(rest, " = ")
		if !strings.HasPrefix(typ, "{") && !strings.HasPrefix(typ, "[") {
			typ = fmt.Sprintf("%q", typ)
		}
		if has {
			def = `,"default":` + def
		}
		fields[i] = fmt.Sprintf(`{"name":%q,"type":%s%s}`, name, typ, def)
	}
	return `{"type":"record","name":"Order","namespace":"shop","fields":[` + strings.Join(fields, ",") + `]}`
}

const (
	status = `{"type":"enum","name":"Status","symbols":["OPEN","PAID"]}`
	closed = `{"type":"enum","name":"Status","symbols":["OPEN","PAID","CLOSED"]}`
	anyhow = `{"type":"enum","name":"Status","symbols":["OPEN","PAID"],"default":"OPEN"}`
)

func TestEachFaultNamesItsFieldAndWhatIsWritten(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		writer, reader string
		want           []string
	}{
		"the same":             {record("id string"), record("id string"), nil},
		"dropped":              {record("id string", "n long"), record("id string"), nil},
		"promoted":             {record("n int"), record("n double"), nil},
		"optional":             {record("n long"), record(`n ["null","long"] = null`), nil},
		"default":              {record("id string"), record("id string", "n long = 0"), nil},
		"a default for others": {record("s " + closed), record("s " + anyhow), nil},
		"no default":           {record("id string"), record("id string", "n long"), []string{"field n: it is read as long without a default, and not written"}},
		"another type":         {record("n string"), record("n long"), []string{"field n: it is written as string and read as long"}},
		"narrowed":             {record("n long"), record("n int"), []string{"field n: it is written as long and read as int"}},
		"null":                 {record(`n ["null","long"] = null`), record("n long"), []string{"field n: it may be written as null and is read as long"}},
		"a branch":             {record(`n ["null","string","long"] = null`), record(`n ["null","string"] = null`), []string{"field n: it may be written as long and is read as null or string"}},
		"a symbol":             {record("s " + closed), record("s " + status), []string{"field s: symbol CLOSED may be written, and enum Status is read without it and without a default"}},
		"in an array":          {record(`l {"type":"array","items":"string"}`), record(`l {"type":"array","items":"long"}`), []string{"field l[]: it is written as string and read as long"}},
		"in a map":             {record(`m {"type":"map","values":"string"}`), record(`m {"type":"map","values":"boolean"}`), []string{"field m{}: it is written as string and read as boolean"}},
		"in a record": {
			record(`a {"type":"record","name":"A","fields":[]}`), record(`a {"type":"record","name":"A","fields":[{"name":"zip","type":"string"}]}`),
			[]string{"field a.zip: it is read as string without a default, and not written"},
		},
		"another name": {record(`a {"type":"fixed","name":"A","size":2}`), record(`a {"type":"fixed","name":"B","size":2}`), []string{"field a: fixed shop.A is written and shop.B is read"}},
		"another size": {record(`a {"type":"fixed","name":"A","size":2}`), record(`a {"type":"fixed","name":"A","size":3}`), []string{"field a: 2 bytes are written and 3 are read"}},
		"a decimal": {
			record(`a {"type":"bytes","logicalType":"decimal","precision":9,"scale":2}`), record(`a {"type":"bytes","logicalType":"decimal","precision":9,"scale":3}`),
			[]string{"field a: it is written as decimal(9,2) and read as decimal(9,3)"},
		},
		"several at once": {
			record("a string", "b long"), record("c string", "b string"),
			[]string{"field b: it is written as long and read as string", "field c: it is read as string without a default, and not written"},
		},
		"a list of itself": {
			record(`next ["null","Order"] = null`, "n string"), record(`next ["null","Order"] = null`, "n long"),
			[]string{"field n: it is written as string and read as long"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faults, err := compat.Unreadable(avroOf(tt.writer), avroOf(tt.reader))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range faults {
				got = append(got, f.String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

func TestALevelSaysWhoIsAskedAboutWhichVersions(t *testing.T) {
	t.Parallel()
	history := []compat.Version{
		{Number: 1, Schema: avroOf(record("id string"))},
		{Number: 2, Schema: avroOf(record("id string", "n long = 0"))},
	}
	next := avroOf(record("id string", "n long")) // version 1 lacks n
	for level, want := range map[contract.Compatibility][]string{
		contract.NoCompatibility:    nil,
		contract.Backward:           nil,
		contract.Forward:            nil,
		contract.Full:               nil,
		contract.ForwardTransitive:  nil,
		contract.BackwardTransitive: {"programs with the new schema cannot read what was written with version 1: field n: it is read as long without a default, and not written"},
		contract.FullTransitive:     {"programs with the new schema cannot read what was written with version 1: field n: it is read as long without a default, and not written"},
	} {
		t.Run(string(level), func(t *testing.T) {
			t.Parallel()
			breaks, err := compat.Check(level, next, history)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, b := range breaks {
				got = append(got, b.Story())
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("breaks (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheFixIsForWhoBreaks(t *testing.T) {
	t.Parallel()
	with, without := avroOf(record("id string", "n long")), avroOf(record("id string"))
	for name, tt := range map[string]struct {
		got  func() ([]compat.Break, error)
		want string
	}{
		"a new field": {
			func() ([]compat.Break, error) {
				return compat.Check(contract.Backward, with, []compat.Version{{Number: 1, Schema: without}})
			},
			"give n a default: what was written before does not have it",
		},
		"a field that goes": {
			func() ([]compat.Break, error) {
				return compat.Check(contract.Forward, without, []compat.Version{{Number: 1, Schema: with}})
			},
			"keep n: programs with the old schema need it; one that has a default in every version in use can be removed",
		},
		"a consumer that needs it": {
			func() ([]compat.Break, error) { return compat.Reads(without, with) },
			"keep n, or first give it a default in the schema that the consumer reads with, and deploy the consumer",
		},
		"another format": {
			func() ([]compat.Break, error) { return compat.Reads(jsonOf(`{}`), with) },
			"read the topic in the format that its owner writes",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			breaks, err := tt.got()
			if err != nil || len(breaks) != 1 || breaks[0].Fix() != tt.want {
				t.Errorf("got %v, %v; want one with the fix %q", breaks, err, tt.want)
			}
		})
	}
}

func TestWhatCannotBeParsedIsSaidToBe(t *testing.T) {
	t.Parallel()
	sound := avroOf(record("id string"))
	for name, tt := range map[string]struct {
		next compat.Schema
		old  compat.Schema
		want string
	}{
		"the new one":     {avroOf("{"), sound, "the schema that is read"},
		"the old one":     {sound, avroOf("{"), "version 7: parse the schema that is written"},
		"no such format":  {compat.Schema{Format: "xml"}, compat.Schema{Format: "xml"}, `format "xml" is not known`},
		"json, not valid": {jsonOf("{"), jsonOf("{}"), "the reader's schema"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := compat.Check(contract.Backward, tt.next, []compat.Version{{Number: 7, Schema: tt.old}})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}
