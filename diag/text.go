package diag

import (
	"fmt"
	"strings"
)

// Text renders the diagnostics for a person, without colour: each with its
// place, its evidence and its fix.
func (l List) Text() string {
	var b strings.Builder
	for _, d := range l {
		fmt.Fprintf(&b, "%s[%s]: %s\n", d.Severity, d.Code, Escape(d.Message))
		if !d.Position.IsZero() {
			fmt.Fprintf(&b, "  --> %s\n", d.Position)
		}
		for _, e := range d.Evidence {
			fmt.Fprintf(&b, "  %s\n", Escape(e))
		}
		if fix := d.Remedy(); fix != "" {
			fmt.Fprintf(&b, "  fix: %s\n", Escape(fix))
		}
	}
	return b.String()
}
