package acl

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/contract"
)

// Owner returns whether an estate answers for everything that a principal may
// do: the principals of its services and of their redrives, and those that
// Slipway must have named, svc-<service>-<environment> and its redrive, of
// services that are gone. What external.yaml lists is never its own.
func Owner(r *contract.Resolved) func(principal string) bool {
	own := map[string]bool{}
	for _, s := range r.Services {
		own[s.Principal()] = true
		if s.DeadLetters() {
			own[s.RedrivePrincipal()] = true
		}
	}
	foreign := Foreign(r)
	end := "-" + r.Env
	return func(principal string) bool {
		if foreign(principal) {
			return false
		}
		name, named := strings.CutPrefix(principal, ofUser+"svc-")
		service, here := strings.CutSuffix(strings.TrimSuffix(name, redriveSuffix), end)
		return own[principal] || named && here && service != ""
	}
}

// Foreign returns whether external.yaml says of a principal that somebody else
// answers for it. Further principals, such as the one that applies, can be
// named with it.
func Foreign(r *contract.Resolved, more ...string) func(principal string) bool {
	var all []string
	if r.External != nil {
		all = r.External.Principals
	}
	all = slices.Concat(all, more)
	return func(principal string) bool { return slices.Contains(all, principal) }
}

// Mentioned returns the topics, groups and users that bindings name, sorted and
// each once: those of which [World.Exists] has something to tell.
func Mentioned(live []Binding) []Resource {
	seen := map[Resource]bool{}
	for _, b := range live {
		if b.Pattern == Literal && b.Name != everyName && (b.ResourceType == Topic || b.ResourceType == Group) {
			seen[Resource{b.ResourceType, b.Name}] = true
		}
		for _, principal := range []string{b.Principal, userNamed(b)} {
			user, ok := strings.CutPrefix(principal, ofUser)
			if ok && principal != AnyUser && !strings.Contains(user, "=") { // a certificate's whole name has no password
				seen[Resource{User, user}] = true
			}
		}
	}
	return slices.SortedFunc(maps.Keys(seen), func(a, b Resource) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name))
	})
}

// userNamed is the principal that a binding on a user is about.
func userNamed(b Binding) string {
	if b.ResourceType == User && b.Pattern == Literal && b.Name != everyName {
		return b.Name
	}
	return ""
}
