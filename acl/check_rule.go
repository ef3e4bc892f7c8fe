package acl

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// broad judges what a binding allows by itself, whoever wrote it.
func (c *check) broad(b Binding) {
	if b.Permission == Deny {
		return
	}
	var why []string
	if b.Principal == AnyUser {
		why = append(why, "it is for everybody who can connect")
	}
	if b.onEverything() && b.ResourceType != Cluster {
		why = append(why, "it is on every "+noun(b.ResourceType)+" there is and will be")
	}
	switch {
	case b.Operation == All:
		why = append(why, "ALL is more than anybody does: it would also let "+allLets(b.ResourceType))
	case b.ResourceType == Cluster && c.world.Owns(b.Principal):
		if text := clusterRights[b.Operation]; text != "" {
			why = append(why, text)
		}
	}
	if len(why) > 0 {
		c.add(OverBroad, b, strings.Join(why, "; "))
	}
}

// clusterRights are those that no service has a use for.
var clusterRights = map[Operation]string{
	ClusterAction: "CLUSTER_ACTION is what brokers say to each other",
	Alter:         "ALTER on the cluster lets a service grant itself every other right",
	AlterConfigs:  "ALTER_CONFIGS on the cluster lets a service change the brokers",
}

// allLets tells the gravest of what ALL lets somebody do.
func allLets(kind ResourceType) string {
	switch kind {
	case Topic:
		return "it delete the topic and change its settings"
	case Group:
		return "it delete the group and its positions"
	case Cluster:
		return "it grant itself every other right"
	}
	return "it do what Kafka has yet to invent"
}

// shadowed judges a binding without which nothing would change.
func (c *check) shadowed(b Binding) {
	if c.called[b] {
		return // it is the broader one that has to go
	}
	for o := range c.rules.about(b.Principal, b.ResourceType, b.Name) {
		if o.shadows(b) && (!b.shadows(o) || o.Compare(b) < 0) {
			c.add(Shadowed, b, "it changes nothing: "+o.phrase()+to(&o)+" already", o)
			return
		}
	}
}

// overruled judges an ALLOW that denials leave nothing of. One that allows
// something else by implication is left with that, unless ALL is denied.
func (c *check) overruled(b Binding) {
	if b.Permission != Allow || c.called[b] {
		return
	}
	for d := range c.rules.about(b.Principal, b.ResourceType, b.Name) {
		same := d.Operation == b.Operation && !b.implies()
		if d.Permission == Deny && d.spans(b) && (same || d.Operation == All) {
			c.add(Shadowed, b, "it allows nothing: "+d.phrase()+to(&d)+", and DENY wins", d)
			return
		}
	}
}

// shadows reports whether the binding has the effect of another one too.
func (b Binding) shadows(o Binding) bool {
	return b != o && b.Permission == o.Permission && b.spans(o) && b.does(o.Operation)
}

// spans reports whether the binding is about everybody, every place and every
// name that another one is about.
func (b Binding) spans(o Binding) bool {
	return b.HoldsFor(o.Principal) && (b.Host == AnyHost || b.Host == o.Host) && b.covers(o)
}

// shared looks for principals that could meet in one group or transactional
// id. Rights on every name are over-broad, and would be shared with all.
func (c *check) shared(kind ResourceType, op Operation) {
	var open []Binding // those whose pattern begins the present name, outermost first
	var last Binding
	for _, b := range c.candidates(kind, op) {
		for len(open) > 0 && !open[len(open)-1].covers(b) {
			open = open[:len(open)-1]
		}
		same := b.Principal == last.Principal && b.Name == last.Name && b.Pattern == last.Pattern // by ALL, say
		if others := c.others(open, b, op); len(others) > 0 && !same {
			c.share(b, others)
		}
		open, last = append(open, b), b
	}
}

// candidates are the rights to be in groups, or to use transactional ids, each
// name after those that begin it.
func (c *check) candidates(kind ResourceType, op Operation) []Binding {
	var some []Binding
	for _, b := range c.rules.all {
		if b.ResourceType == kind && b.Permission == Allow && b.does(op) && !b.onEverything() && b.Principal != AnyUser && c.effective(b, b, op) {
			some = append(some, b)
		}
	}
	slices.SortStableFunc(some, func(a, b Binding) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), -cmp.Compare(a.Pattern, b.Pattern)) // PREFIXED before LITERAL
	})
	return some
}

// effective reports whether a right is one on what another is about, for all
// that denials say.
func (c *check) effective(b, on Binding, op Operation) bool {
	q := b.request()
	q.Operation, q.Name = op, on.Name
	return c.rules.Allows(q)
}

// others are those of other principals, one for each, and no more than it
// takes to tell that there are too many to name.
func (c *check) others(open []Binding, b Binding, op Operation) []Binding {
	var others []Binding
	seen := map[string]bool{b.Principal: true}
	for _, o := range open {
		if !seen[o.Principal] && c.effective(o, b, op) {
			seen[o.Principal] = true
			others = append(others, o)
		}
		if len(others) > MaxMisses {
			break
		}
	}
	return others
}

// share tells of principals that meet, first of one that no contract calls for.
func (c *check) share(b Binding, others []Binding) {
	all := append([]Binding{b}, others...)
	if i := slices.IndexFunc(all, func(o Binding) bool { return !c.called[o] && !c.world.Foreign(o.Principal) }); i > 0 {
		all[0], all[i] = all[i], all[0]
	}
	if !slices.ContainsFunc(all, func(o Binding) bool { return !c.world.Foreign(o.Principal) }) {
		return
	}
	var names []string
	for _, o := range all[:min(len(all), MaxMisses+1)] {
		names = append(names, fmt.Sprintf("`%s`", o.Principal))
	}
	if len(all) > len(names) {
		names = append(names, "others")
	}
	text := "%s may be in the same group"
	if b.ResourceType == TransactionalID {
		text = "%s may use the same transactional ids, and fence each other"
	}
	c.add(Shared, all[0], fmt.Sprintf(text, strings.Join(names, " and ")), all[1:]...)
	if c.called[all[0]] || c.world.Foreign(all[0].Principal) {
		c.found[len(c.found)-1].Command = "" // somebody has to decide who gets a name of its own
	}
}
