package view

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/compat"
	"github.com/slipway-go/slipway/plan"
)

// A SchemaCheck is the judgement on the schemas of an estate.
type SchemaCheck struct {
	Environment, Cluster string
	Offline              bool // no registry was asked
	Checked              int
	Findings             []compat.Finding
}

type schemaFinding struct {
	Subject string `json:"subject"`
	Field   string `json:"field,omitempty"`
	Service string `json:"service,omitempty"` // of the consumer that breaks
	diag.Diagnostic
}

type schemaCheckDocument struct {
	Header
	Environment string          `json:"environment"`
	Cluster     string          `json:"cluster"`
	Offline     bool            `json:"offline"`
	Checked     int             `json:"checked"`
	Errors      int             `json:"errors"`
	Warnings    int             `json:"warnings"`
	Findings    []schemaFinding `json:"findings"`
}

// SchemaCheck writes what is wrong with schemas.
func (v *View) SchemaCheck(got SchemaCheck) error {
	doc := schemaCheckDocument{
		Header: header("SchemaCheck"), Environment: got.Environment, Cluster: got.Cluster, Offline: got.Offline, Checked: got.Checked,
		Findings: []schemaFinding{},
	}
	var names []string
	var list diag.List
	for _, f := range got.Findings {
		list.Add(f.Diagnostic)
		doc.Findings = append(doc.Findings, schemaFinding{f.Subject, f.Field, f.Service, v.resolved(diag.List{f.Diagnostic})[0]})
		names = append(names, strings.TrimSuffix(string(f.Code)+"/"+f.Subject+"/"+f.Field, "/"))
	}
	doc.Errors, doc.Warnings = list.Count(diag.Error), list.Count(diag.Warning)
	return v.answer(doc, func(w io.Writer) {
		for _, d := range list {
			var b strings.Builder
			v.problem(&b, d)
			fmt.Fprintln(w, b.String())
		}
		v.schemaVerdict(w, doc)
	}, names)
}

func (v *View) schemaVerdict(w io.Writer, doc schemaCheckDocument) {
	where := fmt.Sprintf("environment %s, cluster %s", diag.Escape(doc.Environment), diag.Escape(doc.Cluster))
	if doc.Offline {
		where += ", no registry asked"
	}
	if len(doc.Findings) == 0 {
		fmt.Fprintf(w, "No findings: %s judged (%s).\n", count(doc.Checked, "schema"), where)
		return
	}
	fmt.Fprintf(w, "%s, %s in %s (%s).\n", count(doc.Errors, "error"), count(doc.Warnings, "warning"), count(doc.Checked, "schema"), where)
}

// A SchemaDiff is what became of the fields of a schema.
type SchemaDiff struct {
	Environment    string
	Topic, Subject string
	From, To       string
	Changes        []compat.Change
}

type schemaDiffDocument struct {
	Header
	Environment string          `json:"environment"`
	Topic       string          `json:"topic"`
	Subject     string          `json:"subject"`
	From        string          `json:"from"`
	To          string          `json:"to"`
	Changes     []compat.Change `json:"changes"`
}

// SchemaDiff writes what became of the fields of a schema.
func (v *View) SchemaDiff(got SchemaDiff) error {
	doc := schemaDiffDocument{header("SchemaDiff"), got.Environment, got.Topic, got.Subject, got.From, got.To, []compat.Change{}}
	doc.Changes = append(doc.Changes, got.Changes...)
	var names []string
	for _, c := range doc.Changes {
		names = append(names, c.What+"/"+c.Path)
	}
	return v.answer(doc, func(w io.Writer) {
		fmt.Fprintf(w, "%s (%s), from %s to %s, environment %s\n", diag.Escape(doc.Topic), diag.Escape(doc.Subject), doc.From, doc.To, diag.Escape(doc.Environment))
		if len(doc.Changes) == 0 {
			fmt.Fprintln(w, "\nNo field differs.")
			return
		}
		fmt.Fprintln(w)
		t := newTable(w, "CHANGE", "FIELD", "OF", "BEFORE", "AFTER")
		for _, c := range doc.Changes {
			t.row(c.What, c.Path, c.Aspect, cmp.Or(c.Before, "-"), cmp.Or(c.After, "-"))
		}
		t.flush()
	}, names)
}

