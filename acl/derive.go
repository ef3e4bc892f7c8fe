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

// ForService returns the grants of one service of the estate, those of its
// redrive principal included. A principal that services share
// (adopt.principal) gets only what this one needs.
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
	if svc.ProbesByWriting() {
		d.grant(svc, contract.DefaultAlias, literal(Topic, svc.ProbeTopic(), Write), "proves by writing that it can", svc.Position("workload", "probe"))
	}
}

func (d *derivation) produce(svc *contract.Service, topic string, p *contract.Produce) {
	pos := svc.Position("produces/" + topic)
	if p.Via == contract.Outbox && svc.RelaysByDebezium() {
		d.relay(svc, topic, p, pos)
		return
	}
	d.grant(svc, p.Cluster, literal(Topic, d.estate.PhysicalTopic(p.Cluster, topic), Write),
		"produces "+topic, pos)
	if p.Via == contract.Transaction {
		prefix := literal(TransactionalID, svc.TransactionalPrefix(), Write)
		prefix.Pattern = Prefixed
		d.grant(svc, p.Cluster, prefix, "produces "+topic+" in transactions", pos)
	}
}

// relay lets the connector write that relays the service's outbox. The service
// itself writes rows, and may not write the topic.
func (d *derivation) relay(svc *contract.Service, topic string, p *contract.Produce, pos diag.Position) {
	cluster := d.estate.Cluster(d.estate.ClusterName(p.Cluster))
	if cluster == nil || cluster.Connect == nil || cluster.Connect.Principal == "" {
		return // nobody is known to give it to; validate tells
	}
	b := literal(Topic, d.estate.PhysicalTopic(p.Cluster, topic), Write)
	b.Principal = "User:" + cluster.Connect.Principal
	d.grantTo(svc, p.Cluster, b, "relays "+topic+" from the outbox of "+svc.Name+" by Debezium", pos)
	b.Name = svc.OutboxHeartbeatTopic()
	d.grantTo(svc, p.Cluster, b, "notes how far Debezium has read the outbox of "+svc.Name, svc.Position("outbox", "relay"))
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
	if c.Retries() {
		d.retry(svc, c, pos)
	}
	if c.DeadLetters() {
		d.grant(svc, c.Cluster, literal(Topic, svc.DeadLetterTopic(c), Write), deadLetterReason(c), pos)
		d.redrive(svc, c, pos)
	}
}

// retry lets a service keep what waits in a topic of its own, and take out what
// is through.
func (d *derivation) retry(svc *contract.Service, c *contract.Consume, pos diag.Position) {
	topic := svc.RetryTopic(c)
	d.grant(svc, c.Cluster, literal(Topic, topic, Read), retryReason(c), pos)
	d.grant(svc, c.Cluster, literal(Topic, topic, Write), retryReason(c), pos)
	d.grant(svc, c.Cluster, literal(Topic, topic, Delete),
		"trims the retry topic of "+c.Topic+" (the right would also let it delete that one topic, which only it uses)", pos)
}

// redrive lets an operator's tools read dead letters, order what becomes of
// them, and purge them. What they order they write into the retry topic; where
// an entry has none, they can only look and purge.
func (d *derivation) redrive(svc *contract.Service, c *contract.Consume, pos diag.Position) {
	grant := func(b Binding, why string) {
		b.Principal = svc.RedrivePrincipal()
		d.grantTo(svc, c.Cluster, b, why, pos)
	}
	dead := svc.DeadLetterTopic(c)
	grant(literal(Topic, dead, Read), "lets an operator read dead letters of "+c.Topic)
	grant(literal(Topic, dead, Delete), "lets an operator purge dead letters of "+c.Topic+" (the right would also let them delete that one topic)")
	grant(literal(Group, svc.RedriveUser(), Read), "lets an operator read dead letters of "+c.Topic)
	if c.Retries() {
		grant(literal(Topic, svc.RetryTopic(c), Write), "lets an operator redrive dead letters of "+c.Topic)
	}
}

// retryReason says why an entry has a retry topic.
func retryReason(c *contract.Consume) string {
	if c.Retry.Then == contract.Park {
		return "retries and parks records of " + c.Topic
	}
	return "retries records of " + c.Topic
}

// deadLetterReason says why an entry has a dead-letter topic.
func deadLetterReason(c *contract.Consume) string {
	if c.Retry.Then == contract.Park {
		return "tells what is parked of " + c.Topic
	}
	return "sends dead letters of " + c.Topic
}

func literal(kind ResourceType, name string, op Operation) Binding {
	return Binding{ResourceType: kind, Name: name, Pattern: Literal, Operation: op, Permission: Allow, Host: AnyHost}
}

func (d *derivation) grant(svc *contract.Service, alias string, b Binding, why string, pos diag.Position) {
	b.Principal = svc.Principal()
	d.grantTo(svc, alias, b, why, pos)
}

// grantTo is [derivation.grant] for a principal that is not the service.
func (d *derivation) grantTo(svc *contract.Service, alias string, b Binding, why string, pos diag.Position) {
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
