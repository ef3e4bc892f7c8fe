package importer

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/slipway-go/slipway/acl"
)

// rights are what one principal may do that a contract could call for. The
// value tells whether it is a right by name; if not, it is guessed.
type rights struct {
	principal string
	reads     map[string]bool // topics, as the cluster names them
	writes    map[string]bool
	groups    map[string]bool
	txns      []string // prefixes of transactional ids

	// grouped tells that the principal reads as a member of some group, be it
	// by a right that contracts cannot call for.
	grouped bool
}

func (r *rights) user() string { return strings.TrimPrefix(r.principal, "User:") }

// gather sorts bindings by principal.
func (b *builder) gather() []*rights {
	by := map[string]*rights{}
	for _, bound := range b.bindings {
		r := by[bound.Principal]
		if r == nil {
			r = &rights{principal: bound.Principal, reads: map[string]bool{}, writes: map[string]bool{}, groups: map[string]bool{}}
			by[bound.Principal] = r
		}
		b.gatherOne(r, bound)
	}
	if b.opt.Expand {
		for _, bound := range b.bindings {
			if everywhere(bound) && (wide(bound)) {
				b.expand(by[bound.Principal], bound)
			}
		}
	}
	all := make([]*rights, 0, len(by))
	for _, principal := range slices.Sorted(maps.Keys(by)) {
		all = append(all, by[principal])
	}
	return all
}

func (b *builder) gatherOne(r *rights, bound acl.Binding) {
	if bound.Permission != acl.Allow {
		return
	}
	joins := bound.Operation == acl.Read || bound.Operation == everything
	r.grouped = r.grouped || bound.ResourceType == acl.Group && joins
	if bound.Host != acl.AnyHost {
		return
	}
	switch {
	case bound.ResourceType == acl.TransactionalID && bound.Pattern == acl.Prefixed && bound.Operation == acl.Write:
		r.txns = append(r.txns, bound.Name)
	case !named(bound):
	case bound.ResourceType == acl.Topic && bound.Operation == acl.Read:
		r.reads[bound.Name] = true
	case bound.ResourceType == acl.Topic && bound.Operation == acl.Write:
		r.writes[bound.Name] = true
	case bound.ResourceType == acl.Group && bound.Operation == acl.Read:
		r.groups[bound.Name] = true
	}
}

// expand guesses what is meant by a right that covers more than one name or
// operation.
func (b *builder) expand(r *rights, bound acl.Binding) {
	guess := func(into map[string]bool, name string) {
		if _, known := into[name]; !known {
			into[name] = false
		}
	}
	reads := bound.Operation == acl.Read || bound.Operation == everything
	writes := bound.Operation == acl.Write || bound.Operation == everything
	switch bound.ResourceType {
	case acl.Topic:
		for name := range b.in.Topics {
			if !covers(bound, name) || b.derived(name) || strings.HasPrefix(name, "__") {
				continue
			}
			if reads {
				guess(r.reads, name)
			}
			if writes {
				guess(r.writes, name)
			}
		}
	case acl.Group:
		for name := range b.in.Groups {
			if reads && covers(bound, name) {
				guess(r.groups, name)
			}
		}
	}
}

var topicForm = regexp.MustCompile(`^(\.{0,2}[a-zA-Z0-9_-]|\.{3})[a-zA-Z0-9._-]*$`)

// topicName reports whether Kafka could have a topic of that name.
func topicName(name string) bool { return len(name) <= 249 && topicForm.MatchString(name) }

// holdable reports whether a contract can hold a name from outside: text on
// one line, without what YAML and terminals act on, and no pattern.
func holdable(name string) bool {
	if name == "" || len([]rune(name)) > 255 || !utf8.ValidString(name) || strings.Contains(name, "${") || strings.Contains(name, "$(") {
		return false
	}
	return !strings.ContainsAny(name, " \t\n\f\r*") && !strings.ContainsFunc(name, hidden)
}

// adoptable reports whether a contract can adopt a principal's name.
func adoptable(user string) bool {
	return holdable(user) && !strings.Contains(user, ":") && user != anonymous
}

// anonymous is what brokers call whoever does not log in.
const anonymous = "ANONYMOUS"

// hidden are the characters that contracts refuse wherever they stand.
func hidden(r rune) bool {
	switch r {
	case '\u2028', '\u2029', '\ufeff', '\ufffe', '\uffff':
		return true
	}
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
}
