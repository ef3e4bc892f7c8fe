package importer

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
)

// estate is what is written, before it is text.
type estate struct {
	services []*service // sorted by name
	owner    map[string]*service
	refused  map[string]string // topic → why its only writer does not own it
	joined   map[string]*service
	free     bool // topics have names that only a free rule for names allows
	external external
}

// external is what external.yaml lists.
type external struct{ topics, groups, principals []string }

// A service is one principal's contract.
type service struct {
	*rights
	name     string
	identity string // svc-<name>-<env>
	auth     contract.Auth

	writable map[string]string // topic as contracts name it → as the cluster does
	readable map[string]string

	owns     []string
	writers  map[string][]string // of what it owns: who else produces it
	produces []string
	txn      string // prefix of its transactional ids; empty if it has none
	group    string // what it adopts, or would be called anyway
	readings []reading
}

// A reading is one entry of consumes.
type reading struct {
	name, topic, suffix string
	as                  contract.Mode
	protocol            contract.Protocol
	retries, letters    bool
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// build makes an estate of everything that is not known to be inexact.
func (b *builder) build() *estate {
	e := &estate{owner: map[string]*service{}, refused: map[string]string{}, joined: map[string]*service{}}
	e.services = b.name()
	for _, s := range e.services {
		s.writable, s.readable = b.usable(s, s.writes), b.usable(s, s.reads)
		s.produces = sortedKeys(s.writable)
	}
	b.join(e)
	e.services = slices.DeleteFunc(e.services, func(s *service) bool { return len(s.produces)+len(s.readings) == 0 })
	b.own(e)
	b.transact(e)
	b.others(e)
	return e
}

// usable are topics that a contract can name, without those that follow from
// the contract itself.
func (b *builder) usable(s *service, topics map[string]bool) map[string]string {
	out := map[string]string{}
	for topic := range topics {
		if b.derived(topic) && strings.HasPrefix(topic, s.identity+".") {
			continue
		}
		if logical, ok := b.logical(topic); ok {
			out[logical] = topic
		}
	}
	return out
}

// name makes a service of each principal that could have a contract. Slipway's
// own names come first, so that no other principal takes them.
func (b *builder) name() []*service {
	var all []*service
	taken := map[string]bool{}
	later := b.rights
	for _, known := range []func(*rights) string{b.ownName, b.keptName, func(r *rights) string { return label(r.user()) }} {
		var rest []*rights
		for _, r := range later {
			name := known(r)
			switch {
			case !adoptable(r.user()) || b.redriver(r.user()) || len(r.reads)+len(r.writes) == 0:
			case name == "":
				rest = append(rest, r)
			default:
				name = unused(name, taken)
				taken[name] = true
				all = append(all, &service{rights: r, name: name, identity: "svc-" + name + "-" + b.opt.Env, auth: b.auth(r)})
			}
		}
		later = rest
	}
	slices.SortFunc(all, func(x, y *service) int { return cmp.Compare(x.name, y.name) })
	return all
}

// ownName is the service whose principal Slipway would call so.
func (b *builder) ownName(r *rights) string {
	if m := b.identity.FindStringSubmatch(r.user()); m != nil && len(m[1]) <= maxService {
		return m[1]
	}
	return ""
}

// keptName is the service of a principal that was adopted before: the topics
// that Slipway derived for it tell its name.
func (b *builder) keptName(r *rights) string {
	names := map[string]bool{}
	for topic := range r.writes {
		if m := b.offshoot.FindStringSubmatch(topic); m != nil && r.writes[topic] {
			names[m[1]] = true
		}
	}
	if len(names) != 1 {
		return ""
	}
	m := b.identity.FindStringSubmatch(sortedKeys(names)[0])
	if m == nil || len(m[1]) > maxService {
		return ""
	}
	return m[1]
}

// auth is how a principal logs in: by the password that the cluster knows of
// it, else as the source says, else by a certificate.
func (b *builder) auth(r *rights) contract.Auth {
	var found contract.Auth
	for _, c := range b.in.Users[r.user()] {
		if found == "" || c.Mechanism == contract.SCRAMSHA512 {
			found = c.Mechanism
		}
	}
	return cmp.Or(found, b.in.Auth[r.principal], contract.MTLS)
}

// maxService is the longest name of a service.
const maxService = 40

var (
	commonName = regexp.MustCompile(`(?i)^(?:.*,)?\s*CN=([^,]+)`)
	unfit      = regexp.MustCompile(`[^a-z0-9]+`)
)

// label makes a service's name of a principal's: the common name of a
// certificate's subject, as a DNS label.
func label(user string) string {
	if m := commonName.FindStringSubmatch(user); m != nil {
		user = m[1]
	}
	name := strings.Trim(unfit.ReplaceAllString(strings.ToLower(user), "-"), "-")
	if name == "" || name[0] < 'a' || name[0] > 'z' {
		name = "service-" + name
	}
	return strings.Trim(name[:min(len(name), maxService)], "-")
}

// unused numbers a name that is taken.
func unused(name string, taken map[string]bool) string {
	fresh := name
	for n := 2; taken[fresh]; n++ {
		number := fmt.Sprintf("-%d", n)
		fresh = strings.TrimRight(name[:min(len(name), maxService-len(number))], "-") + number
	}
	return fresh
}

// may reports whether a principal holds a right on a topic by its name.
func (b *builder) may(principal string, op acl.Operation, topic string) bool {
	return b.has[acl.Binding{
		Principal: principal, ResourceType: acl.Topic, Name: topic, Pattern: acl.Literal,
		Operation: op, Permission: acl.Allow, Host: acl.AnyHost,
	}]
}

// transact gives services their transactional ids. Prefixes must not overlap.
func (b *builder) transact(e *estate) {
	var taken []string
	for _, s := range e.services {
		if len(s.produces) == 0 {
			continue
		}
		prefixes := slices.Sorted(slices.Values(s.txns))
		if own := s.identity + "."; slices.Contains(prefixes, own) {
			prefixes = []string{own}
		}
		for _, prefix := range prefixes {
			free := !slices.ContainsFunc(taken, func(t string) bool { return strings.HasPrefix(t, prefix) || strings.HasPrefix(prefix, t) })
			if s.txn == "" && holdable(prefix) && free {
				s.txn = prefix
			}
		}
		if s.txn != "" {
			taken = append(taken, s.txn)
		}
	}
}
