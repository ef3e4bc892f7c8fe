package compat_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/avro"
	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/internal/compat"
)

// A drawer makes schemas of few names, so that two of them have much in common.
type drawer struct {
	t    *rapid.T
	side string
	used map[string]bool
}

func (d *drawer) pick(label string, from ...string) string {
	return rapid.SampledFrom(from).Draw(d.t, d.side+label)
}

func (d *drawer) typ(depth int, union bool) any {
	kinds := []string{"int", "long", "float", "double", "string", "bytes", "boolean", "enum", "fixed", "decimal"}
	if depth > 0 {
		kinds = append(kinds, "array", "map", "record")
		if !union {
			kinds = append(kinds, "union", "union", "optional")
		}
	}
	kind := d.pick("kind", kinds...)
	name := d.pick("name", "A", "B", "C", "n.A", "m.B")
	if kind == "enum" || kind == "fixed" || kind == "record" {
		if d.used[name] {
			return "long"
		}
		d.used[name] = true
	}
	switch kind {
	case "enum":
		n := map[string]any{"type": kind, "name": name, "symbols": []string{"X", "Y", "Z"}[:1+len(d.pick("symbols", "", "x", "xx"))]}
		if d.pick("enumdefault", "y", "n") == "y" {
			n["default"] = "X"
		}
		return n
	case "fixed":
		return map[string]any{"type": kind, "name": name, "size": 1 + len(d.pick("size", "", "x"))}
	case "decimal":
		return map[string]any{"type": "bytes", "logicalType": "decimal", "precision": 4 + len(d.pick("precision", "", "x")), "scale": 2}
	case "array":
		return map[string]any{"type": kind, "items": d.typ(depth-1, false)}
	case "map":
		return map[string]any{"type": kind, "values": d.typ(depth-1, false)}
	case "record":
		return d.record(name, depth-1)
	case "optional":
		return []any{"null", d.typ(depth-1, true)}
	case "union":
		all := []any{}
		for _, b := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"null", "int", "long", "string", "bytes", "double"}), 1, 3, rapid.ID).Draw(d.t, d.side+"branches") {
			all = append(all, b)
		}
		if !d.used[name] {
			d.used[name] = true
			all = append(all, d.record(name, depth-1))
		}
		return all
	}
	return kind
}

func (d *drawer) record(name string, depth int) any {
	names := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"f", "g", "h"}), 0, 3, rapid.ID).Draw(d.t, d.side+"fields")
	fields := make([]any, len(names))
	for i, n := range names {
		f := map[string]any{"name": n, "type": d.typ(depth, false)}
		if f["type"] == "long" && d.pick("default", "y", "n") == "y" {
			f["default"] = 1
		}
		if alias := d.pick("alias", "", "", "f", "g"); alias != "" && alias != n {
			f["aliases"] = []string{alias}
		}
		fields[i] = f
	}
	n := map[string]any{"type": "record", "name": name, "fields": fields}
	if alias := d.pick("other", "", "", "A", "m.B"); alias != "" {
		n["aliases"] = []string{alias}
	}
	if d.pick("space", "y", "n") == "y" {
		n["namespace"] = "n"
	}
	return n
}

func draw(t *rapid.T, side string) string {
	d := drawer{t, side, map[string]bool{"R": true}}
	text, err := json.Marshal(d.record("R", 3))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What is told must be what happens: the codec that services read with refuses
// a pair of schemas exactly where there is something to tell. It differs in one
// thing: it takes null for the default of an optional field that has none, and
// Java's does not.
func TestAFaultIsToldExactlyWhereTheCodecWouldRefuse(t *testing.T) {
	t.Parallel()
	refused, taken := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		writer, reader := draw(t, "w"), draw(t, "r")
		w, err := avro.Parse(writer)
		if err != nil {
			t.Skip(err)
		}
		r, err := avro.Parse(reader)
		if err != nil {
			t.Skip(err)
		}
		want := avro.CheckCompatibility(w, r)
		got, err := compat.Unreadable(avroOf(writer), avroOf(reader))
		if err != nil {
			t.Fatal(err)
		}
		got = slices.DeleteFunc(got, func(f compat.Fault) bool { // Java wants the default written
			return f.Kind == compat.Missing && strings.HasPrefix(f.Read, "null or ")
		})
		if (want == nil) != (len(got) == 0) {
			t.Fatalf("codec: %v\ntold: %v\nwriter %s\nreader %s", want, got, writer, reader)
		}
		if want == nil {
			taken++
		} else {
			refused++
		}
		for _, s := range []string{writer, reader} {
			if changes, err := compat.Diff(avroOf(s), avroOf(s)); err != nil || len(changes) > 0 {
				t.Fatalf("a schema differs from itself: %v, %v: %s", changes, err, s)
			}
		}
	})
	if refused == 0 || taken == 0 {
		t.Errorf("of the pairs %d were refused and %d taken: one of the two was not tried", refused, taken)
	}
}

func FuzzUnreadable(f *testing.F) {
	f.Add(record("id string"), record("id string", "n long"))
	f.Add(record(`next ["null","Order"] = null`), record(`next ["null","Order"] = null`, "n long = 0"))
	f.Add(`{"type":"object","properties":{"l":{"$ref":"#"}}}`, `{"$ref":"#"}`)
	f.Fuzz(func(t *testing.T, writer, reader string) {
		for _, of := range []func(string) compat.Schema{avroOf, jsonOf} {
			if _, err := compat.Unreadable(of(writer), of(reader)); err != nil {
				continue
			}
			if faults, err := compat.Unreadable(of(writer), of(writer)); err != nil || len(faults) > 0 {
				t.Errorf("a schema cannot read itself: %v, %v: %s", faults, err, writer)
			}
			if _, err := compat.Diff(of(writer), of(reader)); err != nil {
				t.Errorf("compared and not listed: %v", err)
			}
		}
	})
}
