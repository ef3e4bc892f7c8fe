package view

import (
	"fmt"
	"io"
	"path"
	"strings"
	"text/tabwriter"

	"github.com/slipway-go/slipway/diag"
)

// A Format is the form of an answer.
type Format string

// The formats. Table is the default.
const (
	Table Format = "table"
	Wide  Format = "wide" // a table that leaves nothing out
	JSON  Format = "json"
	YAML  Format = "yaml"
	Name  Format = "name" // names alone, one a line
)

// A View writes answers to Out and everything else to Err.
type View struct {
	Out, Err io.Writer
	Format   Format // Table if empty
	Color    bool   // Err is a terminal that takes colour

	// Base is the directory that positions are relative to, as the user
	// named it; empty for the working directory.
	Base string

	// Source reads a file that a position names, for the excerpt below a
	// problem. Nil means no excerpts.
	Source func(file string) ([]byte, error)
}

// Header is what every document begins with.
type Header struct {
	Kind    string `json:"kind"`
	Version int    `json:"version"`
}

func header(kind string) Header { return Header{Kind: kind, Version: 1} }

// Documents reports whether answers are documents for programs.
func (v *View) Documents() bool { return v.Format == JSON || v.Format == YAML }

// ForPeople reports whether answers are tables.
func (v *View) ForPeople() bool { return v.Format == "" || v.Format == Table || v.Format == Wide }

// answer writes doc as the format asks; human writes the two tables, names
// the names.
func (v *View) answer(doc any, human func(w io.Writer), names []string) error {
	var b strings.Builder
	switch v.Format {
	case JSON, YAML:
		return encode(v.Out, v.Format, doc)
	case Name:
		for _, n := range names {
			fmt.Fprintln(&b, diag.Escape(n))
		}
	default:
		human(&b)
	}
	_, err := io.WriteString(v.Out, b.String())
	return err
}

// Note writes one line for people to Err. It is silent where programs read.
func (v *View) Note(format string, args ...any) {
	if !v.Documents() {
		fmt.Fprintln(v.Err, diag.EscapeLines(fmt.Sprintf(format, args...)))
	}
}

// file is a position's file as the user would name it.
func (v *View) file(name string) string {
	if name == "" || v.Base == "" || v.Base == "." {
		return name
	}
	return path.Join(v.Base, name)
}

func (v *View) place(pos diag.Position) string {
	pos.File = v.file(pos.File)
	return pos.String()
}

// A table is rows of cells in aligned columns.
type table struct{ w *tabwriter.Writer }

func newTable(w io.Writer, titles ...string) table {
	t := table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	t.row(titles...)
	return t
}

func (t table) row(cells ...string) {
	for i, c := range cells {
		cells[i] = diag.Escape(c)
	}
	fmt.Fprintln(t.w, strings.TrimRight(strings.Join(cells, "\t"), "\t"))
}

func (t table) flush() { _ = t.w.Flush() }
