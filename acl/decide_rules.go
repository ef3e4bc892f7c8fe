package acl

import (
	"iter"
	"slices"
)

// Rules are a cluster's bindings, in an order that makes decisions fast. They
// are safe for concurrent use.
type Rules struct {
	all     []Binding              // sorted, each once
	at      map[spot][]Binding     // by exactly what they name
	lengths map[ResourceType][]int // of PREFIXED names, longest first
}

// A spot is whom and what a binding names.
type spot struct {
	principal string
	kind      ResourceType
	pattern   Pattern
	name      string
}

// NewRules takes the bindings of a cluster, in any order.
func NewRules(live []Binding) *Rules {
	r := &Rules{
		all:     slices.Clone(live),
		at:      make(map[spot][]Binding, len(live)),
		lengths: map[ResourceType][]int{},
	}
	slices.SortFunc(r.all, Binding.Compare)
	r.all = slices.Compact(r.all)
	for _, b := range r.all {
		s := spot{b.Principal, b.ResourceType, b.Pattern, b.Name}
		r.at[s] = append(r.at[s], b)
		if b.Pattern == Prefixed {
			r.lengths[b.ResourceType] = append(r.lengths[b.ResourceType], len(b.Name))
		}
	}
	for kind, lengths := range r.lengths {
		slices.Sort(lengths)
		slices.Reverse(lengths)
		r.lengths[kind] = slices.Compact(lengths)
	}
	return r
}

// Bindings returns what the rules were made of, sorted and each once. The
// caller must not change it.
func (r *Rules) Bindings() []Binding { return r.all }

// Decide answers one request. What a refusal costs beyond [Rules.Allows] is a
// look at every binding, for those that are near.
func (r *Rules) Decide(q Request) Decision {
	rule, found := r.rule(q)
	if found && rule.Permission == Allow {
		return Decision{Allowed: true, Rule: &rule}
	}
	d := Decision{
		Bare:   !slices.ContainsFunc(r.all, func(b Binding) bool { return b.Matches(q.ResourceType, q.Name) }),
		Misses: r.misses(q),
	}
	if found {
		d.Rule = &rule
	}
	return d
}

// Allows reports whether a request is allowed.
func (r *Rules) Allows(q Request) bool {
	rule, found := r.rule(q)
	return found && rule.Permission == Allow
}

// AllowsAny reports whether a principal may do something to at least one
// resource of a type, whatever its name, as brokers judge it of a producer that
// asks for its id: by comparing patterns, without knowing any name.
func (r *Rules) AllowsAny(principal, host string, op Operation, kind ResourceType) bool {
	var allows, denies []Binding
	for _, b := range r.all {
		switch {
		case b.ResourceType != kind || b.Operation != op && b.Operation != All || !b.HoldsFor(principal) || !b.holdsAt(host):
		case b.Permission == Deny:
			denies = append(denies, b)
		default:
			allows = append(allows, b)
		}
	}
	return slices.ContainsFunc(allows, func(a Binding) bool {
		return !slices.ContainsFunc(denies, func(d Binding) bool { return d.covers(a) })
	})
}

// rule is the binding that decides a request, if one does.
func (r *Rules) rule(q Request) (rule Binding, found bool) {
	for b := range r.about(q.Principal, q.ResourceType, q.Name) {
		switch {
		case !b.does(q.Operation) || !b.holdsAt(q.Host):
		case b.Permission == Deny:
			return b, true
		case !found:
			rule, found = b, true
		}
	}
	return rule, found
}

// about yields the bindings for a principal whose pattern matches a name, the
// most specific first.
func (r *Rules) about(principal string, kind ResourceType, name string) iter.Seq[Binding] {
	return func(yield func(Binding) bool) {
		each := func(pattern Pattern, name string) bool {
			for _, who := range []string{principal, AnyUser} {
				for _, b := range r.at[spot{who, kind, pattern, name}] {
					if !yield(b) {
						return false
					}
				}
			}
			return true
		}
		if !each(Literal, name) {
			return
		}
		for _, n := range r.lengths[kind] {
			if n <= len(name) && !each(Prefixed, name[:n]) {
				return
			}
		}
		each(Literal, everyName)
	}
}
