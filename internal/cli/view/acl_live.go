package view

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/diag"
)

// A liveACL is an ACL as documents show it.
type liveACL struct {
	Principal    string           `json:"principal"`
	ResourceType acl.ResourceType `json:"resourceType"`
	ResourceName string           `json:"resourceName"`
	Pattern      acl.Pattern      `json:"pattern"`
	Operation    acl.Operation    `json:"operation"`
	Permission   acl.Permission   `json:"permission"`
	Host         string           `json:"host"`
}

func liveACLOf(b acl.Binding) liveACL {
	return liveACL{b.Principal, b.ResourceType, b.Name, b.Pattern, b.Operation, b.Permission, b.Host}
}

func liveACLs(all []acl.Binding) []liveACL {
	out := make([]liveACL, len(all))
	for i, b := range all {
		out[i] = liveACLOf(b)
	}
	return out
}

type aclListDocument struct {
	Header
	Cluster string    `json:"cluster"`
	ACLs    []liveACL `json:"acls"`
}

// ACLs writes bindings that a cluster has.
func (v *View) ACLs(cluster string, live []acl.Binding) error {
	names := make([]string, len(live))
	for i, b := range live {
		names[i] = "acl/" + b.String()
	}
	return v.answer(aclListDocument{header("ACLList"), cluster, liveACLs(live)}, func(w io.Writer) {
		if len(live) == 0 {
			fmt.Fprintf(w, "No such ACL is on cluster %s.\n", diag.Escape(cluster))
			return
		}
		t := newTable(w, "PRINCIPAL", "RESOURCE", "NAME", "PATTERN", "OPERATION", "PERMISSION", "HOST")
		for _, b := range live {
			t.row(b.Principal, string(b.ResourceType), b.Name, string(b.Pattern), string(b.Operation), string(b.Permission), b.Host)
		}
		t.flush()
	}, names)
}

type aclFinding struct {
	Kind    acl.FindingKind `json:"kind"`
	Code    diag.Code       `json:"code"`
	Binding liveACL         `json:"binding"`
	Text    string          `json:"text"`
	Others  []liveACL       `json:"others"`
	Reasons []acl.Reason    `json:"reasons,omitempty"`
	Command string          `json:"command,omitempty"`
}

type aclCheckDocument struct {
	Header
	Cluster  string                  `json:"cluster"`
	Checked  int                     `json:"checked"` // ACLs on the cluster
	Summary  map[acl.FindingKind]int `json:"summary"`
	Findings []aclFinding            `json:"findings"`
}

// ACLFindings writes what is wrong with the bindings of a cluster, of which
// there are checked.
func (v *View) ACLFindings(cluster string, checked int, found []acl.Finding) error {
	doc := aclCheckDocument{header("ACLCheck"), cluster, checked, map[acl.FindingKind]int{}, make([]aclFinding, len(found))}
	names := make([]string, len(found))
	for i, f := range found {
		doc.Summary[f.Kind]++
		doc.Findings[i] = aclFinding{f.Kind, f.Code(), liveACLOf(f.Binding), f.Text, liveACLs(f.Others), v.placed(f.Reasons), f.Command}
		names[i] = string(f.Kind) + "/" + f.Binding.String()
	}
	return v.answer(doc, func(w io.Writer) { v.aclFindings(w, doc, found) }, names)
}

// placed are reasons with places as the user would name them.
func (v *View) placed(all []acl.Reason) []acl.Reason {
	out := make([]acl.Reason, len(all))
	for i, r := range all {
		r.Position.File = v.file(r.Position.File)
		out[i] = r
	}
	return out
}

