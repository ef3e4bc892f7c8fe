package plan

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// ErrRefused reports that a guard stopped the work before anything was
// changed. The diagnostics beside it say why and what would let it pass.
var ErrRefused = errors.New("refused by a guard")

// A refusal is ErrRefused with its reasons.
type refusal struct{ reasons diag.List }

func refuse(reasons ...diag.Diagnostic) error { return &refusal{reasons} }

func (r *refusal) Error() string { return r.reasons.Error() }

func (r *refusal) Unwrap() []error { return []error{ErrRefused, r.reasons} }

// Guard returns nil if every change of the plan is safe or allowed by name,
// and else an [ErrRefused] that tells all that is not. What may be allowed is
// in [Change.Allow]; allowing something that no change asks for is refused
// too, because it is a slip of the pen.
func Guard(p *Plan, allow []string) error {
	var reasons diag.List
	asked := map[string]bool{}
	for _, c := range p.Changes {
		asked[c.Allow] = c.Allow != ""
		switch {
		case c.Class == Impossible:
			reasons.Add(about(c, diag.New(diag.PlanImpossible, "cannot %s", c.verb()).WithFix("%s", c.Note)))
		case c.Allow != "" && !slices.Contains(allow, c.Allow):
			reasons.Add(about(c, diag.New(diag.PlanNeedsAllow, "to %s is %s: %s", c.verb(), c.Class, c.Note).
				WithFix("if that is meant, run apply again with --allow %s", c.Allow)))
		}
	}
	for _, a := range allow {
		if !asked[a] {
			reasons.Add(p.needless(a))
		}
	}
	if len(reasons) > 0 {
		return refuse(reasons...)
	}
	return nil
}

// needless says why an --allow that no change asks for is refused.
func (p *Plan) needless(allow string) diag.Diagnostic {
	if strings.HasPrefix(allow, deletePrefix) && p.stays != nil {
		if why := p.stays(allow); why != "" {
			return diag.New(diag.PlanKept, "%s is not deleted: %s", strings.TrimPrefix(allow, deletePrefix), why)
		}
	}
	d := diag.New(diag.PlanUnknownAllow, "no change of the plan needs --allow %s", allow)
	if near := resembling(allow, p.allowable()); len(near) > 0 {
		d = d.WithFix("did you mean %s?", strings.Join(near, ", "))
	}
	return d
}

// allowable is everything that --allow could name.
func (p *Plan) allowable() []string {
	var names []string
	for _, c := range p.Changes {
		names = append(names, c.Allow)
	}
	for _, o := range p.Orphans {
		names = append(names, o.Allow)
	}
	return names
}

// verb tells the change as something one does.
func (c Change) verb() string {
	text := string(c.Action) + " " + string(c.Kind) + " " + c.Name
	switch {
	case c.Kind == KindACL && c.Action == Delete:
		text = "revoke " + c.Name
	case c.Action == Delete:
	case c.Kind == KindACL:
		text = "grant " + c.Name
	case c.Kind == KindSchema:
		text = "register a schema for " + c.Name
	case c.Kind == KindSubject:
		text = "set the compatibility of " + c.Name
	case c.Action == Update:
		f := c.Fields[0]
		text = "change " + f.Name + " of " + string(c.Kind) + " " + c.Name + " from " + cmp.Or(f.Before, "(none)") + " to " + f.After
	}
	return text
}

// about places a diagnostic at the contract entry the change follows from.
func about(c Change, d diag.Diagnostic) diag.Diagnostic {
	if len(c.Reasons) > 0 {
		d = d.At(c.Reasons[0].Position)
	}
	for _, r := range c.Reasons {
		d = d.WithEvidence("%s", r)
	}
	return d
}
