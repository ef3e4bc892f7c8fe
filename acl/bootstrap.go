package acl

import (
	"cmp"
	"slices"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// A Duty is what a principal that works on a cluster for an estate is trusted
// with.
type Duty string

// The duties. Each includes those before it.
const (
	Planning Duty = "plan"   // plan, drift and acl check: it only reads
	Applying Duty = "apply"  // apply, which creates and changes
	Deleting Duty = "delete" // apply --allow delete:…, which also deletes what no contract declares
)

// Names that every derived topic begins with, and that apply takes its lock by.
const (
	derivedPrefix = "svc-"
	lockPrefix    = "slipway-apply-"
)

// brokerSettings is what else comes with the right to set quotas.
const brokerSettings = " (the right would also let it change settings of the brokers)"

// Bootstrap returns what a principal needs on one cluster of an estate, and
// nothing that its duty can do without. Topics are named, or covered by the
// prefix that only one service's topics have; an estate that gets another topic
// of its own, or another service, needs its bootstrap again.
//
// Whoever may ALTER a cluster can grant rights, to itself too: it is to be kept
// like a super user. Kafka has no narrower right to grant rights and make users
// with.
func Bootstrap(r *contract.Resolved, cluster, principal string, duty Duty) []Grant {
	b := &bootstrap{derivation: newDerivation(r), cluster: cluster, principal: principal, duty: duty}
	b.users()
	b.quotas()
	b.orphans()
	b.lock()
	for _, svc := range r.Services {
		b.service(svc)
	}
	b.sources()
	return b.without()
}

// A bootstrap derives the rights of one principal from what plan and apply send.
type bootstrap struct {
	*derivation
	cluster, principal string
	duty               Duty
}

// give notes a right, with what needs it.
func (b *bootstrap) give(kind ResourceType, pattern Pattern, name string, op Operation, why string, pos diag.Position) {
	binding := literal(kind, name, op)
	binding.Principal, binding.Pattern = b.principal, pattern
	k := key{b.cluster, binding}
	b.grants[k] = append(b.grants[k], Reason{Service: "slipway", Text: why, Position: pos})
}

func (b *bootstrap) applies() bool { return b.duty != Planning }

func (b *bootstrap) here(alias string) bool { return b.estate.ClusterName(alias) == b.cluster }

// users is what users, rights and the sizes of topics are read and made with.
func (b *bootstrap) users() {
	none := diag.Position{}
	if !b.applies() {
		b.give(Cluster, Literal, ClusterName, Describe, "plan reads ACLs, users and the sizes of topics", none)
		return
	}
	b.give(Cluster, Literal, ClusterName, Alter,
		"apply creates ACLs and users, and plan reads them (the right would also let it grant itself every other)", none)
}

// topics is what a topic of the estate, or those with a prefix, need.
func (b *bootstrap) topics(pattern Pattern, name string, pos diag.Position) {
	if !b.applies() {
		b.give(Topic, pattern, name, Describe, "plan looks for the topic", pos)
		b.give(Topic, pattern, name, DescribeConfigs, "plan reads its settings", pos)
		return
	}
	b.give(Topic, pattern, name, Create, "apply creates the topic", pos)
	b.give(Topic, pattern, name, Alter, "apply adds partitions, and plan looks for the topic", pos)
	b.give(Topic, pattern, name, AlterConfigs, "apply changes its settings, and plan reads them", pos)
}

func (b *bootstrap) service(svc *contract.Service) {
	for name, t := range svc.Topics {
		if b.here(t.Cluster) {
			b.topics(Literal, b.estate.PhysicalTopic(t.Cluster, name), svc.Position("topics/"+name))
		}
	}
	if svc.ProbesByWriting() && b.here(contract.DefaultAlias) {
		b.topics(Literal, svc.ProbeTopic(), svc.Position("workload", "probe"))
	}
	for name, c := range svc.Consumes {
		if !b.here(c.Cluster) {
			continue
		}
		pos := svc.Position("consumes/" + name)
		if c.Retries() || c.DeadLetters() {
			b.topics(Prefixed, svc.Identity()+".", pos)
		}
		if configured(c) {
			b.group(svc.GroupID(c), pos)
		}
	}
}

// configured reports whether brokers keep settings of the entry's group.
func configured(c *contract.Consume) bool {
	return c.As == contract.Stream && c.Protocol == contract.Consumer &&
		(cmp.Or(c.Session, contract.DefaultSession) != contract.DefaultSession || cmp.Or(c.Heartbeat, contract.DefaultHeartbeat) != contract.DefaultHeartbeat)
}

func (b *bootstrap) group(name string, pos diag.Position) {
	if b.applies() {
		b.give(Group, Literal, name, AlterConfigs, "apply sets the group's session and heartbeat, and plan reads them", pos)
		return
	}
	b.give(Group, Literal, name, DescribeConfigs, "plan reads the group's session and heartbeat", pos)
}

// sources are the topics of others that services read: what they are like
// decides what their retry topics are.
func (b *bootstrap) sources() {
	for _, svc := range b.estate.Services {
		for name, c := range svc.Consumes {
			if b.here(c.Cluster) && (c.Retries() || c.DeadLetters()) {
				topic, pos := b.estate.PhysicalTopic(c.Cluster, c.Topic), svc.Position("consumes/"+name)
				b.give(Topic, Literal, topic, Describe, "plan looks how many partitions "+c.Topic+" has", pos)
				b.give(Topic, Literal, topic, DescribeConfigs, "plan looks how large records of "+c.Topic+" may be", pos)
			}
		}
	}
}

// lock is the group that keeps two applies from running at once.
func (b *bootstrap) lock() {
	if b.applies() {
		b.give(Group, Literal, lockPrefix+b.estate.Env, Read, "apply takes the lock of the environment", diag.Position{})
	}
}

// quotas bound what services take; Kafka keeps them with the settings of the
// cluster.
func (b *bootstrap) quotas() {
	for _, svc := range b.estate.Services {
		switch {
		case !svc.Quotas.Any() || !slices.ContainsFunc(svc.Aliases(), b.here):
		case b.applies():
			b.give(Cluster, Literal, ClusterName, AlterConfigs,
				"apply sets quotas, and plan reads them"+brokerSettings, svc.Position("quotas"))
		default:
			b.give(Cluster, Literal, ClusterName, DescribeConfigs, "plan reads quotas", svc.Position("quotas"))
		}
	}
}

// orphans is what finds things of the estate that no contract declares, and
// deletes them. Topics that may not be seen would be missed without a word.
func (b *bootstrap) orphans() {
	none := diag.Position{}
	prefixes := []string{derivedPrefix}
	for _, at := range b.estate.Bindings {
		if at.Cluster == b.cluster && at.TopicPrefix != "" {
			prefixes = append(prefixes, at.TopicPrefix)
		}
	}
	for _, prefix := range prefixes {
		if b.duty != Deleting {
			b.give(Topic, Prefixed, prefix, Describe, "plan looks for topics that no contract declares", none)
			continue
		}
		b.give(Topic, Prefixed, prefix, Delete, "apply deletes topics that no contract declares, and plan looks for them", none)
	}
	if b.duty != Deleting {
		b.give(Cluster, Literal, ClusterName, DescribeConfigs, "plan looks for quotas that no contract declares", none)
	} else {
		b.give(Cluster, Literal, ClusterName, AlterConfigs, "apply takes back quotas that no contract declares"+brokerSettings, none)
		b.give(Group, Prefixed, derivedPrefix, Delete, "apply deletes groups that no contract reads in", none)
		b.give(Group, Prefixed, derivedPrefix, AlterConfigs, "apply takes back the settings of groups that it deletes", none)
	}
}

// without leaves out what another right of the principal implies, and puts the
// rest in order.
func (b *bootstrap) without() []Grant {
	all := b.sorted()
	return slices.DeleteFunc(slices.Clone(all), func(g Grant) bool {
		return slices.ContainsFunc(all, func(o Grant) bool { return o.shadows(g.Binding) })
	})
}
