package acl

import (
	"cmp"
	"maps"
	"slices"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// Derive returns every grant that an estate's contracts call for, sorted by
// cluster and binding. A binding that several entries call for is there once,
// with all their reasons.
func Derive(r *contract.Resolved) []Grant {
	d := newDerivation(r)
	for _, svc := range r.Services {
		d.service(svc)
	}
	return d.sorted()
}

// ForService returns the grants of one service of the estate. A principal that
// services share (adopt.principal) gets only what this one needs.
func ForService(r *contract.Resolved, svc *contract.Service) []Grant {
	d := newDerivation(r)
	d.service(svc)
	return d.sorted()
}

type key struct {
	cluster string
	binding Binding
}

type derivation struct {
	estate *contract.Resolved
	grants map[key][]Reason
}

func newDerivation(r *contract.Resolved) *derivation {
	return &derivation{estate: r, grants: map[key][]Reason{}}
}

func (d *derivation) service(svc *contract.Service) {
	for topic, p := range svc.Produces {
		d.produce(svc, cmp.Or(p.Topic, topic), p)
	}
	for name, c := range svc.Consumes {
		d.consume(svc, name, c)
	}
}

func (d *derivation) produce(svc *contract.Service, topic string, p *contract.Produce) {
	pos := svc.Position("produces/" + topic)
	d.grant(svc, p.Cluster, literal(Topic, d.estate.PhysicalTopic(p.Cluster, topic), Write),
		"produces "+topic, pos)
	if p.Via == contract.Transaction {
		prefix := literal(TransactionalID, svc.TransactionalPrefix(), Write)
		prefix.Pattern = Prefixed
		d.grant(svc, p.Cluster, prefix, "produces "+topic+" in transactions", pos)
	}
}

func (d *derivation) consume(svc *contract.Service, name string, c *contract.Consume) {
	pos := svc.Position("consumes/" + name)
	topic := d.estate.PhysicalTopic(c.Cluster, c.Topic)
	if !c.Grouped() {
		d.grant(svc, c.Cluster, literal(Topic, topic, Read), "reads "+c.Topic+" as a table", pos)
		return
	}
	group := svc.GroupID(c)
	why := "consumes " + c.Topic + " as group " + group
	d.grant(svc, c.Cluster, literal(Topic, topic, Read), why, pos)
	d.grant(svc, c.Cluster, literal(Group, group, Read), why, pos)
	if c.DeadLetters() {
		d.grant(svc, c.Cluster, literal(Topic, svc.DeadLetterTopic(c), Write), "sends dead letters of "+c.Topic, pos)
	}
}

func literal(kind ResourceType, name string, op Operation) Binding {
	return Binding{ResourceType: kind, Name: name, Pattern: Literal, Operation: op, Permission: Allow, Host: AnyHost}
}

func (d *derivation) grant(svc *contract.Service, alias string, b Binding, why string, pos diag.Position) {
	b.Principal = svc.Principal()
	k := key{d.estate.ClusterName(alias), b}
	d.grants[k] = append(d.grants[k], Reason{Service: svc.Name, Text: why, Position: pos})
}

func (d *derivation) sorted() []Grant {
	keys := slices.SortedFunc(maps.Keys(d.grants), func(a, b key) int {
		return cmp.Or(cmp.Compare(a.cluster, b.cluster), a.binding.Compare(b.binding))
	})
	grants := make([]Grant, len(keys))
	for i, k := range keys {
		reasons := d.grants[k]
		slices.SortFunc(reasons, Reason.Compare)
		grants[i] = Grant{Binding: k.binding, Cluster: k.cluster, Reasons: slices.Compact(reasons)}
	}
	return grants
}
