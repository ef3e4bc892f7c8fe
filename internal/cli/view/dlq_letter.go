package view

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/dlq"
)

// The forms of a letter's value.
const (
	Auto     = "auto" // JSON if it is that, else text, else hex
	Text     = "text"
	Hex      = "hex"
	Indented = "json"
)

type deadLetterDocument struct {
	Header
	letterDocument
	Stack   string       `json:"stack,omitempty"`
	Headers []dlq.Header `json:"headers"`
	Omitted int          `json:"omittedHeaders,omitempty"`
	Value   *value       `json:"value"` // null for a tombstone
	Decoded *Decoded     `json:"decoded,omitempty"`
}

// A Decoded is a letter's value under the schema that it names.
type Decoded struct {
	Schema int             `json:"schema"` // id
	Format string          `json:"format"` // avro or json
	Value  json.RawMessage `json:"value"`
}

// A value is a letter's value in one of the forms.
type value struct {
	Form string `json:"form"` // text or hex
	Text string `json:"text"`
	Cut  bool   `json:"cut,omitempty"` // there is more
}

// DeadLetter writes everything of one letter: its value in the form asked for,
// and of that at most limit bytes, or all if limit is 0. People are shown it
// decoded, where it is and they ask for no form.
func (v *View) DeadLetter(l *dlq.Letter, decoded *Decoded, form string, limit int) error {
	doc := deadLetterDocument{header("DeadLetter"), documentOf(l), l.Stack, append([]dlq.Header{}, l.Headers...), l.Omitted, nil, decoded}
	if !l.Tombstone {
		doc.Value = new(formed(l.Record.Value, form, limit, v.ForPeople()))
	}
	return v.answer(doc, func(w io.Writer) {
		letter(w, l)
		if decoded != nil && form == Auto {
			shown := formed(decoded.Value, Indented, limit, true)
			payload(w, fmt.Sprintf("%d bytes, %s of schema %d", l.ValueSize, decoded.Format, decoded.Schema), &shown)
			return
		}
		payload(w, fmt.Sprintf("%d bytes", l.ValueSize), doc.Value)
	}, []string{l.String()})
}

// formed is a value in a form. For people JSON is laid out, and hex has its
// offsets and its text beside it.
func formed(raw []byte, form string, limit int, people bool) value {
	cut := limit > 0 && len(raw) > limit
	shown := raw
	if cut {
		shown = raw[:limit]
	}
	if form == Auto {
		form = Hex
		if isText(raw) {
			form = Text
			if people && !cut && json.Valid(raw) {
				form = Indented
			}
		}
	}
	switch {
	case form == Hex && people:
		return value{Hex, strings.TrimRight(hex.Dump(shown), "\n"), cut}
	case form == Hex:
		return value{Hex, hex.EncodeToString(shown), cut}
	case form == Indented:
		var b bytes.Buffer
		if json.Indent(&b, raw, "", "  ") == nil && (limit == 0 || b.Len() <= 2*limit) {
			return value{Text, b.String(), false}
		}
	}
	return value{Text, strings.ToValidUTF8(string(shown), "\uFFFD"), cut}
}

// isText reports whether bytes are text that a person can read.
func isText(raw []byte) bool {
	return utf8.Valid(raw) && !bytes.ContainsFunc(raw, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' })
}

func letter(w io.Writer, l *dlq.Letter) {
	t := newPairs(w)
	t.add("place", l.String())
	t.add("written", instant(l.Time))
	t.add("reason", l.Reason)
	t.add("error", l.Error)
	t.add("class", l.Class)
	t.add("key", key(l))
	t.add("origin", from(l.Origin))
	t.add("born", instant(l.Origin.Time))
	t.add("group", l.Origin.Group)
	t.count("attempts", l.Attempts)
	t.count("redrives", l.Redrives)
	t.add("first failed", instant(l.First))
	t.add("last failed", instant(l.Last))
	t.add("dialect", string(l.Dialect))
	for _, f := range l.Faults {
		t.add("fault", f)
	}
	t.flush()
	if len(l.Headers) > 0 {
		fmt.Fprintln(w, "\nheaders")
		for _, h := range l.Headers {
			fmt.Fprintf(w, "  %s: %s\n", diag.Escape(h.Key), diag.Escape(h.Value))
		}
		if l.Omitted > 0 {
			fmt.Fprintf(w, "  … and %d more\n", l.Omitted)
		}
	}
	if l.Stack != "" {
		fmt.Fprintf(w, "\nstack\n%s", indented(l.Stack))
	}
}

// payload is a letter's value, with what it is.
func payload(w io.Writer, what string, shown *value) {
	switch {
	case shown == nil:
		fmt.Fprintln(w, "\nvalue: none (a tombstone)")
	case shown.Cut:
		fmt.Fprintf(w, "\nvalue (%s, the first of them)\n%s", what, indented(shown.Text))
	default:
		fmt.Fprintf(w, "\nvalue (%s)\n%s", what, indented(shown.Text))
	}
}

// indented is lines that a terminal shows and does not act on.
func indented(text string) string {
	var b strings.Builder
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		fmt.Fprintf(&b, "  %s\n", diag.EscapeLines(strings.TrimRight(line, "\r")))
	}
	return b.String()
}

// pairs are names and values in two columns. What is not known is left out.
type pairs struct{ table }

func newPairs(w io.Writer) pairs { return pairs{tableWithoutTitles(w)} }

func (p pairs) add(name, value string) {
	if value != "" && value != "-" {
		p.row(name, value)
	}
}

func (p pairs) count(name string, n int) {
	if n > 0 {
		p.row(name, strconv.Itoa(n))
	}
}
