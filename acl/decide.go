package acl

import (
	"fmt"
	"strings"
)

// A Request asks whether somebody may do one thing to one thing.
type Request struct {
	Principal string `json:"principal"` // with its type: User:svc-orders-prod

	// Host is the client's address as the broker sees it. Empty means that it
	// does not matter: bindings for single hosts are then left out of account.
	Host string `json:"host,omitempty"`

	Operation    Operation    `json:"operation"`
	ResourceType ResourceType `json:"resourceType"`
	Name         string       `json:"resourceName"`
}

// A Decision is what Kafka's authorizer makes of a [Request]. It knows the
// bindings only: a principal among the brokers' super.users may do everything.
type Decision struct {
	Allowed bool

	// Rule is the binding that decides: a DENY if there is one, else the most
	// specific ALLOW. It is nil where the request is refused because nothing
	// allows it.
	Rule *Binding

	// Bare tells that no binding is about the resource at all. Only then does
	// a broker's allow.everyone.if.no.acl.found make a difference.
	Bare bool

	// Misses are the bindings that come nearest to allowing what is refused,
	// the nearest first, at most [MaxMisses].
	Misses []Miss
}

// String tells the decision and the rule, without the misses.
func (d Decision) String() string {
	switch {
	case d.Allowed:
		return d.Rule.phrase() + to(d.Rule)
	case d.Rule != nil:
		return d.Rule.phrase() + to(d.Rule) + ", and DENY wins over every ALLOW"
	case d.Bare:
		return "no rule is about it at all"
	}
	return "no rule allows it"
}

// Decide answers one request as Kafka's StandardAuthorizer does: any DENY that
// matches wins, then any ALLOW, and what nothing allows is refused. A binding
// matches by principal (or User:*), host (or *), resource (its LITERAL name,
// the LITERAL name *, or a PREFIXED beginning) and operation (or ALL). ALLOW of
// READ, WRITE, DELETE or ALTER allows DESCRIBE too, and ALLOW of ALTER_CONFIGS
// allows DESCRIBE_CONFIGS; a DENY implies nothing. For many requests keep
// [NewRules].
func Decide(live []Binding, q Request) Decision { return NewRules(live).Decide(q) }

// Matches reports whether the binding is about a resource: by its LITERAL name,
// the LITERAL name *, or a PREFIXED beginning.
func (b Binding) Matches(kind ResourceType, name string) bool {
	switch {
	case b.ResourceType != kind:
		return false
	case b.Pattern == Prefixed:
		return strings.HasPrefix(name, b.Name)
	}
	return b.Pattern == Literal && (b.Name == name || b.Name == everyName)
}

// covers reports whether the binding's pattern matches every name that
// another's does.
func (b Binding) covers(o Binding) bool {
	switch {
	case b.ResourceType != o.ResourceType:
		return false
	case b.onEverything():
		return true
	case o.onEverything():
		return false
	case b.Pattern == Prefixed:
		return strings.HasPrefix(o.Name, b.Name)
	}
	return o.Pattern == b.Pattern && o.Name == b.Name
}

// onEverything reports whether the binding is about every name.
func (b Binding) onEverything() bool {
	return b.Pattern == Literal && b.Name == everyName || b.Pattern == Prefixed && b.Name == ""
}

// phrase is the rule in words, up to whom it is for.
func (b Binding) phrase() string {
	verb := "allows"
	if b.Permission == Deny {
		verb = "denies"
	}
	return b.pattern() + " " + verb + " " + string(b.Operation)
}

// pattern is what the rule is about, in words.
func (b Binding) pattern() string {
	if b.Pattern == Prefixed {
		return fmt.Sprintf("prefix `%s`", b.Name)
	}
	return fmt.Sprintf("`%s`", b.Name)
}

// to tells whom a rule is for.
func to(b *Binding) string {
	text := fmt.Sprintf(" to `%s`", b.Principal)
	if b.Host != AnyHost {
		text += " from " + b.Host
	}
	return text
}
