package view

import (
	"bytes"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render"
)

// Targets lists what can be rendered.
func (v *View) Targets(all []render.Target) error {
	t := newTable(v.Out, "TARGET", "MAKES")
	for _, target := range all {
		t.row(target.Name, target.Summary)
	}
	t.flush()
	return nil
}

// Files writes rendered files one after the other: YAML as documents that begin
// with the path in a comment, everything else as it is.
func (v *View) Files(files []render.File) error {
	var b bytes.Buffer
	for _, f := range files {
		if ext := path.Ext(f.Path); ext == ".yaml" || ext == ".yml" {
			fmt.Fprintf(&b, "---\n# %s\n", f.Path)
		}
		b.Write(f.Content)
	}
	_, err := v.Out.Write(b.Bytes())
	return err
}

// Rendered is what rendering into a directory has changed, or would change.
type Rendered struct {
	Target  string
	Dir     string
	Files   int // that follow from the contracts
	Changed []render.Difference
	Check   bool // nothing was written
}

// Rendered tells which files were written, or which are not what they should be.
func (v *View) Rendered(got Rendered) error {
	var b strings.Builder
	for _, d := range got.Changed {
		fmt.Fprintf(&b, "%-8s %s\n", got.word(d.State), diag.Escape(path.Join(got.Dir, d.Path)))
	}
	switch n := len(got.Changed); {
	case n > 0 && got.Check:
		fmt.Fprintf(&b, "%s of %d not what the contracts call for: %s.\n", count(n, "file"), got.Files, got.next())
	case n == 0 && got.Files == 0:
		fmt.Fprintf(&b, "%s has no file of these contracts, and none is in %s.\n", got.Target, diag.Escape(got.Dir))
	case n == 0:
		fmt.Fprintf(&b, "%s in %s, nothing to change.\n", count(got.Files, "file"), diag.Escape(got.Dir))
	}
	_, err := io.WriteString(v.Out, b.String())
	return err
}

// next is what to run to have the directory hold what it should.
func (r Rendered) next() string {
	if slices.ContainsFunc(r.Changed, render.Difference.Guarded) {
		return "put elsewhere what is edited or foreign, then run the same with --force in place of --check"
	}
	return "run the same without --check"
}

func (r Rendered) word(s render.State) string {
	switch {
	case r.Check:
		return string(s)
	case s == render.Missing, s == render.Foreign:
		return "wrote"
	case s == render.Stale:
		return "removed"
	default:
		return "changed"
	}
}
