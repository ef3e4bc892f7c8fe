package importer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// An Item is one thing that an import could not express.
type Item struct {
	Code      diag.Code `json:"code"`
	Principal string    `json:"principal,omitempty"` // whom it concerns, if anybody
	What      string    `json:"what"`
	Why       string    `json:"why"`
	Do        string    `json:"do"`
}

func (i Item) compare(o Item) int {
	return cmp.Or(
		cmp.Compare(i.Principal, o.Principal),
		cmp.Compare(i.Code, o.Code),
		cmp.Compare(i.What, o.What),
		cmp.Compare(i.Why, o.Why),
	)
}

// sorted orders items, and drops what is told twice.
func sorted(items []Item) []Item {
	slices.SortStableFunc(items, Item.compare)
	return slices.Compact(items)
}

// report is the items as a page for people.
func report(source Source, items []Item) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "# What the import could not express\n\nImported from: %s.\n\n", source)
	if len(items) == 0 {
		b.WriteString("Everything was expressed.\n")
	}
	for n, i := range items {
		if n == 0 || items[n-1].Principal != i.Principal {
			fmt.Fprintf(&b, "## %s\n\n", cmp.Or(code(i.Principal), "In general"))
		}
		fmt.Fprintf(&b, "- **%s**: %s\n  - why: %s\n  - what to do: %s\n", i.Code, code(i.What), text(i.Why), text(i.Do))
		if n+1 == len(items) || items[n+1].Principal != i.Principal {
			b.WriteString("\n")
		}
	}
	return []byte(b.String())
}

// code is text from outside as Markdown shows it unchanged: between as many
// backquotes as it does not hold itself.
func code(s string) string {
	if s == "" {
		return ""
	}
	s = diag.Escape(s)
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if fence == "`" {
		return fence + s + fence
	}
	return fence + " " + s + " " + fence
}

// text is a sentence that may hold names from outside: nothing in it is taken
// for HTML or a link.
func text(s string) string {
	return strings.NewReplacer("<", "&lt;", ">", "&gt;", "[", "\\[", "`", "\\`", "*", "\\*", "_", "\\_").Replace(diag.Escape(s))
}
