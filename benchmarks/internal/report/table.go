package report

import (
	"fmt"
	"io"
	"strings"
)

// A Table is rows of cells under a heading.
type Table struct {
	Heading []string
	Rows    [][]string
}

// WriteTo writes the table as Markdown.
func (t Table) WriteTo(w io.Writer) (int64, error) {
	var b strings.Builder
	row := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	row(t.Heading)
	b.WriteString(strings.Repeat("|---", len(t.Heading)) + "|\n")
	for _, cells := range t.Rows {
		row(cells)
	}
	n, err := io.WriteString(w, b.String())
	return int64(n), err
}
