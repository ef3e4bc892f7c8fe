package view

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/share"
)

type publicationDocument struct {
	Header
	Service   string   `json:"service"`
	To        string   `json:"to"`
	Digest    string   `json:"digest,omitempty"`
	Before    string   `json:"before,omitempty"`
	Contract  string   `json:"contract"`
	Files     []string `json:"files"`
	Unchanged bool     `json:"unchanged"`
	DryRun    bool     `json:"dryRun"`
}

// A Publication is a contract that was published, or would be.
type Publication struct {
	share.Published

	DryRun bool
}

// Publication writes what was published where. The name of it is the digest,
// for a pipeline to note.
func (v *View) Publication(p Publication) error {
	doc := publicationDocument{header("Publication"), p.Service, p.To, p.Digest, p.Before, p.Contract, list(p.Files), p.Unchanged, p.DryRun}
	return v.answer(doc, func(w io.Writer) {
		verb := "published"
		switch {
		case p.DryRun:
			verb = "would publish"
		case p.Unchanged:
			verb = "already published"
		}
		fmt.Fprintf(w, "%s %s to %s\n", verb, diag.Escape(p.Service), diag.Escape(p.To))
		if p.Digest != "" {
			fmt.Fprintf(w, "  digest    %s\n", diag.Escape(p.Digest))
		}
		if p.Before != "" {
			fmt.Fprintf(w, "  before    %s\n", diag.Escape(p.Before))
		}
		fmt.Fprintf(w, "  contract  %s\n", diag.Escape(p.Contract))
		fmt.Fprintf(w, "  files     %s\n", diag.Escape(strings.Join(p.Files, ", ")))
	}, []string{cmp.Or(p.Digest, p.Contract)})
}

// A Pull is what a pull found, and whether it will be kept.
type Pull struct {
	Changes []share.Change
	Moved   bool
	DryRun  bool
}

type pullDocument struct {
	Header
	Moved    bool         `json:"moved"` // estate.lock becomes another one
	DryRun   bool         `json:"dryRun"`
	Services []pulledItem `json:"services"`
}

type pulledItem struct {
	Service string `json:"service"`
	From    string `json:"from"`
	Locked  string `json:"locked,omitempty"` // the digest before
	Digest  string `json:"digest,omitempty"` // the digest now
	Change  string `json:"change,omitempty"`
	Fetched bool   `json:"fetched"`
}

// Pull writes what becomes of each contract of another repository.
func (v *View) Pull(p Pull) error {
	doc := pullDocument{Header: header("EstatePull"), Moved: p.Moved, DryRun: p.DryRun, Services: []pulledItem{}}
	var names []string
	for _, c := range p.Changes {
		doc.Services = append(doc.Services, pulledItem{c.Service, c.From, c.Old, c.New, c.What, c.Fetched})
		names = append(names, c.Service)
	}
	return v.answer(doc, func(w io.Writer) { v.pulled(w, p.Changes) }, names)
}

func (v *View) pulled(w io.Writer, changes []share.Change) {
	if len(changes) == 0 {
		fmt.Fprintln(w, "estate.yaml lists no service.")
		return
	}
	titles := []string{"SERVICE", "LOCKED", "NOW", "CHANGE"}
	if v.Format == Wide {
		titles = append(titles, "FROM")
	}
	t := newTable(w, titles...)
	for _, c := range changes {
		what := c.What
		if what == "" && c.Fetched {
			what = "fetched again"
		}
		cells := []string{c.Service, v.digest(c.Old), v.digest(c.New), cmp.Or(what, "none")}
		if v.Format == Wide {
			cells = append(cells, c.From)
		}
		t.row(cells...)
	}
	t.flush()
}

// digest is short in a table, where it only has to be told from another one.
func (v *View) digest(text string) string {
	if v.Format != Wide {
		text = strings.TrimPrefix(text, "sha256:")
		text = text[:min(len(text), 12)]
	}
	return cmp.Or(text, "-")
}
