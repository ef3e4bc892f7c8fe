package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/plan"
)

// A selection is which part of a plan is meant, and what of it is allowed.
type selection struct {
	services []string
	allow    []string
}

func serviceFlag(c *cobra.Command, services *[]string) {
	c.Flags().StringArrayVar(services, "service", nil, "only what follows from this service's contract, and no orphans; may be repeated")
}

func allowFlag(c *cobra.Command, allow *[]string) {
	c.Flags().StringArrayVar(allow, "allow", nil, "allow a change by its name in the plan; may be repeated")
}

// A look is what one look at a cluster leads to.
type look struct {
	want *plan.Desired
	have *plan.Actual
	plan *plan.Plan
	selection
}

// saved is what is seen in the form of a file.
func (l *look) saved() *plan.Saved {
	return plan.NewSaved(l.want, l.have, l.plan, l.services, l.allow, time.Now())
}

// look looks at the cluster and compares. The whole of an estate knows what
// nobody declares; a part of it does not.
func (s *session) look(ctx context.Context, sel selection) (*look, error) {
	if err := s.known(sel.services); err != nil {
		return nil, err
	}
	have, err := plan.Read(ctx, s.want, s.kafka, s.registry, plan.WithConnect(s.workers))
	if err != nil {
		return nil, err
	}
	if len(sel.services) == 0 {
		if err := have.Survey(ctx, s.kafka, plan.WithConnect(s.workers)); err != nil {
			return nil, err
		}
	}
	p, err := plan.Diff(s.want, have)
	if err != nil {
		return nil, err
	}
	if len(sel.services) > 0 {
		p = p.Of(sel.services...)
	}
	return &look{s.want, have, p.Deleting(sel.allow...), sel}, nil
}

// known refuses services that the estate does not have.
func (s *session) known(services []string) error {
	for _, name := range services {
		if s.estate.Service(name) != nil {
			continue
		}
		var all []string
		for _, svc := range s.estate.Services {
			all = append(all, svc.Name)
		}
		return diag.New(diag.PlanUnknownName, "the estate has no service %q", name).
			WithFix("use one of %s", strings.Join(all, ", "))
	}
	return nil
}

// planKinds are what --only takes.
var planKinds = []plan.Kind{
	plan.KindTopic, plan.KindUser, plan.KindACL, plan.KindQuota, plan.KindGroup, plan.KindSubject, plan.KindSchema, plan.KindConnector,
}

func onlyFlag(c *cobra.Command, only *[]string) {
	c.Flags().StringSliceVar(only, "only", nil, "show only changes and orphans of these kinds: "+join(planKinds))
	complete(c, "only", planKinds)
}

// only is a plan as it is shown: what there is of some kinds.
func only(p *plan.Plan, names []string) (*plan.Plan, error) {
	if len(names) == 0 {
		return p, nil
	}
	for _, name := range names {
		if !slices.Contains(planKinds, plan.Kind(name)) {
			return nil, usage("--only: there is no kind %q", name).WithFix("use one of %s", join(planKinds))
		}
	}
	other := func(k plan.Kind) bool { return !slices.Contains(names, string(k)) }
	shown := *p
	shown.Changes = slices.DeleteFunc(slices.Clone(p.Changes), func(c plan.Change) bool { return other(c.Kind) })
	shown.Orphans = slices.DeleteFunc(slices.Clone(p.Orphans), func(o plan.Orphan) bool { return other(o.Kind) })
	return &shown, nil
}
