package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/kafka"
)

// Deleting returns the plan with a deletion of each orphan that allow names as
// [Orphan.Allow] does, exactly these, after all other changes. The other
// orphans stay listed. What allow names beside, [Guard] judges.
func (p *Plan) Deleting(allow ...string) *Plan {
	out := *p
	out.Changes, out.Orphans = slices.Clone(p.Changes), nil
	for _, o := range p.Orphans {
		if slices.Contains(allow, o.Allow) {
			out.Changes = append(out.Changes, o.deletions()...)
		} else {
			out.Orphans = append(out.Orphans, o)
		}
	}
	slices.SortStableFunc(out.Changes, Change.compare)
	out.seal()
	return &out
}

// deletions are the changes that make an orphan go: one for each ACL of a
// principal, else one.
func (o Orphan) deletions() []Change {
	c := Change{
		Action: Delete, Kind: o.Kind, Name: o.Name, Class: Destructive, Service: o.Service, Allow: o.Allow,
		Reasons: []Reason{{Service: "the estate", Text: "has no contract that calls for it"}},
		item:    item{credentials: o.credentials, quota: kafka.Quota{User: o.Name, Limits: o.limits}},
	}
	switch o.Kind {
	case KindTopic:
		c.Note = "its records are deleted: " + strings.Join(o.Evidence, "; ")
	case KindUser:
		c.Note = "who logs in by " + strings.Join(o.Evidence, " or ") + " no longer can"
	case KindGroup:
		c.Note = "its positions are forgotten: " + strings.Join(o.Evidence, "; ")
	case KindQuota:
		c.Class, c.Note = Disruptive, "nothing bounds its clients from then on; it was "+strings.Join(o.Evidence, ", ")
	case KindConnector:
		c.Note = "its tasks end, and its positions with them"
	case KindACL:
		return o.revocations(c)
	}
	return []Change{c}
}

func (o Orphan) revocations(c Change) []Change {
	changes := make([]Change, len(o.bindings))
	for i, b := range o.bindings {
		changes[i] = c
		changes[i].Name, changes[i].Class, changes[i].item = b.String(), Disruptive, item{binding: b}
		changes[i].Note = "whoever relies on it is refused from then on"
		if b.Permission == acl.Deny {
			changes[i].Note = "what it denied may be allowed from then on"
		}
	}
	return changes
}

// stays returns why what an --allow names is never deleted; "" if there is no
// reason, because it is an orphan or is not there at all.
func stays(want *Desired, have *Actual, allow string) string {
	kind, name, found := strings.Cut(strings.TrimPrefix(allow, deletePrefix), "/")
	if !found || want.Scope == nil || have.Inventory == nil {
		return ""
	}
	switch Kind(kind) {
	case KindTopic:
		return topicStays(want, have, name)
	case KindUser, KindQuota, KindACL:
		return principalStays(want, have, Kind(kind), name)
	case KindGroup:
		return groupStays(want, have, name)
	case KindConnector:
		return connectorStays(want, have, name)
	default:
		return ""
	}
}

func topicStays(want *Desired, have *Actual, name string) string {
	for _, t := range want.Topics {
		switch {
		case t.Name == name && slices.Contains(t.Protect, contract.ProtectDelete):
			return "the contract of " + t.Service + " protects it from deletion"
		case t.Name == name:
			return "the contract of " + t.Service + " calls for it"
		case t.Source == name && t.Source != "":
			return "the contract of " + t.Service + " consumes it"
		}
	}
	if slices.Contains(want.Scope.External.Topics, name) {
		return "external.yaml says that it is owned elsewhere"
	}
	_, there := have.Inventory.Topics[name]
	if _, ours := want.Scope.topic(name); there && !ours {
		return "nothing in its name makes it this estate's"
	}
	return ""
}

func principalStays(want *Desired, have *Actual, kind Kind, name string) string {
	user := strings.TrimPrefix(name, "User:")
	principal := "User:" + user
	if slices.Contains(have.Inventory.Applier, principal) {
		return "it is, or may be, the principal that applies"
	}
	if slices.Contains(want.Scope.External.Principals, principal) {
		return "external.yaml says that " + principal + " is owned elsewhere"
	}
	if _, ours := want.Scope.user(user); !ours {
		if holds(have, principal) {
			return "nothing in its name makes it this estate's"
		}
		return ""
	}
	if service, declared := want.Scope.Principals[principal]; declared && holds(have, principal) {
		return fmt.Sprintf("the contract of %s calls for every %s it has", service, kind)
	}
	return ""
}

// holds reports whether a principal has anything on the cluster.
func holds(have *Actual, principal string) bool {
	user := strings.TrimPrefix(principal, "User:")
	if have.Inventory.Users[user] != nil || have.Inventory.Quotas[user] != nil {
		return true
	}
	for b := range have.Bindings {
		if b.Principal == principal {
			return true
		}
	}
	return false
}

func groupStays(want *Desired, have *Actual, name string) string {
	for _, g := range want.Grants {
		if g.ResourceType == acl.Group && g.Name == name {
			return "the contract of " + g.Reasons[0].Service + " reads in it"
		}
	}
	if slices.Contains(want.Scope.External.Groups, name) {
		return "external.yaml says that it is owned elsewhere"
	}
	_, there := have.Inventory.Groups[name]
	if _, ours := want.Scope.group(name); there && !ours {
		return "nothing in its name makes it this estate's"
	}
	return ""
}

func connectorStays(want *Desired, have *Actual, name string) string {
	for _, c := range want.Connectors {
		if c.Name == name {
			return "the contract of " + c.Service + " has it"
		}
	}
	if have.Inventory.Connectors[name] { // and is no orphan
		return "nothing in its name makes it this estate's"
	}
	return ""
}
