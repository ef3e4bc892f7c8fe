package acl

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// A Verdict says what should become of a denial.
type Verdict string

// The verdicts. The first two are findings: the contracts and the cluster
// disagree with what a service does.
const (
	Granted Verdict = "granted" // a contract grants it already, and the cluster does not
	Declare Verdict = "declare" // a line in a contract would grant it
	Keep    Verdict = "keep"    // it should stay denied
)

// Advice is what to do about a [Denial].
type Advice struct {
	Verdict  Verdict       `json:"verdict"`
	Service  string        `json:"service,omitempty"` // whose contract it is about
	Position diag.Position `json:"position,omitzero"` // the place in it
	Text     string        `json:"text"`
}

// Advise says of each denial on a cluster, in the same order, which line of a
// contract allows it or would, or why it should stay. It follows the contracts
// of one environment and knows nothing of the cluster itself.
func Advise(r *contract.Resolved, cluster string, denials []Denial) []Advice {
	a := newAdviser(r, cluster)
	all := make([]Advice, len(denials))
	for i, d := range denials {
		all[i] = a.advise(d)
	}
	return all
}

// An adviser is what contracts say, by the names on a cluster.
type adviser struct {
	estate   *contract.Resolved
	cluster  string
	services map[string]*contract.Service // by principal
	redrives map[string]*contract.Service // by principal
	groups   map[string]*contract.Service
	topics   map[string]knownTopic
	grants   map[string][]Grant // by principal
}

// A knownTopic is a topic of a contract, of others, or one that an entry
// brings with it.
type knownTopic struct {
	name             string            // in contracts
	owner            *contract.Service // nil if it is external
	position         diag.Position
	readers, writers []string // nil readers mean any service, as do nil writers of an external topic
	derived          string   // what a derived topic is: retry topic, dead-letter topic
}

func newAdviser(r *contract.Resolved, cluster string) *adviser {
	a := &adviser{
		estate: r, cluster: cluster,
		services: map[string]*contract.Service{}, redrives: map[string]*contract.Service{},
		groups: map[string]*contract.Service{}, topics: map[string]knownTopic{}, grants: map[string][]Grant{},
	}
	for _, g := range Derive(r) {
		if g.Cluster == cluster {
			a.grants[g.Principal] = append(a.grants[g.Principal], g)
		}
	}
	if r.External != nil {
		for name, t := range r.External.Topics {
			if r.ClusterName(t.Cluster) == cluster {
				a.topics[r.PhysicalTopic(t.Cluster, name)] = knownTopic{
					name: name, position: r.External.Position("topics/" + name), readers: t.Readers, writers: t.Writers,
				}
			}
		}
	}
	for _, svc := range r.Services {
		a.service(svc)
	}
	return a
}

func (a *adviser) service(svc *contract.Service) {
	a.services[svc.Principal()] = svc
	a.redrives[svc.RedrivePrincipal()] = svc
	a.groups[svc.RedriveUser()] = svc
	for name, t := range svc.Topics {
		if a.estate.ClusterName(t.Cluster) == a.cluster {
			a.topics[a.estate.PhysicalTopic(t.Cluster, name)] = knownTopic{
				name: name, owner: svc, position: svc.Position("topics/" + name), readers: t.Readers, writers: append([]string{svc.Name}, t.Writers...),
			}
		}
	}
	for name, c := range svc.Consumes {
		if a.estate.ClusterName(c.Cluster) != a.cluster || !c.Grouped() {
			continue
		}
		a.groups[svc.GroupID(c)] = svc
		pos := svc.Position("consumes/" + name + "/retry")
		a.topics[svc.RetryTopic(c)] = knownTopic{name: c.Topic, owner: svc, position: pos, derived: "retry topic"}
		a.topics[svc.DeadLetterTopic(c)] = knownTopic{name: c.Topic, owner: svc, position: pos, derived: "dead-letter topic"}
	}
}

func (a *adviser) advise(d Denial) Advice {
	if g, found := a.grant(d); found {
		return granted(g, d)
	}
	svc := a.services[d.Principal]
	switch {
	case d.Explicit:
		return keep("an ACL of the cluster with permission DENY says so, and no contract calls for it")
	case svc == nil:
		return a.stranger(d)
	case administrative(d):
		return administration(svc, d)
	}
	switch d.ResourceType {
	case Topic:
		return a.topic(svc, d)
	case Group:
		return a.group(svc, d)
	case TransactionalID:
		return a.transactional(svc, d)
	case Cluster: // what is left is IDEMPOTENT_WRITE
		return declare(svc, "produces", "its idempotent producer may write no topic at all, and that is how Kafka says so: add the topic it writes to produces of %s", svc.Name)
	}
	return keep("no service needs rights on a %s", d.ResourceType)
}