func (v *View) aclFindings(w io.Writer, doc aclCheckDocument, found []acl.Finding) {
	for _, f := range found {
		fmt.Fprintf(w, "%s[%s]: %s\n", f.Kind, f.Code(), diag.Escape(f.Binding.String()))
		fmt.Fprintf(w, "  %s\n", diag.Escape(f.Text))
		for _, o := range f.Others {
			fmt.Fprintf(w, "  beside: %s\n", diag.Escape(o.String()))
		}
		for _, r := range v.reasons(f.Reasons) {
			fmt.Fprintf(w, "  because %s\n", r)
		}
		known, _ := diag.Lookup(f.Code())
		fmt.Fprintf(w, "  fix: %s\n", diag.Escape(cmp.Or(f.Command, known.Fix)))
		fmt.Fprintln(w)
	}
	if len(found) == 0 {
		fmt.Fprintf(w, "No findings: %s on cluster %s, all as they should be.\n", count(doc.Checked, "ACL"), diag.Escape(doc.Cluster))
		return
	}
	var parts []string
	for _, kind := range acl.FindingKinds() {
		if n := doc.Summary[kind]; n > 0 {
			parts = append(parts, strconv.Itoa(n)+" "+string(kind))
		}
	}
	fmt.Fprintf(w, "%s in %s on cluster %s: %s.\n", count(len(found), "finding"), count(doc.Checked, "ACL"), diag.Escape(doc.Cluster), strings.Join(parts, ", "))
}

type aclMiss struct {
	Binding liveACL        `json:"binding"`
	Differs acl.Difference `json:"differs"`
	Text    string         `json:"text"`
}

type aclExplanationDocument struct {
	Header
	Cluster string       `json:"cluster,omitempty"`
	Request acl.Request  `json:"request"`
	Outcome acl.Outcome  `json:"outcome"`
	Source  acl.Source   `json:"source"`
	Text    string       `json:"text"`
	Rule    *liveACL     `json:"rule,omitempty"`
	Misses  []aclMiss    `json:"misses,omitempty"`
	Reasons []acl.Reason `json:"reasons,omitempty"` // contract entries that call for it
	Advice  *acl.Advice  `json:"advice,omitempty"`
	Notes   []string     `json:"notes,omitempty"`
}

// ACLExplanation writes whether somebody may do something, and why.
func (v *View) ACLExplanation(cluster string, e acl.Explanation) error {
	doc := aclExplanationDocument{
		Header: header("ACLExplanation"), Cluster: cluster, Request: e.Request, Outcome: e.Outcome, Source: e.Source,
		Text: e.Text, Notes: e.Notes,
	}
	if e.Rule != nil {
		doc.Rule = new(liveACLOf(*e.Rule))
	}
	for _, m := range e.Misses {
		doc.Misses = append(doc.Misses, aclMiss{liveACLOf(m.Binding), m.Differs, m.Text})
	}
	for _, g := range e.Calls {
		doc.Reasons = append(doc.Reasons, v.placed(g.Reasons)...)
	}
	if e.Advice != nil {
		advice := *e.Advice
		advice.Position.File = v.file(advice.Position.File)
		doc.Advice = &advice
	}
	return v.answer(doc, func(w io.Writer) { v.aclExplanation(w, doc) }, []string{string(e.Outcome)})
}

func (v *View) aclExplanation(w io.Writer, doc aclExplanationDocument) {
	q := doc.Request
	said := map[acl.Outcome]string{acl.Allowed: "may", acl.Refused: "may not", acl.Unknown: "may or may not"}[doc.Outcome]
	line := fmt.Sprintf("%s %s %s %s %s", q.Principal, said, q.Operation, q.ResourceType, q.Name)
	if q.Host != "" {
		line += " from " + q.Host
	}
	fmt.Fprintf(w, "%s\n  %s\n", diag.Escape(line), diag.Escape(doc.Text))
	for _, m := range doc.Misses {
		fmt.Fprintf(w, "  near: %s\n", diag.Escape(m.Text))
	}
	for _, r := range doc.Reasons {
		fmt.Fprintf(w, "  contract: %s\n", diag.Escape(r.String()))
	}
	if a := doc.Advice; a != nil {
		text := a.Text
		if !a.Position.IsZero() && len(doc.Reasons) == 0 {
			text += " (" + a.Position.String() + ")"
		}
		fmt.Fprintf(w, "  advice: %s\n", diag.Escape(text))
	}
	for _, n := range doc.Notes {
		fmt.Fprintf(w, "  note: %s\n", diag.Escape(n))
	}
}
