package schema

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// A Source is a schema with the texts of all that it builds on, so that a codec
// needs no registry to understand it.
type Source struct {
	Schema  string
	Message string // of Protobuf: the message's full name; empty is the first one
	Imports []Import
}

// An Import is a schema that others build on, directly or through another one.
type Import struct {
	Name    string // as schemas spell it
	Schema  string
	Subject string // where the registry has it
	Version int    // of the subject; 0 means the one that holds the text
}

// maxImports bounds what one schema may build on, whatever a registry answers.
const maxImports = 200

// contracts is a contract that schemas are read from: a [contract.Service] or
// a [contract.External].
type contracts interface {
	SchemaText(*contract.Schema) (string, error)
	Imports(*contract.Schema) ([]contract.Import, error)
}

// SourceOf reads a schema of a contract. Imports that only a registry has lack
// their text until [Source.Complete] asks for it. The prefix is what the
// environment puts before the names of its topics, and before the subjects of
// files.
func SourceOf(from contracts, declared *contract.Schema, prefix string) (Source, error) {
	text, err := from.SchemaText(declared)
	if err != nil {
		return Source{}, err
	}
	imports, err := from.Imports(declared)
	if err != nil {
		return Source{}, err
	}
	s := Source{Schema: text, Message: declared.Message}
	for _, i := range imports {
		if i.Version == 0 {
			i.Subject = prefix + i.Subject
		}
		s.Imports = append(s.Imports, Import{Name: i.Name, Schema: i.Text, Subject: i.Subject, Version: i.Version})
	}
	return s, nil
}

// Direct are the imports that a text uses itself, in their order. A text uses
// what it spells in quotes.
func (s Source) Direct(text string) []Import {
	return slices.DeleteFunc(slices.Clone(s.Imports), func(i Import) bool {
		return i.Schema == text || !uses(text, i.Name)
	})
}

// uses reports whether a schema spells a name. What comes behind a # leads into
// the schema of that name.
func uses(text, name string) bool {
	for _, end := range []string{`"`, `#`, `'`} {
		if strings.Contains(text, `"`+name+end) || strings.Contains(text, `'`+name+end) {
			return true
		}
	}
	return false
}

// Complete fetches the texts that only the registry has, and what they build
// on in turn.
func (s Source) Complete(ctx context.Context, r Registry) (Source, error) {
	known := make(map[string]bool)
	for _, i := range s.Imports {
		known[i.Name] = true
	}
	imports := slices.Clone(s.Imports)
	for at := range imports {
		i := &imports[at]
		if i.Schema != "" {
			continue
		}
		v, err := r.Version(ctx, i.Subject, i.Version)
		if err != nil {
			return Source{}, err
		}
		i.Schema = v.Schema
		more, err := fetch(ctx, r, v.References, known)
		if err != nil {
			return Source{}, err
		}
		imports = append(imports, more...)
	}
	s.Imports = imports
	return s, nil
}

// Resolve fetches what the references of a registered schema stand for.
func Resolve(ctx context.Context, r Registry, t Text) (Source, error) {
	imports, err := fetch(ctx, r, t.References, make(map[string]bool))
	return Source{Schema: t.Schema, Imports: imports}, err
}

// fetch reads references and theirs, each name once.
func fetch(ctx context.Context, r Registry, references []Reference, known map[string]bool) ([]Import, error) {
	var all []Import
	for len(references) > 0 {
		next := references[0]
		references = references[1:]
		if known[next.Name] {
			continue
		}
		known[next.Name] = true
		if len(known) > maxImports {
			return nil, diag.New(diag.SchemaReference, "a schema builds on more than %d others", maxImports)
		}
		v, err := r.Version(ctx, next.Subject, next.Version)
		if err != nil {
			return nil, fmt.Errorf("read what %s refers to: %w", next.Name, err)
		}
		all = append(all, Import{Name: next.Name, Schema: v.Schema, Subject: next.Subject, Version: next.Version})
		references = append(slices.Clone(references), v.References...)
	}
	return all, nil
}

// A Finder says which version of a subject holds a schema. A [Registry] is one.
type Finder interface {
	Find(ctx context.Context, subject string, text Text) (Version, error)
}

// Pin returns the schema as the registry knows it: with the subject and version
// of each import that it uses. [ErrNotFound] means that one of them is not
// registered yet.
func (s Source) Pin(ctx context.Context, r Finder, format string) (Text, error) {
	return s.pin(ctx, r, format, s.Schema, nil)
}

func (s Source) pin(ctx context.Context, r Finder, format, text string, above []string) (Text, error) {
	t := Text{Format: format, Schema: text}
	for _, i := range s.Direct(text) {
		if slices.Contains(above, i.Name) {
			return Text{}, diag.New(diag.SchemaReference, "references lead in a circle: %s", strings.Join(append(above, i.Name), " → "))
		}
		version := i.Version
		if version == 0 {
			held, err := s.pin(ctx, r, format, i.Schema, append(slices.Clip(above), i.Name))
			if err != nil {
				return Text{}, err
			}
			v, err := r.Find(ctx, i.Subject, held)
			if err != nil {
				return Text{}, err
			}
			version = v.Version
		}
		t.References = append(t.References, Reference{Name: i.Name, Subject: cmp.Or(i.Subject, i.Name), Version: version})
	}
	return t, nil
}

// Subject is where a topic's schema is registered. The prefix is what the
// environment puts before the names of its topics; record is what
// [Binding.Record] says.
func Subject(strategy contract.SubjectStrategy, prefix, topic, record string) string {
	switch strategy {
	case contract.SubjectRecord:
		return prefix + record
	case contract.SubjectTopicRecord:
		return prefix + topic + "-" + record
	default:
		return ValueSubject(prefix + topic)
	}
}