// grant is the grant of a contract that allows what was denied.
func (a *adviser) grant(d Denial) (Grant, bool) {
	for _, g := range a.grants[d.Principal] {
		if d.allowedBy(g.Binding) {
			return g, true
		}
	}
	return Grant{}, false
}

// allowedBy reports whether a binding that is derived allows what was denied.
// To write any topic is to be an idempotent producer.
func (d Denial) allowedBy(b Binding) bool {
	if d.ResourceType == Cluster && d.Operation == IdempotentWrite {
		return b.ResourceType == Topic && b.Operation == Write
	}
	named := b.Name == d.Name || b.Pattern == Prefixed && strings.HasPrefix(d.Name, b.Name)
	return b.ResourceType == d.ResourceType && named && b.does(d.Operation)
}

func granted(g Grant, d Denial) Advice {
	why := g.Reasons[0]
	text := fmt.Sprintf("%s %s: slipway plan shows what the cluster lacks, and slipway apply grants it", why.Service, why.Text)
	if d.Explicit {
		text = fmt.Sprintf("%s %s, and an ACL of the cluster with permission DENY wins over it: remove that one", why.Service, why.Text)
	}
	return Advice{Verdict: Granted, Service: why.Service, Position: why.Position, Text: text}
}

func keep(format string, args ...any) Advice {
	return Advice{Verdict: Keep, Text: fmt.Sprintf(format, args...)}
}

// about is advice on a place in a service's contract.
func (a Advice) about(svc *contract.Service, element string) Advice {
	a.Service, a.Position = svc.Name, svc.Position(element)
	return a
}

func declare(svc *contract.Service, element, format string, args ...any) Advice {
	return Advice{Verdict: Declare, Text: fmt.Sprintf(format, args...)}.about(svc, element)
}

// administrative reports whether no service is ever given such a right.
func administrative(d Denial) bool {
	switch d.Operation {
	case Create, Alter, AlterConfigs, DescribeConfigs, ClusterAction, All:
		return true
	case Delete:
		return d.ResourceType == Group
	case Describe:
		return d.ResourceType == Cluster
	}
	return false
}

func administration(svc *contract.Service, d Denial) Advice {
	switch d.Operation {
	case Create:
		return keep("services create no topics: declare it under topics of its owner, and slipway apply creates it").about(svc, "topics")
	case DescribeConfigs:
		return keep("services read no settings: what they must know is in their contracts")
	case Delete:
		return keep("services delete no groups: slipway group seek moves one")
	default:
		return keep("that is for whoever applies the contracts, and for no service")
	}
}

// stranger advises on a principal that is no service of the environment.
func (a *adviser) stranger(d Denial) Advice {
	if svc := a.redrives[d.Principal]; svc != nil {
		return keep("whoever redrives for %s works on its dead letters and retry topics, and on nothing else", svc.Name)
	}
	if d.Principal == "User:ANONYMOUS" {
		return keep("the client did not log in: it used a listener that asks for nothing")
	}
	if a.estate.External != nil && slices.Contains(a.estate.External.Principals, d.Principal) {
		return keep("external.yaml says that it belongs to others: its rights are theirs to give")
	}
	if env := a.elsewhere(d.Principal); env != "" {
		return keep("it is a principal of environment %s, and this is the cluster of %s: its client is pointed to the wrong cluster, or holds the wrong credential", env, a.estate.Env)
	}
	if administrative(d) {
		return keep("no contract of environment %s has this principal; if it is the one that plans and applies, slipway acl bootstrap --principal %s prints what it needs", a.estate.Env, d.Principal)
	}
	return keep("no contract of environment %s has this principal: write one if it is a service (slipway init), or name it in external.yaml", a.estate.Env)
}

// elsewhere is the other environment that a principal is of.
func (a *adviser) elsewhere(principal string) string {
	if a.estate.Clusters == nil {
		return ""
	}
	for _, svc := range a.estate.Services {
		rest, named := strings.CutPrefix(principal, "User:svc-"+svc.Name+"-")
		env := strings.TrimSuffix(rest, "-redrive")
		if _, known := a.estate.Clusters.Environments[env]; named && known && env != a.estate.Env {
			return env
		}
	}
	return ""
}

// join tells a list of services.
func join(names []string) string { return cmp.Or(strings.Join(names, ", "), "nobody") }
