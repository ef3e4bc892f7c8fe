package view

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki/depot"
)

// A PKI is the depot of a cluster as it is shown.
type PKI struct {
	Dir    string `json:"dir"`
	Status depot.Status

	// Disagreements are what clusters.yaml says otherwise.
	Disagreements []string

	Now time.Time
}

type pkiDocument struct {
	Header
	Dir string `json:"dir"`
	depot.Status
	Disagreements []string `json:"disagreements"`
}

// PKI writes the state of a depot.
func (v *View) PKI(p PKI) error {
	s := p.Status
	names := make([]string, len(s.Leaves))
	for i, l := range s.Leaves {
		names[i] = l.ID.String()
	}
	doc := pkiDocument{header("PKI"), p.Dir, s, p.Disagreements}
	doc.Leaves, doc.Disagreements = some(doc.Leaves), some(doc.Disagreements)
	return v.answer(doc, func(w io.Writer) { v.pki(w, p) }, names)
}

// some is a list that is written as one even if nothing is in it.
func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func (v *View) pki(w io.Writer, p PKI) {
	s := p.Status
	fmt.Fprintf(w, "PKI of %s in %s: %s\n\n", diag.Escape(s.Cluster), diag.Escape(p.Dir), phrase(s))
	t := newTable(w, "GENERATION", "ROLE", "TRUSTED", "ISSUES", "ROOT ENDS", "ISSUER ENDS", "REVOKED")
	for _, g := range s.Generations {
		if g.Role == depot.Retired && v.Format != Wide {
			continue
		}
		t.row(strconv.Itoa(g.Number), string(g.Role), mark(g.Trusted), mark(g.Issues), ends(g.RootEnds, p.Now), ends(g.IssuerEnds, p.Now), revoked(g, p.Now))
	}
	t.flush()
	fmt.Fprintln(w)
	if len(s.Leaves) == 0 {
		fmt.Fprintln(w, "No certificate has been issued.")
	} else {
		v.leaves(w, s.Leaves, p.Now)
	}
	for _, d := range p.Disagreements {
		fmt.Fprintf(w, "\n%s\n", diag.Escape(d))
	}
}

func (v *View) leaves(w io.Writer, leaves []depot.Leaf, now time.Time) {
	titles := []string{"CERTIFICATE", "GENERATION", "ENDS", "STATE"}
	if v.Format == Wide {
		titles = append(titles, "SERIAL", "NAMES")
	}
	t := newTable(w, titles...)
	for _, l := range leaves {
		row := []string{l.ID.String(), strconv.Itoa(l.Generation), ends(l.NotAfter, now), state(l, now)}
		if v.Format == Wide {
			row = append(row, l.Serial, strings.Join(l.Names, " "))
		}
		t.row(row...)
	}
	t.flush()
}

// phrase is the phase in words.
func phrase(s depot.Status) string {
	words := map[depot.Phase]string{
		depot.Pending: "the issuer waits to be signed",
		depot.Steady:  "steady",
		depot.Trust:   "replacing the authority: the new one is trusted beside the old, which still issues (trust, 1 of 3)",
		depot.Reissue: "replacing the authority: both are trusted, the new one issues (reissue, 2 of 3)",
		depot.Retire:  "replacing the authority: only the new one is trusted (retire, 3 of 3)",
	}[s.Phase]
	if !s.Settled && s.Phase != depot.Pending {
		words += ", not finished"
	}
	return words
}

func mark(b bool) string {
	if b {
		return "yes"
	}
	return "-"
}

func revoked(g depot.Generation, now time.Time) string {
	text := "-"
	if g.Revoked > 0 {
		text = strconv.Itoa(g.Revoked)
	}
	if !g.ListOverdue.IsZero() && g.ListOverdue.Before(now) {
		text += ", list overdue"
	}
	return text
}

func state(l depot.Leaf, now time.Time) string {
	var parts []string
	if l.Revoked != "" {
		parts = append(parts, "revoked ("+l.Revoked+")")
	}
	if !now.Before(l.NotAfter) {
		parts = append(parts, "expired")
	}
	if l.Disagrees != "" {
		parts = append(parts, l.Disagrees)
	}
	if l.KeyOutside {
		parts = append(parts, "its owner has the key")
	}
	return cmp.Or(strings.Join(parts, "; "), "-")
}

// ends is a day with how far away it is, which for short lives is told in
// hours and minutes.
func ends(at, now time.Time) string {
	if at.IsZero() {
		return "-"
	}
	left := at.Sub(now)
	day := at.UTC().Format(time.DateOnly)
	switch {
	case left <= 0:
		return day + " (over)"
	case left < 48*time.Hour:
		return at.UTC().Format(time.RFC3339) + " (" + left.Round(time.Minute).String() + ")"
	}
	return fmt.Sprintf("%s (%d days)", day, int(left/(24*time.Hour)))
}

type pkiRequestedDocument struct {
	Header
	Cluster string `json:"cluster"`
	Request string `json:"request"` // file
}

// PKIRequested writes where a signing request is.
func (v *View) PKIRequested(cluster, file string) error {
	return v.answer(pkiRequestedDocument{header("PKIRequest"), cluster, file}, func(w io.Writer) {
		fmt.Fprintf(w, "The signing request for the issuer of %s is in %s.\n", diag.Escape(cluster), diag.Escape(file))
	}, []string{file})
}
