package compat

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/schema"
)

// A Field is one place of a schema that holds a value, as people speak of it.
type Field struct {
	Path    string // such as lines[].price
	Type    string // such as "decimal(10,2) or null"
	Default string // as JSON; empty if there is none
	Doc     string
	Rules   string   // what else a value must keep, as the schema says it
	Was     []string // names it had before: its aliases

	floating bool // it is kept in floating point
}

// Fields returns the fields of a schema in the order of its text. A type that
// contains itself is listed once. The error says that it cannot be parsed, or
// that its format is not known.
func Fields(s Schema) ([]Field, error) {
	list := listers[s.format()]
	if list == nil {
		return nil, fmt.Errorf("list fields: format %q is not known", s.format())
	}
	return list(s.Source)
}

// listers list the fields of a schema by format.
var listers = map[string]func(schema.Source) ([]Field, error){
	"avro":     avroFields,
	"json":     jsonFields,
	"protobuf": protoFields,
}

// What became of a field.
const (
	Added   = "added"
	Removed = "removed"
	Renamed = "renamed"
	Changed = "changed"
)

// A Change is what became of one field.
type Change struct {
	Path   string `json:"path"`
	What   string `json:"what"`   // added, removed, renamed or changed
	Aspect string `json:"aspect"` // of a changed field: type, default, doc or rules
	Before string `json:"before"`
	After  string `json:"after"`
}

// Diff returns what became of each field from one schema to another, sorted by
// path. It gives no verdict: that is [Unreadable]'s.
func Diff(from, to Schema) ([]Change, error) {
	before, err := Fields(from)
	if err != nil {
		return nil, fmt.Errorf("the schema before: %w", err)
	}
	after, err := Fields(to)
	if err != nil {
		return nil, fmt.Errorf("the schema after: %w", err)
	}
	olds := map[string]Field{}
	for _, f := range before {
		olds[f.Path] = f
	}
	var changes []Change
	for _, f := range after {
		old, found := olds[f.Path]
		if !found {
			if name := formerly(f, olds, after); name != "" {
				old, found = olds[name], true
				changes = append(changes, Change{f.Path, Renamed, "name", name, f.Path})
			}
		}
		if !found {
			changes = append(changes, Change{f.Path, Added, "field", "", f.summary()})
			continue
		}
		delete(olds, old.Path)
		changes = append(changes, old.changes(f)...)
	}
	for _, path := range slices.Sorted(maps.Keys(olds)) {
		changes = append(changes, Change{path, Removed, "field", olds[path].summary(), ""})
	}
	slices.SortStableFunc(changes, func(a, b Change) int { return cmp.Compare(a.Path, b.Path) })
	return changes, nil
}

// formerly is the place that a field had before it was renamed: one of its
// aliases, which is there no more.
func formerly(f Field, olds map[string]Field, after []Field) string {
	within := f.Path[:strings.LastIndex(f.Path, ".")+1]
	for _, name := range f.Was {
		if _, was := olds[within+name]; was && !slices.ContainsFunc(after, func(o Field) bool { return o.Path == within+name }) {
			return within + name
		}
	}
	return ""
}

// changes tells what else differs between two fields that are the same.
func (f Field) changes(now Field) []Change {
	var all []Change
	for _, a := range []struct{ name, before, after string }{
		{"type", f.Type, now.Type}, {"default", f.Default, now.Default}, {"rules", f.Rules, now.Rules}, {"doc", f.Doc, now.Doc},
	} {
		if a.before != a.after {
			all = append(all, Change{now.Path, Changed, a.name, a.before, a.after})
		}
	}
	return all
}

// summary is a field on one line.
func (f Field) summary() string {
	text := f.Type
	if f.Rules != "" {
		text += " " + f.Rules
	}
	if f.Default != "" {
		text += ", default " + f.Default
	}
	return text
}
