package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/slipway-go/slipway/benchmarks/internal/arm"
	"github.com/slipway-go/slipway/benchmarks/internal/report"
)

// A page is a suite's results: a table for each case and a plot.
type page struct {
	suite
	head  string // what ran where
	cases []measured
}

func newPage(d *driver, s suite) *page {
	return &page{suite: s, head: d.provenance(s)}
}

func (p *page) add(m measured) { p.cases = append(p.cases, m) }

// write writes the page and its plot.
func (p *page) write(dir string) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	var text, picture bytes.Buffer
	fmt.Fprintf(&text, "# %s\n\n%s\n\n%s\n\n![%s](%s.svg)\n", p.title, p.about, p.head, p.title, p.name)
	plot := report.Plot{Title: p.title + ": " + p.columns[p.plot].title, Unit: p.columns[p.plot].unit}
	for _, m := range p.cases {
		fmt.Fprintf(&text, "\n## %s\n\n", capital(m.title))
		if _, err := p.table(m).WriteTo(&text); err != nil {
			return err
		}
		text.WriteString(m.remarks())
		plot.Groups = append(plot.Groups, p.group(m))
	}
	if _, err := plot.WriteTo(&picture); err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, p.name+".md"), text.Bytes(), 0o600),
		os.WriteFile(filepath.Join(dir, p.name+".svg"), picture.Bytes(), 0o600),
	)
}

func (p *page) table(m measured) report.Table {
	t := report.Table{Heading: []string{fmt.Sprintf("%d rounds", len(m.rounds))}}
	for _, c := range p.columns {
		t.Heading = append(t.Heading, c.title)
	}
	for i, a := range m.arms {
		row := []string{a.Name}
		for _, c := range p.columns {
			row = append(row, m.samples(c, i).Text(c.unit))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (p *page) group(m measured) report.Group {
	g := report.Group{Title: m.title}
	for i, a := range m.arms {
		if v := m.samples(p.columns[p.plot], i); len(v) > 0 {
			g.Bars = append(g.Bars, report.Bar{Name: a.Name, Value: v, Own: a.Client == "slipway"})
		}
	}
	return g
}

// samples are a column's figures of an arm, one for each round in which it and
// what it is compared with ran.
func (m measured) samples(c column, i int) report.Samples {
	base := -1
	if c.base != nil {
		name := c.base(m.arms[i])
		for j, a := range m.arms {
			if a.Name == name {
				base = j
			}
		}
		if base < 0 {
			return nil
		}
	}
	var v report.Samples
	for _, round := range m.rounds {
		figure, ok := round[i][c.key]
		if !ok {
			continue
		}
		if base >= 0 {
			of := round[base][c.key]
			if of == 0 {
				continue
			}
			figure /= of
		}
		if c.scale != nil {
			figure /= c.scale(m.testCase, m.arms[i])
		}
		v = append(v, figure)
	}
	return v
}

// remarks say what the checks found and what failed.
func (m measured) remarks() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\nBetween the arms, other work kept %s cores busy.\n", m.idle.Text(report.Digits))
	wrong := 0
	for i, a := range m.arms {
		var repeats, disorders float64
		failed := 0
		for _, round := range m.rounds {
			if round[i] == nil {
				failed++
			}
			repeats += round[i]["repeats"]
			disorders += round[i]["disorders"]
		}
		if a.Kind != "rebalance" && repeats+disorders > 0 {
			wrong++
			fmt.Fprintf(&b, "\n%s: %.0f records came twice, %.0f overlapped another of their key or came before it.\n", a.Name, repeats, disorders)
		}
		if err := m.failures[a.Name]; err != nil {
			fmt.Fprintf(&b, "\n%s failed in %d of %d rounds, the last time so: %s\n", a.Name, failed, len(m.rounds), strings.Join(strings.Fields(err.Error()), " "))
		}
	}
	checked := len(m.arms) > 0 && (m.arms[0].Kind == "consume" || m.arms[0].Kind == "slow")
	if wrong == 0 && checked {
		b.WriteString("\nThe check found no fault in any arm that ran.\n")
	}
	return b.String()
}

// brief is the first figures of an arm, for who watches.
func brief(s suite, c testCase, a arm.Spec, r arm.Result) string {
	var parts []string
	for _, col := range s.columns {
		v, ok := r[col.key]
		if !ok || col.base != nil {
			continue
		}
		if col.scale != nil {
			v /= cmp.Or(col.scale(c, a), 1)
		}
		parts = append(parts, col.title+" "+col.unit(v))
	}
	return strings.Join(parts, ", ")
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
