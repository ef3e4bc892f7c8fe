package compat

import (
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// A Subject is a schema of the estate with all who have to do with it.
type Subject struct {
	Name string
	Schema
	Topic     string // whose values it describes; empty for keys, and for what others build on
	Key       string // the field that is the record's key, if any
	Level     contract.Compatibility
	Position  diag.Position
	Consumers []Consumer
}

// A Consumer reads a topic with a schema of its own.
type Consumer struct {
	Service string
	Schema
	Position diag.Position
}

// about is what messages call the subject.
func (s Subject) about() string {
	if s.Topic != "" {
		return s.Topic
	}
	return s.Name
}

// A Finding is something that is wrong with a subject.
type Finding struct {
	diag.Diagnostic
	Subject string
	Field   string // empty for the schema as a whole
	Service string // of the consumer that breaks, if it is one
}

// Lint judges a schema by itself: that it can be read, that the key is one of
// its fields, and that no money is kept in floating point, which is a warning.
// The schema is not to be judged further if it is not sound.
func (s Subject) Lint() (found []Finding, sound bool) {
	fields, err := Fields(s.Schema)
	if err != nil {
		return []Finding{s.finding("", diag.New(diag.SchemaInvalid, "the schema of %s cannot be parsed: %v", s.about(), err))}, false
	}
	if s.Key != "" {
		if d, ok := s.key(fields); !ok {
			found = append(found, s.finding(s.Key, d))
		}
	}
	for _, f := range fields {
		if f.floating && f.amount() {
			found = append(found, s.finding(f.Path, diag.Warn(diag.SchemaMoney, "field %s of %s holds money as %s", f.Path, s.about(), f.Type)))
		}
	}
	return found, true
}

func (s Subject) finding(field string, d diag.Diagnostic) Finding {
	return Finding{Diagnostic: d.At(s.Position), Subject: s.Name, Field: field}
}

// unkeyed are types that no record key can have.
var unkeyed = []string{"array", "map", "record", "object", "boolean", "float", "double", "number", "repeated", "anything"}

// key looks for the key's field at the top level of the schema.
func (s Subject) key(fields []Field) (diag.Diagnostic, bool) {
	i := slices.IndexFunc(fields, func(f Field) bool {
		path := f.Path
		if s.format() == "protobuf" { // its paths begin with the message
			path = path[strings.LastIndexByte(path, '.')+1:]
		}
		return path == s.Key
	})
	if i < 0 {
		return diag.New(diag.SchemaKeyField, "the key of %s is field %s, which its schema does not have", s.about(), s.Key), false
	}
	words := strings.Fields(fields[i].Type)
	if w := slices.IndexFunc(words, func(w string) bool { return slices.Contains(unkeyed, w) }); w >= 0 {
		return diag.New(diag.SchemaKeyField, "the key of %s is field %s, which is %s: no record key can be that", s.about(), s.Key, fields[i].Type), false
	}
	return diag.Diagnostic{}, true
}

// Follow judges whether a schema that is to be registered may follow the
// versions there are. The reasons are the registry's own for refusing it, if it
// does; they are told where the comparison of fields has nothing to tell.
func (s Subject) Follow(history []Version, reasons []string) ([]Finding, error) {
	breaks, err := Check(s.Level, s.Schema, history)
	if err != nil {
		return nil, fmt.Errorf("subject %s: %w", s.Name, err)
	}
	var found []Finding
	for _, group := range grouped(breaks) {
		b := group[0]
		d := diag.New(diag.SchemaBreaks, "%s of %s: %s", b.Where(), s.about(), b.Text).
			WithEvidence("%s; the level is %s", hurt(group), s.Level).WithFix("%s", b.Fix())
		found = append(found, s.finding(b.Path, d))
	}
	if len(found) == 0 && len(reasons) > 0 {
		d := diag.New(diag.SchemaIncompatible, "the registry refuses the schema of %s as not %s compatible", s.about(), s.Level)
		d.Evidence = reasons
		found = append(found, s.finding("", d))
	}
	return found, nil
}

// hurt says who breaks by one fault against several versions.
func hurt(group []Break) string {
	versions := make([]string, len(group))
	for i, b := range group {
		versions[i] = fmt.Sprint(b.Version)
	}
	word := "version "
	if len(versions) > 1 {
		word = "versions "
	}
	which := word + strings.Join(versions, ", ")
	if group[0].Victim == NewReader {
		return "programs with the new schema cannot read what was written with " + which
	}
	return "programs with " + which + " cannot read what is written with the new schema"
}

// grouped puts the same fault of several versions together.
func grouped(breaks []Break) [][]Break {
	var groups [][]Break
	for _, b := range breaks {
		i := slices.IndexFunc(groups, func(g []Break) bool { return g[0].Fault == b.Fault && g[0].Victim == b.Victim })
		if i < 0 {
			groups = append(groups, []Break{b})
			continue
		}
		groups[i] = append(groups[i], b)
	}
	return groups
}

// Read judges whether each consumer with a schema of its own can read what the
// owner will write, and what was written with the versions there are.
func (s Subject) Read(history []Version) ([]Finding, error) {
	var found []Finding
	for _, c := range s.Consumers {
		breaks, err := Reads(s.Schema, c.Schema)
		if err != nil {
			return nil, diag.New(diag.SchemaInvalid, "the schema that %s reads %s with: %v", c.Service, s.about(), err).At(c.Position)
		}
		for _, v := range history {
			old, err := Reads(v.Schema, c.Schema)
			if err != nil {
				return nil, fmt.Errorf("version %d of subject %s: %w", v.Number, s.Name, err)
			}
			for i := range old {
				old[i].Version = v.Number
			}
			breaks = append(breaks, old...)
		}
		for _, group := range grouped(breaks) {
			b := group[0]
			d := diag.New(diag.SchemaUnreadable, "%s cannot read %s, %s: %s", c.Service, s.about(), b.Where(), b.Text).
				WithEvidence("%s", written(group)).WithFix("%s", b.Fix())
			found = append(found, Finding{Diagnostic: d.At(c.Position), Subject: s.Name, Field: b.Path, Service: c.Service})
		}
	}
	return found, nil
}

// written says which of the owner's schemas a consumer cannot read.
func written(group []Break) string {
	var said []string
	for _, b := range group {
		if b.Version == 0 {
			said = append(said, "the owner's schema")
			continue
		}
		said = append(said, fmt.Sprintf("version %d", b.Version))
	}
	return "written with " + strings.Join(said, ", ")
}
