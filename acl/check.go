package acl

import (
	"fmt"
	"slices"
	"strings"
)

// A World is what there is to know of a cluster beside its bindings.
type World struct {
	// Env is the environment, for the commands.
	Env string

	// Owns reports whether the estate answers for everything a principal may
	// do, so that what no contract calls for is surplus. Nil means that it does
	// for those that grants are for. [Owner] tells it of an estate.
	Owns func(principal string) bool

	// Foreign reports whether somebody else answers for a principal: it is in
	// external.yaml, or is the one that applies. Its bindings are left alone.
	// Nil means nobody.
	Foreign func(principal string) bool

	// Exists tells of resources whether they exist. What is not in it was not
	// looked for, and never dangles. Users are there by their names, without
	// the type.
	Exists map[Resource]bool
}

// A Resource is a thing that rights are about.
type Resource struct {
	Type ResourceType
	Name string
}

// Check compares the bindings of a cluster with what the contracts call for on
// it (the grants of that cluster, as [Derive] gives them) and with good sense.
// What is found comes sorted by kind and binding. The live bindings of
// principals that are nobody's concern here are judged too: whether they are
// over-broad, shadowed, dangling or shared does not depend on a contract.
func Check(live []Binding, grants []Grant, w World) []Finding {
	c := newCheck(live, grants, w)
	for _, g := range c.grants {
		c.missing(g)
	}
	for _, b := range c.rules.Bindings() {
		if c.world.Foreign(b.Principal) {
			continue
		}
		c.broad(b)
		if !c.surplus(b) {
			c.dangling(b)
			c.shadowed(b)
		}
		c.overruled(b)
	}
	c.shared(Group, Read)
	c.shared(TransactionalID, Write)
	slices.SortStableFunc(c.found, Finding.compare)
	return c.found
}

type check struct {
	rules  *Rules
	grants []Grant
	called map[Binding]bool  // what the grants are about
	toCome map[Resource]bool // what they are on: a service that never ran has no group yet
	world  World
	found  []Finding
}

func newCheck(live []Binding, grants []Grant, w World) *check {
	c := &check{rules: NewRules(live), grants: grants, called: make(map[Binding]bool, len(grants)), toCome: map[Resource]bool{}, world: w}
	principals := map[string]bool{}
	for _, g := range grants {
		c.called[g.Binding], principals[g.Principal] = true, true
		c.toCome[Resource{g.ResourceType, g.Name}] = true
	}
	if w.Owns == nil {
		c.world.Owns = func(p string) bool { return principals[p] }
	}
	if w.Foreign == nil {
		c.world.Foreign = func(string) bool { return false }
	}
	return c
}

func (c *check) add(kind FindingKind, b Binding, text string, others ...Binding) {
	c.found = append(c.found, Finding{
		Kind: kind, Binding: b, Text: text, Others: others[:min(len(others), MaxMisses)], Command: c.removal(b),
	})
}

// missing judges what a contract calls for: that it is there, and that no DENY
// takes it away.
func (c *check) missing(g Grant) {
	_, there := slices.BinarySearchFunc(c.rules.all, g.Binding, Binding.Compare)
	rule, found := c.rules.rule(g.request())
	if there && rule.Permission == Allow {
		return
	}
	f := Finding{Kind: Missing, Binding: g.Binding, Reasons: g.Reasons, Text: "it is not on the cluster", Command: c.apply("")}
	switch {
	case there: // found is the DENY
		f.Text = "it is there, but " + rule.phrase() + to(&rule) + ", and DENY wins"
		f.Command = c.removal(rule)
	case found && rule.Permission == Deny:
		f.Text += ", and with it " + rule.phrase() + to(&rule) + " would still win"
	case found:
		f.Text += "; " + rule.phrase() + to(&rule) + " for the time being"
	}
	if found {
		f.Others = []Binding{rule}
	}
	c.found = append(c.found, f)
}

// request is what the binding is there to allow. Of a prefix, its beginning
// stands for all names.
func (b Binding) request() Request {
	q := Request{Principal: b.Principal, Host: b.Host, Operation: b.Operation, ResourceType: b.ResourceType, Name: b.Name}
	if b.Host == AnyHost {
		q.Host = ""
	}
	return q
}

// surplus reports whether the binding is one that the estate would not make.
func (c *check) surplus(b Binding) bool {
	if c.called[b] || !c.world.Owns(b.Principal) {
		return false
	}
	text := "no contract calls for it"
	if gone := c.gone(b); gone != "" {
		text += ", and " + gone
	}
	c.add(Surplus, b, text)
	return true
}

// dangling judges whether the binding has lost what it is about. What a contract
// calls for has not: it may be yet to come.
func (c *check) dangling(b Binding) {
	if gone := c.gone(b); gone != "" && !c.called[b] {
		c.add(Dangling, b, gone)
	}
}

// gone tells what the binding is about and does not exist.
func (c *check) gone(b Binding) string {
	var gone []string
	if b.Pattern == Literal && c.absent(b.ResourceType, b.Name) {
		gone = append(gone, fmt.Sprintf("%s `%s` does not exist", noun(b.ResourceType), b.Name))
	}
	if user, ok := strings.CutPrefix(b.Principal, ofUser); ok && c.absent(User, user) {
		gone = append(gone, fmt.Sprintf("user `%s` does not exist", user))
	}
	return strings.Join(gone, ", and ")
}

// ofUser begins every principal that is a user.
const ofUser = "User:"

func (c *check) absent(kind ResourceType, name string) bool {
	r := Resource{kind, strings.TrimPrefix(name, ofUser)}
	exists, known := c.world.Exists[r]
	return known && !exists && !c.toCome[r]
}

// noun is a resource type in a sentence.
func noun(kind ResourceType) string {
	return strings.ReplaceAll(strings.ToLower(string(kind)), "_", " ")
}

// removal is the command that takes a binding away: the plan's where the estate
// answers for the principal, Kafka's own tool elsewhere. A name that cannot be
// pasted has none.
func (c *check) removal(b Binding) string {
	if c.world.Owns(b.Principal) {
		return c.apply(b.Principal)
	}
	return removeLine(b)
}

// apply is the command that makes the cluster what the contracts call for,
// without the surplus rights of a principal.
func (c *check) apply(surplusOf string) string {
	words := []string{"slipway apply"}
	if c.world.Env != "" {
		words = append(words, "-e "+c.world.Env)
	}
	switch name := "delete:acl/" + surplusOf; {
	case surplusOf == "":
	case strings.ContainsFunc(name, unprintable):
		return ""
	case strings.ContainsFunc(name, special):
		words = append(words, "--allow "+quoted(name))
	default:
		words = append(words, "--allow "+name)
	}
	return strings.Join(words, " ")
}

// special takes what a shell may do something with.
func special(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(":/._-", r)
}
