package view

import (
	"cmp"
	"fmt"
	"io"
	"path"
	"strconv"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/importer"
)

type importDocument struct {
	Header
	Source   importer.Source    `json:"source"`
	Dir      string             `json:"dir"`
	Written  bool               `json:"written"`
	Services []importer.Service `json:"services"`
	Files    []string           `json:"files"`
	Items    []importer.Item    `json:"items"`             // what could not be expressed
	Changes  []string           `json:"changes,omitempty"` // what a first plan would do
}

// maxItems is how many items a table shows; the report has all of them.
const maxItems = 20

// Import writes what an import made, and what it could not express.
func (v *View) Import(d *importer.Draft, dir string, written bool) error {
	doc := importDocument{
		Header: header("Import"), Source: d.Source, Dir: dir, Written: written,
		Services: append([]importer.Service{}, d.Services...), Files: []string{}, Items: append([]importer.Item{}, d.Items...), Changes: d.Changes,
	}
	var names []string
	for _, f := range d.Files {
		doc.Files = append(doc.Files, f.Path)
		names = append(names, path.Join(dir, f.Path))
	}
	return v.answer(doc, func(w io.Writer) { v.imported(w, doc) }, names)
}

func (v *View) imported(w io.Writer, doc importDocument) {
	if len(doc.Services) > 0 {
		t := newTable(w, "SERVICE", "PRINCIPAL", "OWNS", "PRODUCES", "CONSUMES")
		for _, s := range doc.Services {
			t.row(s.Name, s.Principal, strconv.Itoa(s.Owns), strconv.Itoa(s.Produces), strconv.Itoa(s.Consumes))
		}
		t.flush()
	}
	if len(doc.Items) > 0 {
		fmt.Fprintf(w, "\nNot expressed:\n")
	}
	for n, i := range doc.Items {
		if n == maxItems && v.Format != Wide && len(doc.Files) > 0 {
			fmt.Fprintf(w, "  … and %d more, in %s\n", len(doc.Items)-n, diag.Escape(path.Join(doc.Dir, importer.ReportFile)))
			break
		}
		fmt.Fprintf(w, "  %s  %s\n      %s\n      do: %s\n", i.Code, diag.Escape(i.What), diag.Escape(i.Why), diag.Escape(i.Do))
	}
	if len(doc.Files) == 0 {
		return
	}
	word := map[bool]string{true: "Written", false: "Would be written"}[doc.Written]
	first := "no changes"
	if n := len(doc.Changes); n == 1 {
		first = "1 change"
	} else if n > 1 {
		first = fmt.Sprintf("%d changes", n)
	}
	fmt.Fprintf(w, "\n%s: %d files in %s; the first plan has %s.\n", word, len(doc.Files), diag.Escape(cmp.Or(doc.Dir, ".")), first)
}
