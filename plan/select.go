package plan

import (
	"fmt"
	"slices"
)

// Of returns the plan with the changes of some services alone, and no orphans:
// part of an estate does not know what the rest of it declares. A topic that
// would have to wait for the retry topic of a service left out cannot grow.
func (p *Plan) Of(services ...string) *Plan {
	out := *p
	out.Changes, out.Orphans, out.stays = []Change{}, nil, nil
	left := map[string]string{} // retry topics that would grow, and whose they are
	for _, c := range p.Changes {
		switch {
		case c.concerns(services):
			out.Changes = append(out.Changes, c)
		case c.growsRetries():
			left[c.Name] = c.Service
		}
	}
	for i := range out.Changes {
		out.Changes[i] = out.Changes[i].without(left)
	}
	out.seal()
	return &out
}

// concerns reports whether a change follows from a contract of the services.
func (c Change) concerns(services []string) bool {
	return slices.Contains(services, c.Service) ||
		slices.ContainsFunc(c.Reasons, func(r Reason) bool { return slices.Contains(services, r.Service) })
}

func (c Change) without(left map[string]string) Change {
	for _, name := range c.item.after {
		if service, missing := left[name]; missing && c.Class != Impossible {
			c.Class, c.Allow = Impossible, ""
			c.Note = fmt.Sprintf("its retry topic %s grows before it, and is of service %s: plan that one too", name, service)
		}
	}
	return c
}
