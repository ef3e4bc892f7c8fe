package broker

import (
	"fmt"
	"strings"
	"unicode/utf16"
)

// A Setting is a line of server.properties with the reason for it.
type Setting struct {
	Key, Value string
	Why        string
}

// A Section is what belongs together in server.properties.
type Section struct {
	Title    string
	Settings []Setting
}

// page writes sections as a properties file: the reason of each line above it.
func page(head []string, sections []Section) []byte {
	var b strings.Builder
	for _, line := range head {
		b.WriteString(strings.TrimRight("# "+line, " ") + "\n")
	}
	for _, s := range sections {
		fmt.Fprintf(&b, "\n# == %s ==\n", s.Title)
		for _, set := range s.Settings {
			fmt.Fprintf(&b, "\n# %s\n%s=%s\n", oneLine(set.Why), set.Key, escape(set.Value))
		}
	}
	return []byte(b.String())
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// escape writes a value so that Java reads it back: a backslash would begin an
// escape, and what is not ASCII is read as Latin-1 by some readers.
func escape(value string) string {
	var b strings.Builder
	for i, r := range value {
		switch {
		case r == '\\' || r == ' ' && i == 0:
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r > '~':
			for _, unit := range utf16.AppendRune(nil, r) {
				fmt.Fprintf(&b, `\u%04x`, unit)
			}
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
