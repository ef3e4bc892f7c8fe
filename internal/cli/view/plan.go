package view

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/plan"
)

type planDocument struct {
	Header
	*plan.Plan
	Summary plan.Summary `json:"summary"`
}

// Plan writes what would change. People read it by service and are told why;
// the order in which it is applied is that of the document.
func (v *View) Plan(p *plan.Plan) error {
	var names []string
	for _, c := range p.Changes {
		names = append(names, string(c.Kind)+"/"+c.Name)
	}
	return v.answer(planDocument{header("Plan"), p, p.Summary()}, func(w io.Writer) { v.plan(w, p) }, slices.Compact(names))
}

func (v *View) plan(w io.Writer, p *plan.Plan) {
	v.changes(w, p)
	v.orphans(w, p.Orphans)
	if !p.Empty() {
		fmt.Fprintf(w, "\n%s\n", p.Summary())
	}
}

func (v *View) change(w io.Writer, c plan.Change) {
	fmt.Fprintf(w, "  %s\n", diag.Escape(c.String()))
	if c.Note != "" {
		fmt.Fprintf(w, "      note: %s\n", diag.Escape(c.Note))
	}
	for _, line := range c.Impact {
		fmt.Fprintf(w, "      now: %s\n", diag.Escape(line))
	}
	if c.Allow != "" {
		fmt.Fprintf(w, "      needs --allow %s\n", diag.Escape(c.Allow))
	}
	for _, r := range v.reasons(c.Reasons) {
		fmt.Fprintf(w, "      because %s\n", r)
	}
}

// reasons are told with their places; the table leaves those out.
func (v *View) reasons(all []plan.Reason) []string {
	told := make([]string, len(all))
	for i, r := range all {
		told[i] = diag.Escape(r.Service + " " + r.Text)
		if v.Format == Wide && !r.Position.IsZero() {
			told[i] += " (" + v.place(r.Position) + ")"
		}
	}
	return told
}

// An Outcome is what became of one change.
type Outcome struct {
	plan.Change
	Err error
}

type outcomeDocument struct {
	plan.Change
	Done    bool             `json:"done"`
	Problem *diag.Diagnostic `json:"problem,omitempty"`
}

type applicationDocument struct {
	Header
	Environment string            `json:"environment"`
	Cluster     string            `json:"cluster"`
	ClusterID   string            `json:"clusterId"`
	Hash        string            `json:"hash"`
	Changes     []outcomeDocument `json:"changes"`
	Done        int               `json:"done"`
	Failed      int               `json:"failed"`
	Pending     int               `json:"pending"` // not begun
}

// Applied writes what became of a plan.
func (v *View) Applied(p *plan.Plan, outcomes []Outcome) error {
	doc := applicationDocument{
		Header: header("Application"), Environment: p.Env, Cluster: p.Cluster, ClusterID: p.ClusterID, Hash: p.Hash,
		Changes: []outcomeDocument{}, Pending: len(p.Changes) - len(outcomes),
	}
	var names []string
	for _, o := range outcomes {
		one := outcomeDocument{Change: o.Change, Done: o.Err == nil}
		if o.Err != nil {
			doc.Failed++
			if known := v.resolved(diag.Of(o.Err)); len(known) > 0 {
				one.Problem = &known[0]
			}
		} else {
			doc.Done++
			names = append(names, string(o.Kind)+"/"+o.Name)
		}
		doc.Changes = append(doc.Changes, one)
	}
	return v.answer(doc, func(w io.Writer) {
		v.outcomes(w, outcomes)
		fmt.Fprintf(w, "Applied: %d done, %d failed, %d not begun.\n", doc.Done, doc.Failed, doc.Pending)
	}, slices.Compact(names))
}

// outcomes are told one by one; of many only those that failed are.
func (v *View) outcomes(w io.Writer, all []Outcome) {
	told := 0
	for _, o := range all {
		if o.Err != nil || v.Format == Wide || len(all) <= mostChanges {
			fmt.Fprintln(w, outcomeLine(o))
			told++
		}
	}
	if told < len(all) {
		fmt.Fprintf(w, "%d changes that are done are not listed; -o wide lists all\n", len(all)-told)
	}
}

// outcomeLine is short: what the change was stands in the plan above it.
func outcomeLine(o Outcome) string {
	word := "done   "
	if o.Err != nil {
		word = "failed "
	}
	parts := []string{word, string(o.Kind), o.Name}
	if o.Action == plan.Update {
		for _, f := range o.Fields {
			parts = append(parts, f.Name)
		}
	}
	return diag.Escape(strings.Join(parts, " "))
}

type explanationsDocument struct {
	Header
	Environment  string             `json:"environment"`
	Explanations []plan.Explanation `json:"explanations"`
}

// Explanations writes why a name exists.
func (v *View) Explanations(env string, all []plan.Explanation) error {
	var names []string
	for _, e := range all {
		names = append(names, e.Kind+"/"+e.Name)
	}
	return v.answer(explanationsDocument{header("Explanations"), env, all}, func(w io.Writer) {
		for i, e := range all {
			if i > 0 {
				fmt.Fprintln(w)
			}
			v.explanation(w, env, e)
		}
	}, names)
}

func (v *View) explanation(w io.Writer, env string, e plan.Explanation) {
	fmt.Fprintf(w, "%s %s\n", e.Kind, diag.Escape(e.Name))
	if e.Detail != "" {
		fmt.Fprintf(w, "  %s\n", diag.Escape(e.Detail))
	}
	fmt.Fprintf(w, "  environment %s, cluster %s\n", diag.Escape(env), diag.Escape(e.Cluster))
	for _, r := range e.Reasons {
		fmt.Fprintf(w, "  because %s (%s)\n", diag.Escape(r.Service+" "+r.Text), v.place(r.Position))
	}
	if len(e.Access) == 0 {
		return
	}
	fmt.Fprintln(w, "  access")
	var rows strings.Builder
	t := newTable(&rows, "PRINCIPAL", "OPERATION", "RESOURCE", "BECAUSE")
	for _, g := range e.Access {
		var why []string
		for _, r := range g.Reasons {
			why = append(why, r.Text)
		}
		name := g.Name
		if g.Pattern == "PREFIXED" {
			name += "*"
		}
		t.row(g.Principal, string(g.Operation), string(g.ResourceType)+" "+name, strings.Join(why, ", "))
	}
	t.flush()
	for line := range strings.Lines(rows.String()) {
		fmt.Fprint(w, "    ", line)
	}
}
