package view

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// maxExcerpt is the longest source line that is shown whole, in characters.
const maxExcerpt = 120

type problemsDocument struct {
	Header
	Problems []diag.Diagnostic `json:"problems"`
}

// Problems writes diagnostics to Err: each with its place, the line of the
// file it is about, the evidence and the fix.
func (v *View) Problems(list diag.List) {
	if len(list) == 0 {
		return
	}
	if v.Documents() {
		// An Err that cannot be written leaves no way to say so.
		_ = encode(v.Err, v.Format, problemsDocument{header("Problems"), v.resolved(list)})
		return
	}
	var b strings.Builder
	for i, d := range list {
		if i > 0 {
			b.WriteByte('\n')
		}
		v.problem(&b, d)
	}
	_, _ = io.WriteString(v.Err, b.String())
}

// resolved is the list as documents show it: places as the user names them
// and a fix in each. It is never nil.
func (v *View) resolved(list diag.List) []diag.Diagnostic {
	out := make([]diag.Diagnostic, len(list))
	for i, d := range list {
		d.Position.File = v.file(d.Position.File)
		d.Fix = d.Remedy()
		out[i] = d
	}
	return out
}

func (v *View) problem(b *strings.Builder, d diag.Diagnostic) {
	fmt.Fprintf(b, "%s: %s\n", v.paint(d.Severity, fmt.Sprintf("%s[%s]", d.Severity, d.Code)), diag.Escape(d.Message))
	if !d.Position.IsZero() {
		fmt.Fprintf(b, "  --> %s\n", v.place(d.Position))
		v.excerpt(b, d.Position)
	}
	for _, e := range d.Evidence {
		fmt.Fprintf(b, "  %s\n", diag.Escape(e))
	}
	if fix := d.Remedy(); fix != "" {
		fmt.Fprintf(b, "  fix: %s\n", diag.Escape(fix))
	}
}

// excerpt shows the line and points to the column.
func (v *View) excerpt(b *strings.Builder, pos diag.Position) {
	line, ok := v.line(pos)
	if !ok {
		return
	}
	number := fmt.Sprint(pos.Line)
	gutter := strings.Repeat(" ", len(number))
	fmt.Fprintf(b, " %s |\n %s | %s\n", gutter, number, diag.Escape(line))
	if pos.Column > 0 {
		before := string([]rune(line)[:min(pos.Column-1, utf8.RuneCountInString(line))])
		fmt.Fprintf(b, " %s | %s^\n", gutter, strings.Repeat(" ", utf8.RuneCountInString(diag.Escape(before))))
	}
}

// line is the text a position is about, if there is one worth showing.
func (v *View) line(pos diag.Position) (string, bool) {
	if v.Source == nil || pos.Line == 0 {
		return "", false
	}
	text, err := v.Source(pos.File)
	if err != nil {
		return "", false
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		if n++; n == pos.Line {
			line = strings.TrimRight(line, "\r\n")
			return line, !contract.SecretLine(line) && strings.TrimSpace(line) != "" && utf8.RuneCountInString(line) <= maxExcerpt
		}
	}
	return "", false
}

func (v *View) paint(s diag.Severity, text string) string {
	if !v.Color {
		return text
	}
	color := map[diag.Severity]string{diag.Error: "31", diag.Warning: "33"}[s]
	return "\x1b[1;" + cmp.Or(color, "0") + "m" + text + "\x1b[0m"
}

type codeDocument struct {
	Header
	diag.Entry
}

// Code writes what the catalogue says of a code.
func (v *View) Code(e diag.Entry) error {
	return v.answer(codeDocument{header("Code"), e}, func(w io.Writer) {
		fmt.Fprintf(w, "%s: %s\n\n  cause: %s\n  fix:   %s\n", e.Code, e.Title, e.Cause, e.Fix)
	}, []string{string(e.Code)})
}

// A Validation is the judgement on an estate.
type Validation struct {
	Valid        bool
	Alone        bool // one contract, without the estate it belongs to
	Services     []string
	Environments []string
	Problems     diag.List
}

type validationDocument struct {
	Header
	Valid        bool              `json:"valid"`
	Services     []string          `json:"services"`
	Environments []string          `json:"environments"`
	Problems     []diag.Diagnostic `json:"problems"`
}

// Validation writes a judgement. For people the problems go to Err, so that
// Out holds the verdict alone, and only if it is good.
func (v *View) Validation(got Validation) error {
	doc := validationDocument{header("Validation"), got.Valid, list(got.Services), list(got.Environments), v.resolved(got.Problems)}
	if !v.Documents() {
		v.Problems(got.Problems)
	}
	return v.answer(doc, func(w io.Writer) {
		if got.Valid {
			fmt.Fprintf(w, "valid: %s\n", judged(got))
			return
		}
		fmt.Fprintf(v.Err, "\ninvalid: %s, %s\n", count(got.Problems.Count(diag.Error), "error"), count(got.Problems.Count(diag.Warning), "warning"))
	}, got.Services)
}

// judged says of what a judgement holds.
func judged(got Validation) string {
	text := enumerate(got.Services, "service")
	if len(got.Environments) > 0 || !got.Alone {
		text += " in " + enumerate(got.Environments, "environment")
	}
	if got.Alone {
		text += ", judged without the other contracts"
	}
	return text
}

// list is never nil, so that documents say [] and not null.
func list(s []string) []string { return append([]string{}, s...) }

// enumerate counts names and tells a few of them.
func enumerate(names []string, noun string) string {
	if len(names) == 0 {
		return "no " + noun + "s"
	}
	shown := slices.Clone(names[:min(len(names), 8)])
	for i, n := range shown {
		shown[i] = diag.Escape(n)
	}
	if len(names) > len(shown) {
		shown = append(shown, "…")
	}
	return fmt.Sprintf("%s (%s)", count(len(names), noun), strings.Join(shown, ", "))
}

// count is a number with its noun.
func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
