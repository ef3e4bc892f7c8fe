package view

import (
	"fmt"
	"io"
	"path"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/scaffold"
)

type scaffoldDocument struct {
	Header
	Service string   `json:"service"`
	Dir     string   `json:"dir"`
	Files   []string `json:"files"`
	Next    []string `json:"next"`
	Note    string   `json:"note,omitempty"`
}

// Scaffold writes which files there are now; people are told what to do next.
func (v *View) Scaffold(r scaffold.Result) error {
	doc := scaffoldDocument{header("Scaffold"), r.Service, r.Dir, list(r.Files), list(r.Steps), r.Note}
	var names []string
	for _, f := range r.Files {
		names = append(names, path.Join(r.Dir, f))
	}
	err := v.answer(doc, func(w io.Writer) {
		for _, n := range names {
			fmt.Fprintln(w, diag.Escape(n))
		}
	}, names)
	if err != nil || !v.ForPeople() {
		return err
	}
	between := " "
	if r.Note != "" {
		between = "\n\n" + r.Note + "\n\n"
	}
	v.Note("\nThe service %s is written.%sNext:\n", r.Service, between)
	for _, s := range r.Steps {
		v.Note("  %s", s)
	}
	return nil
}
