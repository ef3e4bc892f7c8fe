package diag

import (
	"fmt"
	"strings"
	"unicode"
)

// Escape makes text from outside safe to print: control characters, bytes
// that are not UTF-8 and the marks that reorder text (Unicode bidi controls)
// become visible escapes. Newlines and tabs are escaped too, so the result is
// always one line.
func Escape(s string) string { return escape(s, false) }

// EscapeLines is [Escape] for text that may span lines: newlines and tabs
// stay.
func EscapeLines(s string) string { return escape(s, true) }

func escape(s string, multiline bool) string {
	if !strings.ContainsFunc(s, suspicious) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case multiline && (r == '\n' || r == '\t'):
			b.WriteRune(r)
		case r == unicode.ReplacementChar && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case !suspicious(r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// suspicious reports whether printing r raw could do more than show a glyph.
func suspicious(r rune) bool {
	return r == unicode.ReplacementChar || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
}
