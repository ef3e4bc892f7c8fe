package contract

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/slipway-go/slipway/diag"
)

// An Import is a [SchemaReference] with the text of its file.
type Import struct {
	Name    string
	Subject string
	Version int    // 0 means the one that holds the text
	Text    string // empty where only the registry has it
}

// Imports are the schemas that a schema of the contract builds on, sorted by
// name, with their files as they were when the contract was parsed.
func (s *Service) Imports(schema *Schema) ([]Import, error) { return s.source.imports(schema) }

// Imports are the schemas that a schema of external.yaml builds on, sorted by
// name, with their files as they were when external.yaml was parsed.
func (e *External) Imports(schema *Schema) ([]Import, error) { return e.source.imports(schema) }

func (s *source) imports(schema *Schema) ([]Import, error) {
	all := make([]Import, 0, len(schema.References))
	for _, name := range slices.Sorted(maps.Keys(schema.References)) {
		r := schema.References[name]
		one := Import{Name: name, Subject: cmp.Or(r.Subject, name), Version: r.Version}
		if r.File != "" {
			text, found := s.schemas[r.File]
			if !found {
				return nil, fmt.Errorf("read schema %s: %w", r.File, fs.ErrNotExist)
			}
			one.Text = text
		}
		all = append(all, one)
	}
	return all, nil
}

// checkReferences reports what a schema's further keys cannot mean.
func (s *Schema) checkReferences(pos diag.Position) diag.List {
	var list diag.List
	if s.Message != "" && s.Format != Protobuf {
		list.Add(diag.New(diag.SchemaMessage, "message is of Protobuf, and %s is %s", s.File, s.Format).At(pos).
			WithFix("remove message"))
	}
	for _, name := range slices.Sorted(maps.Keys(s.References)) {
		r := s.References[name]
		if r.File == "" && (r.Subject == "" || r.Version == 0) {
			list.Add(diag.New(diag.SchemaReference, "reference %s names neither a file nor a version of a subject", name).At(pos).
				WithFix("write %s: <file>, or %s: {subject: <subject>, version: <n>}", name, name))
		}
	}
	return list
}
