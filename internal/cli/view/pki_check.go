package view

import (
	"fmt"
	"io"
	"time"

	"github.com/slipway-go/slipway/pki/inspect"
)

// An Ending is a certificate or a revocation list, and when it ends.
type Ending struct {
	Where  []string  `json:"where"` // files and listeners that have it
	Title  string    `json:"title"`
	Kind   string    `json:"kind"` // certificate, authority or list
	Ends   time.Time `json:"ends"`
	Left   int       `json:"days_left"` // whole days; negative if it has ended
	Urgent bool      `json:"urgent"`    // it ends within the bound
}

// Endings are what was checked, the sooner end first.
type Endings struct {
	Within inspect.Within
	Now    time.Time
	All    []Ending
}

type endingsDocument struct {
	Header
	Within  string   `json:"within"`
	Urgent  int      `json:"urgent"`
	Endings []Ending `json:"endings"`
}

// Endings writes when certificates end.
func (v *View) Endings(e Endings) error {
	doc := endingsDocument{header("PKICheck"), e.Within.String(), 0, []Ending{}}
	var names []string
	for _, one := range e.All {
		one.Left = wholeDays(one.Ends.Sub(e.Now))
		doc.Endings = append(doc.Endings, one)
		if one.Urgent {
			doc.Urgent++
			names = append(names, one.Where[0])
		}
	}
	return v.answer(doc, func(w io.Writer) { v.endings(w, e, doc) }, names)
}

func (v *View) endings(w io.Writer, e Endings, doc endingsDocument) {
	if len(doc.Endings) == 0 {
		return
	}
	t := newTable(w, "ENDS", "LEFT", "STATE", "KIND", "NAME", "WHERE")
	for _, one := range doc.Endings {
		left, state := one.Ends.Sub(e.Now), "ok"
		text := inspect.Span(left)
		switch {
		case left < 0:
			text, state = "-"+inspect.Span(-left), "ended"
		case one.Urgent:
			state = "soon"
		}
		where := one.Where[0]
		if more := len(one.Where) - 1; more > 0 && v.Format != Wide {
			where += fmt.Sprintf(" and %d more", more)
		}
		t.row(onDate(one.Ends), text, state, one.Kind, one.Title, where)
		if v.Format == Wide {
			for _, other := range one.Where[1:] {
				t.row("", "", "", "", "", other)
			}
		}
	}
	t.flush()
	fmt.Fprintf(w, "\n%d looked at, %d ending within %s.\n", len(doc.Endings), doc.Urgent, e.Within)
}