// SchemaPlan writes what would be registered.
func (v *View) SchemaPlan(p *plan.Plan) error {
	if !v.ForPeople() {
		return v.Plan(p)
	}
	return v.answer(nil, func(w io.Writer) {
		fmt.Fprintf(w, "environment %s, registry of cluster %s\n", diag.Escape(p.Env), diag.Escape(p.Cluster))
		if p.Empty() {
			fmt.Fprintln(w, "\nNothing to do: the registry holds what the contracts call for.")
			return
		}
		fmt.Fprintln(w)
		for _, c := range p.Changes {
			v.change(w, c)
		}
		fmt.Fprintf(w, "\n%s\n", p.Summary())
	}, nil)
}

// A RegisteredSubject is a schema that the registry holds.
type RegisteredSubject struct {
	Subject string `json:"subject"`
	Service string `json:"service"`
	ID      int    `json:"id"`
	Version int    `json:"version"`
	Level   string `json:"compatibility"`
	New     bool   `json:"new"` // registered just now
}

// A SchemaRegistration is what the registry holds of the schemas of an estate.
type SchemaRegistration struct {
	Environment, Cluster string
	Subjects             []RegisteredSubject
}

type schemaRegistrationDocument struct {
	Header
	Environment string              `json:"environment"`
	Cluster     string              `json:"cluster"`
	Subjects    []RegisteredSubject `json:"subjects"`
}

// SchemaRegistration writes under which id and version schemas are registered.
func (v *View) SchemaRegistration(got SchemaRegistration) error {
	doc := schemaRegistrationDocument{header("SchemaRegistration"), got.Environment, got.Cluster, []RegisteredSubject{}}
	doc.Subjects = append(doc.Subjects, got.Subjects...)
	var names []string
	for _, s := range doc.Subjects {
		names = append(names, "schema/"+s.Subject)
	}
	return v.answer(doc, func(w io.Writer) {
		t := newTable(w, "SUBJECT", "SERVICE", "ID", "VERSION", "COMPATIBILITY", "STATE")
		for _, s := range doc.Subjects {
			state := "held already"
			if s.New {
				state = "registered"
			}
			t.row(s.Subject, s.Service, strconv.Itoa(s.ID), strconv.Itoa(s.Version), s.Level, state)
		}
		t.flush()
	}, names)
}

// A Generation is what generating code did to files.
type Generation struct {
	Service string
	Dir     string
	Package string
	Check   bool // nothing was written
	Files   []GeneratedFile
}

// A GeneratedFile is one file that a contract leads to.
type GeneratedFile struct {
	Name  string `json:"name"`
	State string `json:"state"` // unchanged, written, removed; with --check missing, stale, unchanged, surplus
}

type generationDocument struct {
	Header
	Service string          `json:"service"`
	Dir     string          `json:"dir"`
	Package string          `json:"package"`
	Check   bool            `json:"check"`
	Files   []GeneratedFile `json:"files"`
}

// Generation writes what became of generated files.
func (v *View) Generation(got Generation) error {
	doc := generationDocument{header("Generation"), got.Service, got.Dir, got.Package, got.Check, []GeneratedFile{}}
	doc.Files = append(doc.Files, got.Files...)
	var names []string
	for _, f := range doc.Files {
		names = append(names, f.Name)
	}
	return v.answer(doc, func(w io.Writer) {
		for _, f := range doc.Files {
			fmt.Fprintf(w, "%-9s  %s\n", f.State, diag.Escape(f.Name))
		}
	}, names)
}
