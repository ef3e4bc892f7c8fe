package view

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/diag"
)

// An Audited denial is one with what to do about it.
type Audited struct {
	acl.Denial
	Advice acl.Advice `json:"advice"`
}

// Finding reports whether contracts and cluster disagree with what was tried.
func (a Audited) Finding() bool { return a.Advice.Verdict != acl.Keep }

// An Audit is what authorizers denied, and what to do about it.
type Audit struct {
	Environment string
	Cluster     string
	Counts      *acl.Audit
	Denials     []Audited
}

type auditDocument struct {
	Header
	Environment string `json:"environment"`
	Cluster     string `json:"cluster"`
	*acl.Audit
	Findings int       `json:"findings"`
	Denials  []Audited `json:"denials"`
}

// Audit writes denials, those that something is to be done about first.
func (v *View) Audit(got Audit) error {
	doc := auditDocument{Header: header("ACLAudit"), Environment: got.Environment, Cluster: got.Cluster, Audit: got.Counts, Denials: []Audited{}}
	doc.Denials = append(doc.Denials, got.Denials...)
	slices.SortStableFunc(doc.Denials, func(a, b Audited) int { return cmp.Compare(rank(a), rank(b)) })
	var names []string
	for i, d := range doc.Denials {
		if d.Finding() {
			doc.Findings++
			names = append(names, "acl/"+d.String())
		}
		doc.Denials[i].Advice.Position.File = v.file(d.Advice.Position.File)
	}
	return v.answer(doc, func(w io.Writer) { v.audit(w, doc) }, names)
}

// rank puts what is to be done before what stays as it is.
func rank(a Audited) int {
	if a.Finding() {
		return 0
	}
	return 1
}

func (v *View) audit(w io.Writer, doc auditDocument) {
	fmt.Fprintf(w, "environment %s on cluster %s: %s, %d denied, %d allowed, %d of other loggers, %d not understood\n",
		diag.Escape(doc.Environment), diag.Escape(doc.Cluster), count(int(doc.Lines), "line"), doc.Denied, doc.Allowed, doc.Other, doc.Unknown)
	for _, d := range doc.Denials {
		fmt.Fprintln(w)
		v.denial(w, d)
	}
	if doc.Beyond > 0 {
		fmt.Fprintf(w, "\n%s beyond the first %d different ones are counted and not told apart.\n", count(int(doc.Beyond), "denial"), len(doc.Denials))
	}
	fmt.Fprintf(w, "\n%s, %s.\n", count(len(doc.Denials), "different denial"), count(doc.Findings, "finding"))
}

func (v *View) denial(w io.Writer, d Audited) {
	fmt.Fprintf(w, "%d × %s\n", d.Count, diag.Escape(d.String()))
	var seen []string
	if len(d.Requests) > 0 {
		seen = append(seen, strings.Join(d.Requests, ", "))
	}
	if len(d.Hosts) > 0 {
		seen = append(seen, "from "+strings.Join(d.Hosts, ", "))
	}
	if !d.First.IsZero() {
		seen = append(seen, period(d.First, d.Last))
	}
	if len(seen) > 0 {
		fmt.Fprintf(w, "    %s\n", diag.Escape(strings.Join(seen, "; ")))
	}
	label := map[acl.Verdict]string{acl.Granted: "contract grants it", acl.Declare: "to allow it", acl.Keep: "stays denied"}[d.Advice.Verdict]
	fmt.Fprintf(w, "    %s: %s\n", label, diag.Escape(d.Advice.Text))
	if !d.Advice.Position.IsZero() {
		fmt.Fprintf(w, "    --> %s\n", d.Advice.Position)
	}
}

// period tells when something began and ended, in UTC.
func period(first, last time.Time) string {
	const form = "2006-01-02 15:04:05"
	if first.Equal(last) {
		return "at " + first.UTC().Format(form)
	}
	return "from " + first.UTC().Format(form) + " to " + last.UTC().Format(form)
}
