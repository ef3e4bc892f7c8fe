package diag

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Severity says whether a problem stops the work.
type Severity string

// The severities, the graver one first.
const (
	Error   Severity = "error"   // nothing was done, or something is wrong now
	Warning Severity = "warning" // it works, and it is likely not what is meant
)

// A Position is a place in a file. Lines and columns count from 1; a zero Line
// means the file as a whole, a zero Column the line as a whole.
type Position struct {
	File   string `json:"file,omitempty" yaml:"file,omitempty"`
	Line   int    `json:"line,omitempty" yaml:"line,omitempty"`
	Column int    `json:"column,omitempty" yaml:"column,omitempty"`
}

// IsZero reports whether the position names no place at all.
func (p Position) IsZero() bool { return p == Position{} }

// String renders the position as file:line:column, leaving out what is zero.
func (p Position) String() string {
	var b strings.Builder
	b.WriteString(Escape(p.File))
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
		if p.Column > 0 {
			fmt.Fprintf(&b, ":%d", p.Column)
		}
	}
	return strings.TrimPrefix(b.String(), ":")
}

// A Diagnostic is one problem, told so that its reader can act on it.
type Diagnostic struct {
	Code     Code     `json:"code" yaml:"code"`
	Severity Severity `json:"severity" yaml:"severity"`

	// Message is one sentence in lower case without a full stop: what is
	// wrong, with the names it concerns.
	Message string `json:"message" yaml:"message"`

	// Position is where the problem was found, if it was found in a file.
	Position Position `json:"position,omitzero" yaml:"position,omitempty"`

	// Evidence is what was seen: a server's answer, a log line, the two
	// contracts that disagree.
	Evidence []string `json:"evidence,omitempty" yaml:"evidence,omitempty"`

	// Fix is what to do in this very case. Empty means the catalogue's fix.
	Fix string `json:"fix,omitempty" yaml:"fix,omitempty"`
}

// New returns an error diagnostic. The message is formatted as by
// [fmt.Sprintf]; text from outside is escaped when it is rendered.
func New(code Code, format string, args ...any) Diagnostic {
	return Diagnostic{Code: code, Severity: Error, Message: fmt.Sprintf(format, args...)}
}

// Warn returns a warning diagnostic.
func Warn(code Code, format string, args ...any) Diagnostic {
	d := New(code, format, args...)
	d.Severity = Warning
	return d
}

// At returns the diagnostic with its position set.
func (d Diagnostic) At(pos Position) Diagnostic {
	d.Position = pos
	return d
}

// WithFix returns the diagnostic with the fix for this case.
func (d Diagnostic) WithFix(format string, args ...any) Diagnostic {
	d.Fix = fmt.Sprintf(format, args...)
	return d
}

// WithEvidence returns the diagnostic with one more line of evidence.
func (d Diagnostic) WithEvidence(format string, args ...any) Diagnostic {
	d.Evidence = append(slices.Clone(d.Evidence), fmt.Sprintf(format, args...))
	return d
}

// Remedy is the fix for this case, else the catalogue's for the code.
func (d Diagnostic) Remedy() string {
	entry, _ := Lookup(d.Code)
	return cmp.Or(d.Fix, entry.Fix)
}

// Error renders the diagnostic on one line: code, place and message.
func (d Diagnostic) Error() string {
	if d.Position.IsZero() {
		return fmt.Sprintf("%s: %s", d.Code, Escape(d.Message))
	}
	return fmt.Sprintf("%s: %s: %s", d.Code, d.Position, Escape(d.Message))
}

// Is reports whether target is a [Code] and this diagnostic carries it, so
// that errors.Is(err, diag.SomeCode) asks for a code through any wrapping.
func (d Diagnostic) Is(target error) bool {
	code, ok := target.(Code)
	return ok && code == d.Code
}

// A List is every problem that one pass found.
type List []Diagnostic

// Add appends a diagnostic.
func (l *List) Add(d Diagnostic) { *l = append(*l, d) }

// Err returns the list as an error if it holds at least one error, else nil.
func (l List) Err() error {
	if !l.Failed() {
		return nil
	}
	return l
}

// Failed reports whether the list holds at least one error.
func (l List) Failed() bool {
	return slices.ContainsFunc(l, func(d Diagnostic) bool { return d.Severity == Error })
}

// Count returns the number of diagnostics of a severity.
func (l List) Count(s Severity) int {
	var n int
	for _, d := range l {
		if d.Severity == s {
			n++
		}
	}
	return n
}

// Sort orders the list by file, line, column, code and message, so that the
// same input yields the same bytes.
func (l List) Sort() {
	slices.SortStableFunc(l, func(a, b Diagnostic) int {
		return cmp.Or(
			cmp.Compare(a.Position.File, b.Position.File),
			cmp.Compare(a.Position.Line, b.Position.Line),
			cmp.Compare(a.Position.Column, b.Position.Column),
			cmp.Compare(a.Code, b.Code),
			cmp.Compare(a.Message, b.Message),
		)
	})
}

// Error renders one line for each diagnostic.
func (l List) Error() string {
	lines := make([]string, len(l))
	for i, d := range l {
		lines[i] = d.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.Is and errors.As look into each diagnostic.
func (l List) Unwrap() []error {
	errs := make([]error, len(l))
	for i, d := range l {
		errs[i] = d
	}
	return errs
}

// Of returns the diagnostics that err carries, in order, whatever wraps or
// joins them. It returns nil for an error that carries none.
func Of(err error) List {
	switch e := err.(type) {
	case nil:
		return nil
	case Diagnostic:
		return List{e}
	case List:
		return slices.Clone(e)
	case interface{ Unwrap() []error }:
		var all List
		for _, inner := range e.Unwrap() {
			all = append(all, Of(inner)...)
		}
		return all
	default:
		return Of(errors.Unwrap(err))
	}
}
