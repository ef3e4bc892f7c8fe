package view

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki/depot"
)

// A PKIChange is what became of a certificate, with what it says.
type PKIChange struct {
	depot.Change
	Principal string   `json:"principal,omitempty"` // what brokers make of it
	Names     []string `json:"names,omitempty"`     // host names and addresses
	Why       string   `json:"why,omitempty"`       // what calls for it
}

type pkiIssuedDocument struct {
	Header
	Certificates []PKIChange `json:"certificates"`
}

// PKIIssued writes what became of certificates.
func (v *View) PKIIssued(changes []PKIChange) error {
	names := make([]string, len(changes))
	for i, c := range changes {
		names[i] = c.ID.String()
	}
	return v.answer(pkiIssuedDocument{header("PKICertificates"), some(changes)}, func(w io.Writer) {
		if len(changes) == 0 {
			fmt.Fprintln(w, "Nothing calls for a certificate here.")
			return
		}
		issuedTable(w, changes)
	}, names)
}

func issuedTable(w io.Writer, changes []PKIChange) {
	head := []string{"CERTIFICATE", "DONE", "PRINCIPAL", "ENDS", "NAMES"}
	reasons := slices.ContainsFunc(changes, func(c PKIChange) bool { return c.Reason != "" })
	if reasons {
		head = append(head, "REASON")
	}
	t := newTable(w, head...)
	for _, c := range changes {
		row := []string{c.ID.String(), string(c.Action), cmp.Or(c.Principal, "-"), day(c.Ends), cmp.Or(strings.Join(c.Names, " "), "-")}
		if reasons {
			row = append(row, cmp.Or(c.Reason, "-"))
		}
		t.row(row...)
	}
	t.flush()
}

func day(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return at.UTC().Format("2006-01-02 15:04")
}

type pkiRenewedDocument struct {
	Header
	Changes []depot.Change `json:"changes"`
}

// PKIRenewed writes which certificates were replaced.
func (v *View) PKIRenewed(changes []depot.Change) error {
	names := make([]string, len(changes))
	for i, c := range changes {
		names[i] = c.ID.String()
	}
	return v.answer(pkiRenewedDocument{header("PKIRenewed"), some(changes)}, func(w io.Writer) {
		if len(changes) == 0 {
			fmt.Fprintln(w, "Nothing is due.")
			return
		}
		changesTable(w, changes)
	}, names)
}

func changesTable(w io.Writer, changes []depot.Change) {
	t := newTable(w, "CERTIFICATE", "DONE", "ENDS", "REASON")
	for _, c := range changes {
		t.row(c.ID.String(), string(c.Action), day(c.Ends), cmp.Or(c.Reason, "-"))
	}
	t.flush()
}

// A PKIStep is what a step of a replacement did, and what is to be done by
// people before the next one.
type PKIStep struct {
	Cluster string `json:"cluster"`
	depot.Progress
	Next []string `json:"next"` // in words
}

type pkiStepDocument struct {
	Header
	PKIStep
}

// PKIStep writes a step of a replacement.
func (v *View) PKIStep(s PKIStep) error {
	doc := pkiStepDocument{header("PKIStep"), s}
	doc.Changes, doc.PKIStep.Next = some(s.Changes), some(s.Next)
	return v.answer(doc, func(w io.Writer) {
		if s.From == s.To {
			fmt.Fprintf(w, "%s: %s\n", diag.Escape(s.Cluster), s.To)
		} else {
			fmt.Fprintf(w, "%s: %s → %s\n", diag.Escape(s.Cluster), s.From, s.To)
		}
		if len(s.Changes) > 0 {
			fmt.Fprintln(w)
			changesTable(w, s.Changes)
		}
		if len(s.Left) > 0 {
			fmt.Fprintln(w, "\nTheir owners have the keys, and have to have them signed again:")
			for _, l := range s.Left {
				fmt.Fprintf(w, "  %s: %s\n", diag.Escape(l.ID.String()), diag.Escape(l.Disagrees))
			}
		}
		if len(s.Next) > 0 {
			fmt.Fprintln(w, "\nNow:")
			for i, line := range s.Next {
				fmt.Fprintf(w, "  %d. %s\n", i+1, diag.Escape(line))
			}
		}
	}, nil)
}

// A PKIRevoked is what a revocation did, and what it leaves open.
type PKIRevoked struct {
	Changes []depot.Change `json:"changes"`
	Denied  []string       `json:"denied"` // the ACLs that were added
	Done    []string       `json:"done"`   // in words
	Open    []string       `json:"open"`   // in words
}

type pkiRevokedDocument struct {
	Header
	PKIRevoked
}

// PKIRevoked writes what a revocation did.
func (v *View) PKIRevoked(r PKIRevoked) error {
	names := make([]string, len(r.Changes))
	for i, c := range r.Changes {
		names[i] = c.ID.String()
	}
	doc := pkiRevokedDocument{header("PKIRevoked"), r}
	doc.Changes, doc.Denied, doc.Done, doc.Open = some(r.Changes), some(r.Denied), some(r.Done), some(r.Open)
	return v.answer(doc, func(w io.Writer) {
		changesTable(w, r.Changes)
		bullets(w, "Done", r.Done)
		bullets(w, "Open", r.Open)
	}, names)
}

func bullets(w io.Writer, title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s:\n", title)
	for _, line := range lines {
		fmt.Fprintf(w, "  - %s\n", diag.Escape(line))
	}
}
