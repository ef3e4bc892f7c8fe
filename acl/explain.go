package acl

import (
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/contract"
)

// An Outcome is the answer to a [Request].
type Outcome string

// The outcomes. What a service can learn of its own rights leaves some unknown.
const (
	Allowed Outcome = "allowed"
	Refused Outcome = "refused"
	Unknown Outcome = "unknown"
)

// A Source is what an outcome was derived from.
type Source string

// The sources.
const (
	FromBindings Source = "bindings"              // all of the cluster's, read with an administrator's rights
	FromProof    Source = "authorized-operations" // what the cluster told the service itself
)

// An Explanation is an outcome with everything that helps to understand it, and
// to change it.
type Explanation struct {
	Request Request
	Outcome Outcome
	Source  Source
	Text    string   // why, in one line
	Rule    *Binding // the binding that decides, if one does and is known
	Misses  []Miss   // of a refusal

	// Calls are the grants that contracts call for and that would allow the
	// request, with the entries they follow from.
	Calls []Grant

	// Advice is what to do for the request to be allowed, or why it should not
	// be; or, of one that is allowed by nobody's contract, what to do about
	// that. It is nil where everything is as it should be.
	Advice *Advice

	// Notes are what else matters: the errors that clients get in place of the
	// one that would say it, and what they need beside.
	Notes []string
}

// Explain answers a request from all bindings of a cluster, and tells what the
// contracts of an estate have to do with it.
func Explain(r *contract.Resolved, cluster string, live *Rules, q Request) Explanation {
	d := live.Decide(q)
	e := Explanation{Request: q, Outcome: Refused, Source: FromBindings, Text: d.String(), Rule: d.Rule, Misses: d.Misses}
	if d.Allowed {
		e.Outcome = Allowed
	}
	contracts := newCalledFor(r, cluster)
	e.Calls = contracts.allowing(q)
	e.Advice = contracts.advice(e)
	e.Notes = slices.Concat(contracts.renamed(q), bareNotes(d), mending(e), symptoms(live, e), beside(live, contracts.partners(e), q.Host))
	return e
}

// mending names the DENY that has to go for a contract to be kept.
func mending(e Explanation) []string {
	if e.Outcome != Refused || e.Rule == nil || len(e.Calls) == 0 {
		return nil
	}
	if line := removeLine(*e.Rule); line != "" {
		return []string{"to take the DENY away: " + line}
	}
	return nil
}

// bareNotes warn of the one case in which bindings alone do not decide.
func bareNotes(d Decision) []string {
	if !d.Bare || d.Allowed {
		return nil
	}
	return []string{"a broker with allow.everyone.if.no.acl.found=true would let everybody, since no rule is about it"}
}

// symptoms are the errors that clients see for a refusal, where they name
// something else than what is missing.
func symptoms(live *Rules, e Explanation) []string {
	q := e.Request
	may := func(kind ResourceType, name string, op Operation) bool {
		return live.Allows(Request{Principal: q.Principal, Host: q.Host, Operation: op, ResourceType: kind, Name: name})
	}
	var notes []string
	refused := e.Outcome == Refused
	switch {
	case q.ResourceType == Topic && q.Operation == Write && refused &&
		!may(Cluster, ClusterName, IdempotentWrite) && !live.AllowsAny(q.Principal, q.Host, Write, Topic):
		notes = append(notes, "it may write no topic at all, so an idempotent producer fails before it names one: it gets CLUSTER_AUTHORIZATION_FAILED when it asks for its id (InitProducerId). WRITE on a topic mends that; no right on the cluster is needed")
	case q.ResourceType == Cluster && q.Operation == IdempotentWrite && refused:
		notes = append(notes, "since Kafka 2.8 nobody needs it: WRITE on any topic is enough for an idempotent producer")
	case q.ResourceType == TransactionalID && refused:
		notes = append(notes, "a client gets TRANSACTIONAL_ID_AUTHORIZATION_FAILED, from the search for its coordinator already if DESCRIBE is refused")
	case q.ResourceType == Topic && q.Operation == Create && refused && may(Cluster, ClusterName, Create):
		notes = append(notes, "it can create the topic all the same: CREATE on the cluster is enough")
	}
	if q.ResourceType == Topic && !may(Topic, q.Name, Describe) {
		notes = append(notes, hiddenTopic(q, refused))
	}
	return notes
}

// hiddenTopic tells how a topic that must not be described looks.
func hiddenTopic(q Request, refused bool) string {
	text := "without DESCRIBE the topic is hidden: asked for by name it gives TOPIC_AUTHORIZATION_FAILED; asked for by its id, or looked up in the list of topics (as subscriptions to a pattern are), it does not seem to exist, and clients report UNKNOWN_TOPIC_ID or UNKNOWN_TOPIC_OR_PARTITION"
	if !refused {
		text = fmt.Sprintf("clients ask for DESCRIBE before they %s, and a DENY takes it away: ", strings.ToLower(string(q.Operation))) + text
	}
	return text
}

// beside tells what else a consumer or a transactional producer needs for
// what it asked for, as its contract has it, and does not have.
func beside(live *Rules, partners []Grant, host string) []string {
	var notes []string
	for _, g := range partners {
		q := g.request()
		q.Host = host
		if d := live.Decide(q); !d.Allowed {
			notes = append(notes, fmt.Sprintf("to do it as its contract says, it also needs %s on %s `%s`, and that is refused: %s", g.Operation, noun(g.ResourceType), g.Name, d))
		}
	}
	return notes
}
