package acl

import (
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/contract"
)

// calledFor are the grants of contracts that have to do with a request.
type calledFor struct {
	estate  *contract.Resolved
	cluster string
	grants  []Grant // those on the cluster
}

func newCalledFor(r *contract.Resolved, cluster string) calledFor {
	return calledFor{r, cluster, slices.DeleteFunc(Derive(r), func(g Grant) bool { return g.Cluster != cluster })}
}

// allowing are the grants that would allow a request.
func (c calledFor) allowing(q Request) []Grant {
	var some []Grant
	for _, g := range c.grants {
		if g.Matches(q.ResourceType, q.Name) && g.HoldsFor(q.Principal) && g.holdsAt(q.Host) && g.does(q.Operation) {
			some = append(some, g)
		}
	}
	return some
}

// partners are the grants on other types of resources that follow from the
// same entries: the group of who reads a topic, the transactional ids of who
// writes one.
func (c calledFor) partners(e Explanation) []Grant {
	if e.Request.ResourceType != Topic {
		return nil
	}
	var some []Grant
	for _, g := range c.grants {
		if g.Principal != e.Request.Principal || g.ResourceType == Topic {
			continue
		}
		if slices.ContainsFunc(e.Calls, func(call Grant) bool { return sameEntry(call, g) }) {
			some = append(some, g)
		}
	}
	return some
}

// sameEntry reports whether two grants have an entry in common.
func sameEntry(a, b Grant) bool {
	return slices.ContainsFunc(a.Reasons, func(x Reason) bool {
		return slices.ContainsFunc(b.Reasons, func(y Reason) bool { return !x.Position.IsZero() && x.Position == y.Position })
	})
}

// advice tells what to do next, as [Advise] does of a denial. What is allowed
// though no contract calls for it deserves a word as well.
func (c calledFor) advice(e Explanation) *Advice {
	q := e.Request
	switch {
	case e.Outcome == Refused:
		d := Denial{Principal: q.Principal, Operation: q.Operation, ResourceType: q.ResourceType, Name: q.Name}
		d.Explicit = e.Rule != nil
		return &Advise(c.estate, c.cluster, []Denial{d})[0]
	case e.Outcome == Allowed && len(e.Calls) == 0:
		advice := keep("no contract calls for it: slipway acl check tells what to do about rights that nobody needs")
		advice.Verdict = ""
		return &advice
	}
	return nil
}

// renamed tells that contracts know a topic by the name that was asked for, and
// that the cluster has it under another one.
func (c calledFor) renamed(q Request) []string {
	if q.ResourceType != Topic {
		return nil
	}
	names := map[string]string{} // in contracts → alias of the cluster
	if c.estate.External != nil {
		for name, t := range c.estate.External.Topics {
			names[name] = t.Cluster
		}
	}
	for _, s := range c.estate.Services {
		for name, t := range s.Topics {
			names[name] = t.Cluster
		}
	}
	alias, known := names[q.Name]
	physical := c.estate.PhysicalTopic(alias, q.Name)
	if !known || c.estate.ClusterName(alias) != c.cluster || physical == q.Name {
		return nil
	}
	return []string{fmt.Sprintf("on the cluster, the topic that contracts call `%s` is `%s`: ask for that one", q.Name, physical)}
}

// removeLine is the command of Kafka's own tool that takes a binding away; of
// one whose names cannot be pasted there is none.
func removeLine(b Binding) string {
	lines, err := KafkaACLs([]Binding{b})
	if err != nil {
		return ""
	}
	return strings.Replace(lines[0], " --add ", " --remove ", 1)
}
